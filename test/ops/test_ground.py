"""The ground estimate on synthetic ground whose height is known everywhere."""

import numpy as np
import pytest

from spatial_perception.ops.ground import (
    GroundConfig,
    GroundGrid,
    _limit_slope,
    _low_heights,
    _without_pits,
    estimate_ground,
    flat_ground,
)


def plane(slope: float, rng: np.random.Generator, count: int = 60_000) -> np.ndarray:
    xy = rng.uniform(-50, 50, (count, 2))
    return np.column_stack([xy, slope * xy[:, 0] + rng.normal(0, 0.01, count)]).astype(np.float32)


def test_a_slope_is_found_to_a_few_centimetres() -> None:
    rng = np.random.default_rng(0)
    ground = estimate_ground(plane(0.05, rng))
    places = rng.uniform(-40, 40, (500, 2)).astype(np.float32)
    error = ground.height_at(places) - 0.05 * places[:, 0]
    assert np.abs(error).max() < 0.1


def test_walls_and_cars_do_not_lift_the_ground() -> None:
    rng = np.random.default_rng(1)
    car = rng.uniform([8, -2, 0.3], [12, 2, 1.5], (8000, 3))
    house = rng.uniform([-40, 20, 0.0], [-10, 32, 6.0], (30_000, 3))
    points = np.concatenate([plane(0.0, rng), car, house]).astype(np.float32)
    heights = estimate_ground(points).height_at(points)
    assert np.abs(heights).max() < 0.2


def test_a_roof_with_no_ground_below_falls_to_what_the_slope_allows() -> None:
    rng = np.random.default_rng(2)
    street = plane(0.0, rng)
    street = street[(street[:, 1] < 15) | (street[:, 1] > 30)]
    roof = rng.uniform([-20, 15, 4.0], [20, 30, 4.1], (20_000, 3))
    config = GroundConfig(max_slope=0.1)
    ground = estimate_ground(np.concatenate([street, roof]).astype(np.float32), config)
    assert ground.height_at(np.array([[0.0, 22.5]], np.float32))[0] < 1.0


def test_heights_between_cell_centres_are_bilinear() -> None:
    grid = GroundGrid(np.array([[0.0, 1.0], [2.0, 5.0]], np.float32), 0.0, 1.0)
    xy = np.array([[0.5, 0.5], [1.0, 0.5], [1.0, 1.0], [9.0, 9.0]], np.float32)
    assert grid.height_at(xy) == pytest.approx([0.0, 0.5, 2.0, 5.0], abs=0.01)


def test_an_empty_scan_gives_level_ground() -> None:
    ground = estimate_ground(np.zeros((0, 3), np.float32))
    assert not ground.heights_m.any()


def test_flat_ground_has_one_height_everywhere() -> None:
    xy = np.random.default_rng(3).uniform(-100, 100, (50, 2)).astype(np.float32)
    np.testing.assert_allclose(flat_ground(0.7).height_at(xy), 0.7, rtol=1e-6)


def test_low_heights_are_those_of_a_loop_over_cells() -> None:
    rng, config = np.random.default_rng(6), GroundConfig()
    side = 8
    corner = -0.5 * side * config.cell_m
    points = rng.uniform([-14, -14, -8], [14, 14, 8], (4000, 3)).astype(np.float32)
    points = points[(points[:, 0] > -3) | (rng.random(4000) < 0.01)]
    found = _low_heights(points, side, corner, config)
    place = np.floor((points[:, :2] - corner) / config.cell_m).astype(int)
    for row in range(side):
        for column in range(side):
            z = points[(place[:, 0] == column) & (place[:, 1] == row), 2].astype(np.float64)
            z = np.sort(z[np.abs(z) < config.depth_m])
            if len(z) < config.min_points:
                assert np.isinf(found[row, column])
                continue
            rank = max(int(np.ceil(len(z) * config.percentile / 100.0)), 2)
            level = np.floor((z[rank - 1] + config.depth_m) / 0.1)
            same = z[np.floor((z + config.depth_m) / 0.1) == level]
            assert found[row, column] == pytest.approx(same.mean(), abs=0.02)


def coarse_heights(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    heights = rng.normal(0.0, 3.0, shape)
    heights[rng.random(shape) < 0.4] = np.inf
    return heights


@pytest.mark.parametrize("shape", [(30, 30), (7, 25), (25, 7), (1, 9)])
def test_the_slope_limit_is_that_of_moves_to_neighbours(shape: tuple[int, int]) -> None:
    heights, step = coarse_heights(np.random.default_rng(5), shape), 0.45
    rows, columns = shape
    limited = heights.copy()
    for _ in range(rows + columns):  # relaxed until nothing moves
        around = np.pad(limited, 1, constant_values=np.inf)
        for row, column in np.ndindex(3, 3):
            rise = step * np.hypot(row - 1, column - 1)
            moved = around[row : row + rows, column : column + columns] + rise
            limited = np.minimum(limited, moved)
    np.testing.assert_allclose(_limit_slope(heights, step), limited, atol=1e-9)


def test_pits_are_cells_far_below_the_lower_quarter_around_them() -> None:
    heights = coarse_heights(np.random.default_rng(6), (20, 30))
    found, pits = _without_pits(heights, 0.45), 0
    for row, column in np.argwhere(np.isfinite(heights)):
        around = heights[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        ordered = np.sort(around[np.isfinite(around)])
        quarter = len(ordered) // 4
        is_pit = quarter > 0 and heights[row, column] < ordered[quarter] - 0.45 - 0.3
        assert np.isinf(found[row, column]) == is_pit
        pits += int(is_pit)
    assert 10 < pits < 200
