"""Cleared cells against a walker that follows each ray in small steps."""

import numpy as np
import pytest

from spatial_perception.pipelines.ray_clearing import ClearingReach, RayClearing, Rays

CELLS, RESOLUTION_M, MIN_HEIGHT_M, MAX_HEIGHT_M, SENSOR_M = 100, 0.2, 0.3, 2.5, 1.7


def rays_of(ends: np.ndarray) -> Rays:
    """Rays from the middle of the grid to (N, 3) ends."""
    dx, dy, height = ends.T.astype(np.float32)
    low = height <= MIN_HEIGHT_M
    return Rays(SENSOR_M, dx.copy(), dy.copy(), height.copy(), ~low & (height < MAX_HEIGHT_M), low)


def clearing(shut_m: float = 1.0, shadow_m: float = 3.0) -> RayClearing:
    reach = ClearingReach(MIN_HEIGHT_M, MAX_HEIGHT_M, shut_m, shadow_m)
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


def state(ends: np.ndarray, range_m: float, shut_m: float, shadow_m: float) -> tuple[bool, bool]:
    """Whether a place on the way of rays in one direction is crossed low, and not hidden."""
    crossed, shut, stopped, passing = False, False, 0, 0
    for end_m, _, height_m in ends:
        here_m = SENSOR_M + (height_m - SENSOR_M) * range_m / end_m
        between = MIN_HEIGHT_M < here_m < MAX_HEIGHT_M
        if range_m < end_m:
            crossed |= here_m <= MIN_HEIGHT_M
            passing += between
        elif between and MIN_HEIGHT_M < height_m < MAX_HEIGHT_M:
            shut |= range_m - end_m < shut_m
            stopped += range_m - end_m < shadow_m
    return crossed, not shut and stopped <= passing


def test_lone_rays_clear_nothing_that_a_walker_does_not_find() -> None:
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(-np.pi, np.pi, 60), rng.uniform(2.0, 9.0, 60)
    ends = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], axis=1)
    free = free_of(ends)
    expected = walked(ends)
    padded = np.pad(expected, 1)
    near = np.any(
        [padded[i : i + CELLS, j : j + CELLS] for i in range(3) for j in range(3)], axis=0
    )
    assert not (free & ~near).any(), "never more than the neighbour of what a ray crossed"
    assert free.any()


def test_dense_rays_clear_all_that_the_walker_finds() -> None:
    angle, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 1800), np.arange(3.0, 9.0, 0.3))
    ends = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], axis=-1)
    free = free_of(ends.reshape(-1, 3))
    offsets = (np.arange(CELLS) - CELLS // 2) * RESOLUTION_M
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    # The nearest ring is low from 3 m * (1.7 - 0.3) / 1.7 on.
    assert free[(distance > 2.47 + 0.2) & (distance < 8.7 - 0.2)].all()
    assert not free[(distance < 2.47 - 0.2) | (distance > 8.7 + 0.4)].any()


@pytest.mark.parametrize(("shut_m", "shadow_m"), [(1.0, 3.0), (0.0, 4.0), (2.0, 2.0), (0.0, 0.0)])
def test_what_obstacles_hide_is_not_free(shut_m: float, shadow_m: float) -> None:
    rng, compared, found = np.random.default_rng(3), 0, set()
    for _ in range(60):
        count = rng.integers(4, 12)
        heights = np.where(rng.random(count) < 0.5, 0.0, rng.uniform(0.0, 3.5, count))
        ends = np.stack([rng.uniform(2.0, 9.5, count), 0 * heights, heights], axis=1)
        free = free_of(ends, shut_m=shut_m, shadow_m=shadow_m)[CELLS // 2]
        for cell in range(5, 45):
            around_m = np.linspace(cell - 1.5, cell + 1.5, 31) * RESOLUTION_M
            states = {state(ends, range_m, shut_m, shadow_m) for range_m in around_m}
            if len(states) == 1:  # rings are as coarse as cells
                expected = all(states.pop())
                compared, _ = compared + 1, found.add(expected)
                assert free[CELLS // 2 + cell] == expected, (ends, cell)
    assert compared > 500
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
