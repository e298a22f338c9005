"""Free distances on grids that can be worked out by hand."""

import dataclasses

import numpy as np

from spatial_perception.core import Header, OccupancyGrid, Pose
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.free_space import FreeSpaceConfig, FreeSpaceReader

CONFIG = FreeSpaceConfig(beams=4, range_m=8.0, blind_m=0.0, corridor_m=2.0)


def grid_with_wall() -> OccupancyGrid:
    """Free from -5 m to 5 m, a wall at x 3.0 .. 3.2 m, unknown beyond y = 2 m."""
    cells = np.zeros((50, 50), np.int8)
    cells[35:, :] = -1
    cells[:, 40] = 100
    return OccupancyGrid(
        Header(7, "odom"), cells, 0.2, Pose.from_yaw(0.0, np.array([-5.0, -5.0, 0.0]))
    )


def test_beams_end_at_obstacles_and_know_what_they_do_not_know() -> None:
    free = FreeSpaceReader(CONFIG)(grid_with_wall(), Pose.identity(), "base_link")
    assert free.scan.header == Header(7, "base_link")
    back, right, ahead, left = free.scan.ranges_m
    assert abs(ahead - 3.0) < 0.15
    assert np.isnan([back, right, left]).all(), "the grid ends before the range does"
    np.testing.assert_allclose(free.scan.angles_rad, [-np.pi, -np.pi / 2, 0, np.pi / 2])
    expected = [[-5, 0, 0], [0, -5, 0], [3, 0, 0], [0, 2, 0]]
    np.testing.assert_allclose(free.outline.points_m, expected, atol=0.15)
    assert abs(free.ahead_m - 3.0) < 0.11


def test_the_vehicle_may_stand_anywhere_and_look_anywhere() -> None:
    pose = Pose.from_yaw(np.pi, np.array([2.0, 0.0, 0.0]))
    free = FreeSpaceReader(CONFIG)(grid_with_wall(), pose, "base_link")
    assert abs(free.scan.ranges_m[0] - 1.0) < 0.15, "the wall is behind now"
    assert abs(free.ahead_m - 7.0) < 0.11


def test_a_beam_that_meets_nothing_is_infinite() -> None:
    config = FreeSpaceConfig(beams=4, range_m=2.0, blind_m=0.0)
    free = FreeSpaceReader(config)(grid_with_wall(), Pose.identity(), "base_link")
    assert np.isinf(free.scan.ranges_m[2])
    assert free.ahead_m == 2.0


def test_beams_that_are_shorter_than_a_cell_look_once() -> None:
    grid = OccupancyGrid(
        Header(7, "odom"),
        np.zeros((3, 3), np.int8),
        5.0,
        Pose.from_yaw(0.0, np.array([-7.5, -7.5, 0.0])),
    )
    config = FreeSpaceConfig(beams=4, range_m=1.0, blind_m=0.0)
    free = FreeSpaceReader(config)(grid, Pose.identity(), "base_link")
    assert np.isinf(free.scan.ranges_m).all()
    occupied = dataclasses.replace(grid, cells=np.full((3, 3), 100, np.int8))
    ranges_m = FreeSpaceReader(config)(occupied, Pose.identity(), "base_link").scan.ranges_m
    assert np.all(ranges_m < 1.0)


def test_unknown_cells_beside_the_vehicle_end_nothing_but_obstacles_do() -> None:
    grid = grid_with_wall()
    grid.cells[15:35, 25:33] = -1  # from base_link to 1.6 m ahead
    near = FreeSpaceConfig(beams=4, range_m=8.0, blind_m=2.0, corridor_m=2.0)
    assert abs(FreeSpaceReader(near)(grid, Pose.identity(), "base_link").ahead_m - 3.0) < 0.11
    assert FreeSpaceReader(CONFIG)(grid, Pose.identity(), "base_link").ahead_m < 0.11
    grid.cells[:, 30] = 100
    assert abs(FreeSpaceReader(near)(grid, Pose.identity(), "base_link").ahead_m - 1.0) < 0.11


def test_the_way_ahead_begins_at_the_front_of_the_vehicle() -> None:
    grid = grid_with_wall()
    grid.cells[28:31, 28:32] = 100  # 0.6 to 1.2 m to the left, 0.6 to 1.4 m ahead: a mirror
    ego = EgoBox(length_m=3.0, width_m=1.2, ahead_m=0.2)
    assert abs(FreeSpaceReader(CONFIG)(grid, Pose.identity(), "base_link").ahead_m - 0.6) < 0.11
    assert abs(FreeSpaceReader(CONFIG, ego)(grid, Pose.identity(), "base_link").ahead_m - 3) < 0.11
    grid.cells[25, 34] = 100  # 1.8 m ahead, in front of the bumper at 1.7 m
    assert (
        abs(FreeSpaceReader(CONFIG, ego)(grid, Pose.identity(), "base_link").ahead_m - 1.8) < 0.11
    )
