"""The ground estimate on synthetic ground whose height is known everywhere."""

import numpy as np
import pytest

from spatial_perception.ops.ground import GroundConfig, GroundGrid, estimate_ground, flat_ground


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
