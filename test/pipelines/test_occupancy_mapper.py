"""The grid over time: rays clear, what moves leaves no trail, what is not seen again fades."""

from dataclasses import replace

import numpy as np
import pytest

from spatial_perception.core import (
    OBJECT_LABELS,
    POINT_LABELS,
    Detections3D,
    Header,
    LabelledCloud,
    OccupancyGrid,
    PointCloud,
    Pose,
    VoxelGrid,
)
from spatial_perception.core.labels import UNLABELED
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.occupancy_mapper import OccupancyMapper, OccupancyMapperConfig

SENSOR = np.array([0.0, 0.0, 1.7])
STEP_NS = 100_000_000


def ground() -> np.ndarray:
    """Flat ground all around to 30 m."""
    azimuth, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 2400), np.arange(3.0, 30.0, 0.4))
    places = [radius * np.cos(azimuth), radius * np.sin(azimuth), 0 * radius]
    return np.stack(places, axis=-1).reshape(-1, 3)


def wall(x: float, half_m: float = 3.0, thick_m: float = 0.0) -> np.ndarray:
    """A wall 2 m high across the way."""
    y, z = np.meshgrid(np.linspace(-half_m, half_m, 121), np.linspace(0.1, 2.0, 12))
    return np.stack([np.full(y.size, x), y.ravel(), z.ravel()], axis=1)


def scan(*walls: np.ndarray, stamp_ns: int = 0) -> PointCloud:
    """Ground and walls, each wall 3 m wide to both sides, with the ground behind it hidden."""
    seen = ground()
    for points in walls:
        x, half_m = points[0, 0], points[:, 1].max()
        seen = seen[~((seen[:, 0] > x) & (np.abs(seen[:, 1]) < half_m / x * seen[:, 0]))]
    return PointCloud(Header(stamp_ns, "base_link"), np.concatenate([seen, *walls], dtype="f4"))


def cell(grid: OccupancyGrid, x: float, y: float) -> int:
    corner = grid.origin.translation
    row, column = (int(np.floor(v / grid.resolution_m)) for v in (y - corner[1], x - corner[0]))
    return int(grid.cells[row, column])


@pytest.fixture
def mapper() -> OccupancyMapper:
    return OccupancyMapper(OccupancyMapperConfig())


def test_road_is_free_wall_is_occupied_and_behind_it_is_unknown(mapper: OccupancyMapper) -> None:
    overhead = np.array([[5.0, y, 4.5] for y in np.linspace(-1, 1, 20)])
    cloud = scan(wall(10.05))
    cloud = replace(cloud, points=np.concatenate([cloud.points, overhead]).astype(np.float32))
    grid = mapper(cloud, SENSOR)
    assert grid.header == Header(0, "base_link")
    assert cell(grid, 10.05, 0.0) > 90
    assert 0 <= cell(grid, 6.0, 0.0) < 40
    assert 0 <= cell(grid, 5.0, 0.0) < 40, "what hangs over the road does not block it"
    assert 0 <= cell(grid, -15.0, 3.0) < 40
    assert cell(grid, 14.0, 0.0) == -1
    assert cell(grid, 45.0, 45.0) == -1


def test_no_cell_in_the_shadow_of_a_wall_is_free(mapper: OccupancyMapper) -> None:
    grid = mapper(scan(wall(10.05)), SENSOR)
    rows, columns = np.nonzero((grid.cells >= 0) & (grid.cells < 50))
    x = grid.origin.translation[0] + (columns + 0.5) * grid.resolution_m
    y = grid.origin.translation[1] + (rows + 0.5) * grid.resolution_m
    assert not ((x > 10.4) & (np.abs(y) < 0.25 * x)).any()


def test_cells_keep_their_place_while_the_vehicle_moves_and_turns(mapper: OccupancyMapper) -> None:
    odom_from_wall = np.array([12.05, 0.5])
    for k in range(5):
        pose = Pose.from_yaw(0.05 * k, np.array([0.37 * k, 0.11 * k, 0.0]))
        points = scan(wall(12.05), stamp_ns=k * STEP_NS)
        moved = points.transformed(pose.inverse(), "base_link")  # the world stands still
        grid = mapper(moved, pose.inverse().apply(SENSOR[None] + [0.37 * k, 0.11 * k, 0])[0], pose)
        assert grid.header.frame_id == "odom"
        np.testing.assert_allclose(grid.origin.rotation, np.eye(3))
        offset = grid.origin.translation[:2] / grid.resolution_m
        np.testing.assert_allclose(offset, np.round(offset), atol=1e-6)
    assert cell(grid, *odom_from_wall) > 90
    assert (grid.cells[grid.cells >= 50]).size < 3 * 31, "no blur: 1 to 2 cells thick"


def test_what_moves_away_leaves_no_trail(mapper: OccupancyMapper) -> None:
    for k in range(4):
        mapper(scan(stamp_ns=k * STEP_NS), SENSOR, Pose.identity())
    for k in range(6):  # drives up and stops 8 m ahead
        grid = mapper(
            scan(wall(14.05 - k, 1.0), stamp_ns=(4 + k) * STEP_NS), SENSOR, Pose.identity()
        )
    assert cell(grid, 9.05, 0.0) > 90
    grid = mapper(scan(stamp_ns=10 * STEP_NS), SENSOR, Pose.identity())
    assert not (grid.cells >= 50).any()


def test_what_is_hidden_is_forgotten_after_its_lifetime(mapper: OccupancyMapper) -> None:
    mapper(scan(wall(10.05)), SENSOR, Pose.identity())
    blind = PointCloud(Header(9_900_000_000, "base_link"), np.zeros((0, 3), np.float32))
    assert cell(mapper(blind, SENSOR, Pose.identity()), 10.05, 0.0) > 50
    blind = replace(blind, header=Header(10_100_000_000, "base_link"))
    grid = mapper(blind, SENSOR, Pose.identity())
    assert not (grid.cells >= 50).any()
    free = np.argwhere(grid.cells >= 0) * 0.2 - 50.0
    assert np.abs(free).max() < 3.0, "nothing is known but the vehicle's own place"


def test_without_a_pose_each_grid_is_that_of_its_scan(mapper: OccupancyMapper) -> None:
    mapper(scan(wall(10.05)), SENSOR)
    grid = mapper(scan(stamp_ns=STEP_NS), SENSOR)
    assert not (grid.cells >= 50).any()


def test_an_empty_scan_knows_only_the_vehicle_itself(mapper: OccupancyMapper) -> None:
    empty = PointCloud(Header(5, "base_link"), np.zeros((0, 3), np.float32))
    grid = mapper(empty, SENSOR)
    assert 0 <= cell(grid, 1.0, 0.5) < 50
    assert (grid.cells[:, :200] == -1).all()
    assert (grid.cells >= 0).sum() < 300


def test_what_lies_beyond_the_window_does_not_come_in_at_its_edge(mapper: OccupancyMapper) -> None:
    far = wall(70.0)  # the window ends at 55 m
    cloud = PointCloud(Header(0, "base_link"), far.astype(np.float32))
    mapper(cloud, SENSOR, Pose.identity())
    empty = PointCloud(Header(STEP_NS, "base_link"), np.zeros((0, 3), np.float32))
    grid = mapper(empty, SENSOR, Pose.from_yaw(0.0, np.array([12.0, 0.0, 0.0])))
    assert not (grid.cells >= 50).any()


def test_labels_take_a_bank_out_that_heights_alone_call_an_obstacle(
    mapper: OccupancyMapper,
) -> None:
    x, y = np.meshgrid(np.linspace(8.0, 9.0, 20), np.linspace(-1, 1, 40))
    bank = np.stack([x.ravel(), y.ravel(), np.full(x.size, 0.45)], axis=1)
    cloud = PointCloud(Header(0, "base_link"), np.concatenate([ground(), bank], dtype="f4"))
    assert cell(mapper(cloud, SENSOR), 8.5, 0.1) > 50
    terrain = np.full(len(cloud), POINT_LABELS.index("terrain"), np.uint8)
    labels = LabelledCloud(cloud, terrain, POINT_LABELS)
    assert 0 <= cell(mapper(cloud, SENSOR, labels=labels), 8.5, 0.1) < 50


def test_voxels_fill_only_what_is_unknown(mapper: OccupancyMapper) -> None:
    labels = np.full((4, 8, 8), UNLABELED, np.uint8)
    labels[2] = POINT_LABELS.index("vehicle")  # at heights 0.8 .. 1.2 m
    probability = np.full(labels.shape, 0.9, np.float32)
    size = np.full(3, 0.4)
    for corner_x, expected in ((12.0, 60), (4.0, None)):
        voxels = VoxelGrid(
            Header(0, "base_link"), labels, probability, np.array([corner_x, -1.6, 0.0]), size,
            POINT_LABELS,
        )  # fmt: skip
        grid = mapper(scan(wall(10.05)), SENSOR, voxels=voxels)
        found = cell(grid, corner_x + 1.0, 0.1)
        assert found == expected if expected else 0 <= found < 50


def test_voxels_at_the_vehicle_itself_are_no_obstacle(mapper: OccupancyMapper) -> None:
    labels = np.full((4, 16, 20), POINT_LABELS.index("vehicle"), np.uint8)  # x 0 .. 8 m
    probability = np.full(labels.shape, 0.9, np.float32)
    corner, size = np.array([0.0, -3.2, 0.0]), np.full(3, 0.4)
    voxels = VoxelGrid(Header(0, "base_link"), labels, probability, corner, size, POINT_LABELS)
    nothing = PointCloud(Header(0, "base_link"), np.zeros((0, 3), np.float32))
    grid = mapper(nothing, SENSOR, voxels=voxels)
    assert 0 <= cell(grid, 2.3, 0.1) < 50  # ego ends at 2.4 m
    assert cell(grid, 2.6, 0.1) == -1
    assert cell(grid, 3.1, 0.1) == cell(grid, 1.0, 2.1) == 60


def crown(x: float) -> np.ndarray:
    """A bush that is open below and lets some rays through: returns here and there."""
    rng = np.random.default_rng(4)
    y, z = rng.uniform(-0.8, 0.8, 24), rng.uniform(0.8, 2.0, 24)
    return np.stack([rng.uniform(x, x + 1.6, 24), y, z], axis=1)


def test_rays_that_pass_below_a_bush_do_not_clear_its_inside(mapper: OccupancyMapper) -> None:
    points = np.concatenate([ground(), crown(8.0)]).astype(np.float32)
    cloud = PointCloud(Header(0, "base_link"), points)

    def free_inside(grid: OccupancyGrid) -> int:
        places = [(x, y) for x in np.arange(8.3, 9.4, 0.2) for y in np.arange(-0.5, 0.6, 0.2)]
        return sum(0 <= cell(grid, x, y) < 50 for x, y in places)

    grid = mapper(cloud, SENSOR)
    assert 0 <= cell(grid, 7.5, 0.0) < 50, "before it the way is free"
    assert 0 <= cell(grid, 8.6, 1.5) < 50
    bare = OccupancyMapper(OccupancyMapperConfig(guard_beside_m=0.0, guard_behind_m=0.0))
    assert free_inside(grid) < 0.4 * free_inside(bare(cloud, SENSOR))


def car(x: float, score: float = 0.95, stamp_ns: int = 0) -> Detections3D:
    return Detections3D(
        Header(stamp_ns, "base_link"),
        np.array([[x, 0.0, 0.8]], np.float32),
        np.array([[4.0, 2.0, 1.6]], np.float32),
        np.zeros(1, np.float32),
        np.array([score], np.float32),
        np.zeros(1, np.int32),
        OBJECT_LABELS,
    )


def test_a_detected_object_is_solid_while_it_is_seen(mapper: OccupancyMapper) -> None:
    for k in range(3):
        mapper(scan(stamp_ns=k * STEP_NS), SENSOR, Pose.identity())
    back = wall(10.05, 1.0)
    there = scan(back, stamp_ns=3 * STEP_NS)
    grid = mapper(there, SENSOR, Pose.identity(), objects=car(12.05))
    assert all(cell(grid, x, y) >= 50 for x in (10.1, 12.0, 13.9) for y in (-0.9, 0.0, 0.9))
    assert 0 <= cell(grid, 9.0, 0.0) < 50
    assert 0 <= cell(grid, 12.0, 2.5) < 50
    gone = scan(stamp_ns=4 * STEP_NS)
    for k in range(5, 8):
        grid = mapper(replace(gone, header=Header(k * STEP_NS, "base_link")), SENSOR,
                      Pose.identity())  # fmt: skip
    assert not (grid.cells >= 50).any(), "it leaves no trail"


def test_detected_objects_stay_in_place_where_odometry_counts_in_utm() -> None:
    """Millions of metres from the origin neighbouring float32 are half a metre apart."""
    config = OccupancyMapperConfig(size_m=40.0, resolution_m=0.1)
    person = Detections3D(
        Header(0, "base_link"),
        np.array([[7.33, 1.27, 0.9]], np.float32),
        np.array([[0.8, 0.6, 1.7]], np.float32),
        np.zeros(1, np.float32),
        np.ones(1, np.float32),
        np.zeros(1, np.int32),
        OBJECT_LABELS,
    )
    near, far = (
        OccupancyMapper(config)(scan(), SENSOR, Pose.from_yaw(0.0, np.array(place)), objects=person)
        for place in ([0.0, 0.0, 0.0], [691_000.0, 5_336_000.0, 500.0])
    )
    np.testing.assert_array_equal(far.cells, near.cells)


def test_the_vehicle_may_reach_further_ahead_of_base_link_than_behind() -> None:
    own = np.array([[3.5, 0.9, 1.0], [-2.0, 0.9, 1.0]])  # of the vehicle; of something behind it
    cloud = PointCloud(Header(0, "base_link"), np.tile(own, (9, 1)).astype(np.float32))
    grid = OccupancyMapper(OccupancyMapperConfig(ego=EgoBox(ahead_m=1.4)))(cloud, SENSOR)
    assert 0 <= cell(grid, 3.5, 0.9) < 50
    assert cell(grid, -2.0, 0.9) >= 50
    assert cell(grid, -1.5, 0.0) == -1, "what lies behind the vehicle is not its place"


def test_a_doubtful_object_and_the_vehicle_itself_are_not_filled(mapper: OccupancyMapper) -> None:
    grid = mapper(scan(), SENSOR, objects=car(12.05, score=0.3))
    assert not (grid.cells >= 50).any()
    grid = mapper(scan(), SENSOR, objects=car(0.0))
    assert 0 <= cell(grid, 0.1, 0.1) < 50


def test_size_and_resolution_are_as_configured() -> None:
    config = OccupancyMapperConfig(size_m=20.0, resolution_m=0.5)
    grid = OccupancyMapper(config)(scan(wall(10.05)), SENSOR)
    assert grid.cells.shape == (40, 40)
    np.testing.assert_allclose(grid.origin.translation, [-10, -10, 0])


def test_without_a_vehicle_no_cell_is_its_own() -> None:
    post = np.array([[0.05, 0.5, z] for z in np.linspace(0.4, 1.2, 9)], np.float32)
    cloud = PointCloud(Header(0, "base_link"), post)
    grid = OccupancyMapper(OccupancyMapperConfig(ego=EgoBox(0.0)))(cloud, SENSOR)
    assert cell(grid, 0.05, 0.5) >= 50


def test_a_grid_has_a_cell_at_least() -> None:
    mapper = OccupancyMapper(OccupancyMapperConfig(size_m=1.0, resolution_m=5.0))
    assert mapper(scan(wall(10.05)), SENSOR).cells.shape == (1, 1)


def test_what_comes_into_the_grid_was_seen_before() -> None:
    def known_ahead(margin_m: float) -> int:
        config = OccupancyMapperConfig(size_m=40.0, margin_m=margin_m)
        mapper = OccupancyMapper(config)
        mapper(scan(), SENSOR, Pose.identity())
        blind = PointCloud(Header(STEP_NS, "base_link"), np.zeros((0, 3), np.float32))
        grid = mapper(blind, SENSOR, Pose.from_yaw(0.0, np.array([4.0, 0.0, 0.0])))
        assert grid.cells.shape == (200, 200)
        np.testing.assert_allclose(grid.origin.translation, [-16, -20, 0])
        return sum(0 <= cell(grid, x, 0.1) < 50 for x in np.arange(20.5, 23.9, 0.2))

    assert known_ahead(0.0) == 0
    assert known_ahead(5.0) == 17
