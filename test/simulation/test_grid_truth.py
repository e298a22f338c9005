"""The true grid of a drive against its boxes and its scan."""

import numpy as np
import pytest

from spatial_perception.core import Header, OccupancyGrid, Pose
from spatial_perception.simulation.drive import Drive, DriveConfig, Moment
from spatial_perception.simulation.grid_truth import GridTruth, GroundHeight

CONFIG = DriveConfig(seconds=0.3, seed=5, sensor="beam32", with_camera=False)


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive(CONFIG)


@pytest.fixture(scope="module")
def frames(drive: Drive) -> list[tuple[Moment, OccupancyGrid]]:
    truth = GridTruth(drive)
    return [(moment, truth.at(moment, Header(0, "odom"))) for moment in drive.moments()]


def cells_at(grid: OccupancyGrid, places: np.ndarray) -> np.ndarray:
    local = grid.origin.inverse().apply(places)
    column, row = np.floor(local[:, :2] / grid.resolution_m).astype(int).T
    return grid.cells[row, column]


def test_a_drive_without_a_camera_has_no_pictures(
    frames: list[tuple[Moment, OccupancyGrid]],
) -> None:
    assert all(moment.picture is None for moment, _ in frames)


def test_the_middle_of_every_car_near_by_is_occupied_where_it_is_seen(
    frames: list[tuple[Moment, OccupancyGrid]],
) -> None:
    moment, grid = frames[-1]
    names = np.array([moment.kinds[i - 1] for i in moment.ids])
    near = (names == "car") & (np.hypot(*moment.boxes[:, :2].T) < 40)
    assert near.sum() >= 2
    found = cells_at(grid, moment.odom_from_base.apply(moment.boxes[near, :3]))
    assert set(found) <= {-1, 100}


def test_returns_from_cars_lie_in_occupied_cells(
    drive: Drive, frames: list[tuple[Moment, OccupancyGrid]]
) -> None:
    moment, grid = frames[1]
    points = drive.rig.base_from_lidar.apply(moment.scan.points.astype(np.float64))
    cars = [i for i in moment.ids if moment.kinds[i - 1] == "car"]
    on_cars = np.isin(moment.scan.instances, cars) & (points[:, 2] > 0.6) & (points[:, 2] < 2.0)
    on_cars &= np.hypot(*points[:, :2].T) < 40
    found = cells_at(grid, moment.odom_from_base.apply(points[on_cars]))
    assert on_cars.sum() > 100
    assert (found >= 0).all(), "where a ray ended was seen"
    assert (found == 100).mean() > 0.9, "but for the noise of ranges at the edges of cells"


def test_the_vehicle_is_in_the_middle_of_cells_that_stay_where_they_are(
    frames: list[tuple[Moment, OccupancyGrid]],
) -> None:
    for moment, grid in frames:
        corner = grid.origin.translation[:2] / grid.resolution_m
        np.testing.assert_allclose(corner, np.round(corner), atol=1e-6)
        middle = grid.origin.translation[:2] + 50.0
        assert np.abs(middle - moment.odom_from_base.translation[:2]).max() <= 0.2
    first, last = frames[0][1], frames[-1][1]
    way = round((last.origin.translation[0] - first.origin.translation[0]) / 0.2)
    seen_then, seen_now = first.cells[:, way:] >= 0, last.cells[:, : 500 - way] >= 0
    assert way > 0
    if first.origin.translation[1] == last.origin.translation[1]:
        assert (seen_now | ~seen_then).all(), "what was seen once counts"


def test_touched_tells_what_stands_from_what_moves(drive: Drive) -> None:
    truth, moment = GridTruth(drive), drive.moment(1)
    places = moment.odom_from_base.apply(moment.boxes[:, :3])[:, :2]
    speeds_mps = np.hypot(*moment.velocities_mps.T)
    is_body = np.isin([moment.kinds[i - 1] for i in moment.ids], ["car", "truck"])
    is_body &= np.hypot(*moment.boxes[:, :2].T) < 40
    stands, moves = truth.touched(places, moment.time_s)

    assert min((speeds_mps[is_body] > 0).sum(), (speeds_mps[is_body] == 0).sum()) >= 1
    np.testing.assert_array_equal(moves[is_body], speeds_mps[is_body] > 0)
    np.testing.assert_array_equal(stands[is_body], speeds_mps[is_body] == 0)
    ego = moment.odom_from_base.translation[None, :2]
    assert not np.any(truth.touched(np.concatenate([ego, ego + 500.0]), moment.time_s))


def test_what_hangs_higher_than_is_asked_for_is_in_nobodys_way(drive: Drive) -> None:
    side = np.arange(-30.0, 30.0, 0.2)
    places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    low, high = (GridTruth(drive, height_m).touched(places, 0.0)[0] for height_m in (1.0, 2.5))

    assert low.any()
    assert (high & ~low).any()
    assert not (low & ~high).any()


def test_ground_height_is_that_of_the_street(drive: Drive) -> None:
    ground = drive.street.ground
    height = GroundHeight(ground, (-20.0, 20.0))
    s, d = np.array([0.0, 7.3, -11.0]), np.array([0.0, 1.1, -2.0])
    xy = np.stack(ground.xy(s, d), axis=1)
    np.testing.assert_allclose(height.at(xy), ground.height(s, d), atol=0.03)
    assert np.isnan(height.at(np.array([[500.0, 0.0]]))).all()


def test_odometry_starts_at_the_identity(drive: Drive) -> None:
    np.testing.assert_allclose(drive.odom_from_base(0.0).translation, np.zeros(3), atol=1e-9)
    assert isinstance(drive.odom_from_base(0.0), Pose)
