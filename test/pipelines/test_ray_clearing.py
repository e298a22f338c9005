"""Cleared cells against a walker that follows each ray in small steps."""

import numpy as np
import pytest
from scipy import ndimage

from spatial_perception.pipelines.ray_clearing import ClearingReach, RayClearing, Rays

CELLS, RESOLUTION_M, MIN_HEIGHT_M, MAX_HEIGHT_M, SENSOR_M = 100, 0.2, 0.3, 2.5, 1.7
RING_M = 0.4


def rays_of(ends: np.ndarray) -> Rays:
    """Rays from the middle of the grid to (N, 3) ends."""
    ends = ends.T.astype(np.float32)
    low, is_in_the_way = ends[2] <= MIN_HEIGHT_M, ends[2] < MAX_HEIGHT_M
    return Rays(SENSOR_M, ends[:, low], ends[:2, ~low & is_in_the_way])


def clearing(shut_m: float = 1.0, shadow_m: float = 3.0) -> RayClearing:
    reach = ClearingReach(MIN_HEIGHT_M, shut_m, shadow_m)
    return RayClearing(CELLS, RESOLUTION_M, 1800, reach)


def free_of(ends: np.ndarray, **reach: float) -> np.ndarray:
    return clearing(**reach).look(rays_of(ends), CELLS // 2, CELLS // 2)


def walked(ends: np.ndarray) -> np.ndarray:
    """Brute force: the cells in which each ray, from the centre of a cell, is low."""
    free = np.zeros((CELLS, CELLS), bool)
    middle = (CELLS // 2 + 0.5) * RESOLUTION_M
    for x, y, z in ends:
        for share in np.linspace(0.0, 1.0, 4000):
            if SENSOR_M + share * (z - SENSOR_M) <= MIN_HEIGHT_M:
                row, column = (int((middle + share * v) / RESOLUTION_M) for v in (y, x))
                free[row, column] = True
    return free


def is_free(ends: np.ndarray, ring: int, shut_m: float, shadow_m: float) -> bool:
    """Whether rays in one direction cross a ring low, and nothing hides it."""
    crossed, shut, stopped, passing = False, False, 0, 0
    for end_m, _, height_m in ends[ends[:, 2] < MAX_HEIGHT_M]:
        after = int(end_m / RING_M) + 1
        if height_m <= MIN_HEIGHT_M:
            low = int(end_m * (SENSOR_M - MIN_HEIGHT_M) / (SENSOR_M - height_m) / RING_M)
            crossed |= low <= ring < after
            passing += ring < low
        elif ring < after:
            passing += 1
        else:
            shut |= ring < after + shut_m / RING_M
            stopped += ring < after + shadow_m / RING_M
    return crossed and not shut and stopped <= passing


def test_lone_rays_clear_nothing_that_a_walker_does_not_find() -> None:
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(-np.pi, np.pi, 60), rng.uniform(2.0, 9.0, 60)
    ends = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], axis=1)
    free = free_of(ends)
    expected = walked(ends)
    near = ndimage.binary_dilation(expected, np.ones((5, 5)))
    assert not (free & ~near).any(), "never more than a ring's width from what a ray crossed"
    assert free.any()


def test_dense_rays_clear_all_that_the_walker_finds() -> None:
    angle, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 1800), np.arange(3.0, 9.0, 0.3))
    ends = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], axis=-1)
    free = free_of(ends.reshape(-1, 3))
    offsets = (np.arange(CELLS) - CELLS // 2) * RESOLUTION_M
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    # The nearest ring is low from 3 m * (1.7 - 0.3) / 1.7 on.
    assert free[(distance > 2.47 + RING_M) & (distance < 8.7 - RING_M)].all()
    assert not free[(distance < 2.47 - RING_M) | (distance > 8.7 + RING_M)].any()


@pytest.mark.parametrize(("shut_m", "shadow_m"), [(1.2, 3.2), (0.0, 4.0), (2.0, 2.0), (0.0, 0.0)])
def test_what_obstacles_hide_is_not_free(shut_m: float, shadow_m: float) -> None:
    rng, found = np.random.default_rng(3), set()
    for _ in range(60):
        count = rng.integers(4, 12)
        heights = np.where(rng.random(count) < 0.5, 0.0, rng.uniform(0.0, 3.5, count))
        ends = np.stack([rng.uniform(2.0, 9.5, count), 0 * heights, heights], axis=1)
        free = free_of(ends, shut_m=shut_m, shadow_m=shadow_m)[CELLS // 2]
        for ring in range(2, 24):
            expected = is_free(ends, ring, shut_m, shadow_m)
            assert free[CELLS // 2 + 2 * ring + 1] == expected, (ends, ring)
            found.add(expected)
    assert found == {True, False}


def test_a_ray_that_passed_below_a_body_clears_nothing_behind_its_side() -> None:
    side = np.array([[5.0, 0.0, height] for height in (0.8, 1.2, 1.7)])
    below = np.array([[7.9, 0.0, 0.0], [6.5, 0.0, 0.0]])  # 0.6 and 0.4 m high at 5 m
    assert free_of(below)[50, 50 + 36]
    assert not free_of(np.concatenate([side, below]))[50, 50 + 25 :].any()
    through = np.array([[9.0, 0.0, height] for height in (0.9, 1.3, 1.7, 2.0)])
    free = free_of(np.concatenate([side, below, through]))[50]
    assert not free[50 + 26 : 50 + 29].any(), "just behind it nothing is free"
    assert free[50 + 36], "where more rays get through than were stopped it may be"


def test_a_look_does_not_change_with_the_next_one_from_elsewhere() -> None:
    clear, ends = clearing(), np.array([[5.0, 0.0, 0.0], [0.0, -4.0, 0.0]])
    first = clear.look(rays_of(ends), 50, 50)
    before = first.copy()
    moved = clear.look(rays_of(ends), 53, 48)
    np.testing.assert_array_equal(moved[3:, :-2], before[:-3, 2:])
    np.testing.assert_array_equal(first, before)


def test_nothing_is_seen_from_outside_of_the_grid() -> None:
    assert not clearing().look(rays_of(np.array([[5.0, 0.0, 0.0]])), -3, 50).any()
