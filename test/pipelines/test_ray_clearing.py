"""Cleared cells against a walker that follows each ray in small steps."""

import numpy as np

from spatial_perception.pipelines.ray_clearing import RayClearing, Rays

CELLS, RESOLUTION_M, MIN_HEIGHT_M, SENSOR_M = 100, 0.2, 0.3, 1.7


def rays_of(ends: np.ndarray) -> Rays:
    """Rays from the middle of the grid to (N, 3) ends."""
    dx, dy, height = ends.T.astype(np.float32)
    low = height <= MIN_HEIGHT_M
    return Rays(SENSOR_M, dx.copy(), dy.copy(), height.copy(), ~low, low)


def clearing(shadow_m: float = 3.0) -> RayClearing:
    return RayClearing(CELLS, RESOLUTION_M, 1800, MIN_HEIGHT_M, shadow_m, 3.0)


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


def test_lone_rays_clear_nothing_that_a_walker_does_not_find() -> None:
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(-np.pi, np.pi, 60), rng.uniform(2.0, 9.0, 60)
    ends = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], axis=1)
    free = clearing().look(rays_of(ends), CELLS // 2, CELLS // 2).free
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
    free = clearing().look(rays_of(ends.reshape(-1, 3)), CELLS // 2, CELLS // 2).free
    offsets = (np.arange(CELLS) - CELLS // 2) * RESOLUTION_M
    distance = np.hypot(*np.meshgrid(offsets, offsets))
    # The nearest ring is low from 3 m * (1.7 - 0.3) / 1.7 on.
    assert free[(distance > 2.47 + 0.2) & (distance < 8.7 - 0.2)].all()
    assert not free[(distance < 2.47 - 0.2) | (distance > 8.7 + 0.4)].any()


def test_a_ray_below_an_obstacle_does_not_clear_what_stands_behind_it() -> None:
    front = np.array([[5.0, 0.0, 0.8]])
    below = np.array([[7.0, 0.0, 0.0]])  # 0.49 m high at 5 m: it is low from 5.8 m on
    low = np.array([[5.5, 0.0, 0.0]])  # low from 4.5 m on: passes below
    look = clearing().look(rays_of(np.concatenate([front, low])), 50, 50)
    assert not look.free.any()
    look = clearing().look(rays_of(np.concatenate([front, below])), 50, 50)
    assert look.free[50, 50 + 32]
    assert clearing(0.2).look(rays_of(np.concatenate([front, low])), 50, 50).free.any()


def test_behind_gives_the_shadow_of_some_ends() -> None:
    look = clearing().look(rays_of(np.array([[4.0, 0.0, 0.8], [0.0, 4.0, 0.8]])), 50, 50)
    shadow = look.behind(np.array([0]))
    assert shadow[50, 50 + 25]
    assert not shadow[50 + 25, 50]
    assert not shadow[50, 50 + 15]
    assert not shadow[50, 50 + 40]


def test_nothing_is_seen_from_outside_of_the_grid() -> None:
    assert not clearing().look(rays_of(np.array([[5.0, 0.0, 0.0]])), -3, 50).free.any()
