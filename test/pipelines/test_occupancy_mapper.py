"""The grid of one scan: rays clear up to obstacles, never behind them."""

import numpy as np

from spatial_perception.core import Header, OccupancyGrid, PointCloud
from spatial_perception.pipelines.occupancy_mapper import OccupancyMapper, OccupancyMapperConfig

SENSOR = np.array([0.0, 0.0, 1.7])


def scan_of_road_and_wall() -> PointCloud:
    """Flat ground all around to 30 m, and a wall 2 m high at x = 10 m, y in -3..3, with shadow."""
    azimuth, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 2400), np.arange(3.0, 30.0, 0.4))
    ground = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), 0 * radius], axis=-1)
    ground = ground.reshape(-1, 3)
    hidden = (ground[:, 0] > 10) & (np.abs(ground[:, 1]) < 0.3 * ground[:, 0])
    y, z = np.meshgrid(np.linspace(-3, 3, 121), np.linspace(0.1, 2.0, 12))
    wall = np.stack([np.full(y.size, 10.0), y.ravel(), z.ravel()], axis=1)
    overhead = np.array([[5.0, y, 4.5] for y in np.linspace(-1, 1, 20)])
    points = np.concatenate([ground[~hidden], wall, overhead]).astype(np.float32)
    return PointCloud(Header(5, "base_link"), points)


def cell(grid: OccupancyGrid, x: float, y: float) -> int:
    corner = grid.origin.translation
    row, column = int((y - corner[1]) / grid.resolution_m), int((x - corner[0]) / grid.resolution_m)
    return int(grid.cells[row, column])


def test_road_is_free_wall_is_occupied_and_behind_it_is_unknown() -> None:
    grid = OccupancyMapper(OccupancyMapperConfig())(scan_of_road_and_wall(), SENSOR)
    assert grid.header == Header(5, "base_link")
    assert cell(grid, 10.05, 0.0) > 90
    assert 0 <= cell(grid, 6.0, 0.0) < 40
    assert 0 <= cell(grid, -15.0, 3.0) < 40
    assert cell(grid, 14.0, 0.0) == -1
    assert cell(grid, 45.0, 45.0) == -1


def test_what_hangs_over_the_road_does_not_block_it() -> None:
    grid = OccupancyMapper(OccupancyMapperConfig())(scan_of_road_and_wall(), SENSOR)
    assert 0 <= cell(grid, 5.0, 0.0) < 40


def test_no_ray_clears_a_cell_behind_the_nearest_obstacle_of_its_bin() -> None:
    grid = OccupancyMapper(OccupancyMapperConfig())(scan_of_road_and_wall(), SENSOR)
    rows, columns = np.nonzero((grid.cells >= 0) & (grid.cells < 50))
    x = grid.origin.translation[0] + (columns + 0.5) * grid.resolution_m
    y = grid.origin.translation[1] + (rows + 0.5) * grid.resolution_m
    shadow = (x > 10.4) & (np.abs(y) < 0.25 * x)
    assert not shadow.any()


def test_an_empty_scan_gives_an_unknown_grid() -> None:
    empty = PointCloud(Header(5, "base_link"), np.zeros((0, 3), np.float32))
    grid = OccupancyMapper(OccupancyMapperConfig())(empty, SENSOR)
    assert (grid.cells == -1).all()


def test_size_and_resolution_are_as_configured() -> None:
    config = OccupancyMapperConfig(size_m=20.0, resolution_m=0.5)
    grid = OccupancyMapper(config)(scan_of_road_and_wall(), SENSOR)
    assert grid.cells.shape == (40, 40)
    np.testing.assert_allclose(grid.origin.translation, [-10, -10, 0])
