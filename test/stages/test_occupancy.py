"""The stage of the grid: where pose and labels are from, and what it does without them."""

import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from spatial_perception.core import (
    OBJECT_LABELS,
    POINT_LABELS,
    Detections3D,
    Header,
    LabelledCloud,
    OccupancyGrid,
    Odometry,
    PointCloud,
    Polygon,
    Pose,
    RangeScan,
    StampedTransform,
    Transforms,
)
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.occupancy import OccupancyMapperStage, OccupancyMapperStageConfig
from spatial_perception.stages.stage import DropCause

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
SMALL = {"size_m": 40.0, "azimuth_bins": 720}


def stamp(index: int) -> int:
    return START_NS + index * 100 * MS


def make(**options: Any) -> OccupancyMapperStage:
    stage = OccupancyMapperStage(OccupancyMapperStageConfig(**{**SMALL, **options}))
    pose = Pose.from_yaw(0.0, np.array([0.0, 0.0, 1.7]))
    static = StampedTransform(Header(0, "base_link"), "velodyne", pose)
    stage.push("tf_static", Transforms((static,)))
    return stage


def cloud(index: int, wall_x: float = 8.05) -> PointCloud:
    """Ground to 15 m and a wall across the way, in the LiDAR's frame."""
    azimuth, radius = np.meshgrid(np.linspace(-np.pi, np.pi, 800), np.arange(3.0, 15.0, 0.4))
    ground = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), 0 * radius - 1.7], -1)
    ground = ground.reshape(-1, 3)
    hidden = (ground[:, 0] > wall_x) & (np.abs(ground[:, 1]) < 2.0 / wall_x * ground[:, 0])
    y, z = np.meshgrid(np.linspace(-2, 2, 81), np.linspace(-1.6, 0.0, 9))
    wall = np.stack([np.full(y.size, wall_x), y.ravel(), z.ravel()], axis=1)
    points = np.concatenate([ground[~hidden], wall]).astype(np.float32)
    return PointCloud(Header(stamp(index), "velodyne"), points)


def moved(index: int, x_m: float = 0.0, yaw_rad: float = 0.0) -> Transforms:
    pose = Pose.from_yaw(yaw_rad, np.array([x_m, 0.0, 0.0]))
    return Transforms((StampedTransform(Header(stamp(index), "odom"), "base_link", pose),))


def odometry(index: int, x_m: float = 0.0) -> Odometry:
    pose = Pose.from_yaw(0.0, np.array([x_m, 0.0, 0.0]))
    return Odometry(Header(stamp(index), "odom"), "base_link", pose, np.zeros(3), np.zeros(3))


def grids(outputs: Iterable[tuple[str, Any]]) -> list[OccupancyGrid]:
    return [value for port, value in outputs if port == "grid"]


def occupied_xy(grid: OccupancyGrid) -> np.ndarray:
    """Centres of the occupied cells in the grid's frame."""
    rows, columns = np.nonzero(grid.cells >= 50)
    centers = np.stack([columns + 0.5, rows + 0.5, 0 * rows], axis=1) * grid.resolution_m
    return grid.origin.apply(centers)[:, :2]


def test_labels_of_scans_that_were_mapped_are_not_kept() -> None:
    stage, kept = make(), []
    for index in range(6):
        scan = cloud(index)
        labels = np.zeros(len(scan), np.uint8)
        stage.push("segmentation", LabelledCloud(scan, labels, POINT_LABELS))
        assert len(grids(stage.push("points", scan))) == 1
        assert stage.status()["ground"] == "labels"
        kept.append(weakref.ref(labels))
        del labels, scan
    assert not any(ref() is not None for ref in kept)


def test_without_odometry_the_grid_is_a_single_scans_and_the_diagnostics_say_so() -> None:
    stage = make()
    outputs = list(stage.push("points", cloud(0)))
    assert [port for port, _ in outputs] == ["grid", "free_space", "scan"]
    (grid,) = grids(outputs)
    assert grid.header == Header(stamp(0), "base_link")
    status = stage.status()
    assert (status["ego_motion"], status["ground"]) == ("none", "estimated")
    assert "no odometry" in status["degraded"]
    assert float(status["clear_ahead_m"]) == pytest.approx(7.9, abs=0.25)


def test_a_single_scan_by_configuration_is_no_complaint() -> None:
    stage = make(ego_motion="none")
    stage.push("tf", moved(0))
    (grid,) = grids(stage.push("points", cloud(0)))
    assert grid.header.frame_id == "base_link"
    assert "degraded" not in stage.status()


def test_with_tf_the_grid_stands_in_odom_with_axes_that_do_not_turn() -> None:
    stage = make()
    stage.push("tf", moved(0, 2.0, 0.3))
    (grid,) = grids(stage.push("points", cloud(0)))
    assert grid.header == Header(stamp(0), "odom")
    np.testing.assert_allclose(grid.origin.rotation, np.eye(3))
    assert stage.status()["ego_motion"] == "tf"
    expected = Pose.from_yaw(0.3, np.array([2.0, 0, 0])).apply(np.array([[8.05, 0.0, 0.0]]))[0]
    assert np.hypot(*(occupied_xy(grid) - expected[:2]).T).min() < 0.15


def test_with_odom_alone_the_same_cells_are_given_in_base_link() -> None:
    stage = make()
    stage.push("odom", odometry(0, 2.0))
    (grid,) = grids(stage.push("points", cloud(0)))
    assert grid.header.frame_id == "base_link"
    assert stage.status()["ego_motion"] == "odom"
    assert np.hypot(*(occupied_xy(grid) - [8.05, 0.0]).T).min() < 0.2


def test_matched_scans_serve_where_there_is_nothing_else() -> None:
    stage = make()
    stage.push("matched_odom", odometry(0, 1.0))
    assert len(grids(stage.push("points", cloud(0)))) == 1
    assert stage.status()["ego_motion"] == "scan_matching"


def test_a_cloud_waits_for_a_pose_that_may_come() -> None:
    stage = make()
    stage.push("tf", moved(0))
    assert len(grids(stage.push("points", cloud(0)))) == 1
    assert grids(stage.push("points", cloud(1))) == []
    (grid,) = grids(stage.push("tf", moved(1, 0.5)))
    assert grid.header == Header(stamp(1), "odom")


def test_odometry_that_stops_degrades_to_single_scans_and_recovers() -> None:
    stage = make()
    stage.push("tf", moved(0))
    stage.push("points", cloud(0))
    found = [grid for k in range(1, 6) for grid in grids(stage.push("points", cloud(k)))]
    assert [grid.header.frame_id for grid in found] == ["base_link"] * 2
    assert "no odometry" in stage.status()["degraded"]
    found = grids(stage.push("tf", moved(6, 1.0)))
    assert [grid.header.frame_id for grid in found] == ["odom"] * 3
    assert "degraded" not in stage.status()


def test_odometry_that_jumps_clears_what_was_remembered() -> None:
    stage = make()
    for k in range(3):
        stage.push("tf", moved(k, 0.1 * k))
        stage.push("points", cloud(k, 8.05 - 0.1 * k))
    stage.push("tf", moved(3, 9.0))
    (grid,) = grids(stage.push("points", cloud(3, 8.05)))
    assert stage.status()["odometry_jumps"] == "1"
    assert occupied_xy(grid)[:, 0].min() > 16.0, "the wall of before the jump is gone"


def test_time_that_jumps_back_starts_afresh() -> None:
    stage = make()
    graph = Graph([stage])
    stage.push("tf", moved(50))
    assert len(grids(stage.push("points", cloud(50)))) == 1
    graph.reset()
    stage.push("tf", moved(0, 3.0))
    (grid,) = grids(stage.push("points", cloud(0)))
    assert grid.header == Header(stamp(0), "odom")
    assert occupied_xy(grid)[:, 0].min() > 10.5


def test_one_scan_a_second_leaves_nothing_older_than_its_lifetime() -> None:
    stage = make()
    for k in range(0, 130, 10):
        stage.push("tf", moved(k))
        (grid,) = grids(stage.push("points", cloud(k, 8.05 if k == 0 else 6.05)))
    x = occupied_xy(grid)[:, 0]
    assert x.min() > 5.9
    assert x.max() < 6.3, "the wall of 12 s ago is hidden behind the near one, and forgotten"


def test_an_empty_cloud_is_an_unknown_grid() -> None:
    stage = make()
    empty = PointCloud(Header(stamp(0), "velodyne"), np.zeros((0, 3), np.float32))
    outputs = dict(stage.push("points", empty))
    assert (outputs["grid"].cells >= 50).sum() == 0
    assert isinstance(outputs["scan"], RangeScan)
    assert np.isnan(outputs["scan"].ranges_m).all()
    assert isinstance(outputs["free_space"], Polygon)


def test_labels_are_paired_by_stamp_and_waited_for_while_they_come() -> None:
    stage = make()

    def labelled(index: int) -> LabelledCloud:
        scan = cloud(index)
        road = np.full(len(scan), POINT_LABELS.index("road"), np.uint8)
        return LabelledCloud(scan, road, POINT_LABELS)

    stage.push("segmentation", labelled(0))
    assert len(grids(stage.push("points", cloud(0)))) == 1
    assert stage.status()["ground"] == "labels"
    assert grids(stage.push("points", cloud(1))) == []
    assert len(grids(stage.push("segmentation", labelled(1)))) == 1
    late = [grid for k in range(2, 6) for grid in grids(stage.push("points", cloud(k)))]
    assert len(late) == 1
    assert stage.status()["ground"] == "estimated"
    assert "no labels" in stage.status()["degraded"]


def test_objects_are_paired_by_stamp_and_waited_for_while_they_come() -> None:
    stage = make()

    def car(index: int) -> Detections3D:
        return Detections3D(
            cloud(index).header.in_frame("base_link"),
            np.array([[13.0, 6.0, 0.8]], np.float32),
            np.array([[4.0, 2.0, 1.6]], np.float32),
            np.zeros(1, np.float32),
            np.full(1, 0.9, np.float32),
            np.zeros(1, np.int32),
            OBJECT_LABELS,
        )

    stage.push("detections", car(0))
    ((first,),) = [grids(stage.push("points", cloud(0)))]
    assert grids(stage.push("points", cloud(1))) == []
    ((second,),) = [grids(stage.push("detections", car(1)))]
    alone = make()
    ((bare,),) = [grids(alone.push("points", cloud(0)))]
    solid = 10 * 20  # cells of the car, and some that it touches
    for grid in (first, second):
        more = (grid.cells >= 50).sum() - (bare.cells >= 50).sum()
        assert 0.8 * solid < more < 1.4 * solid
    late = [grid for k in range(2, 6) for grid in grids(stage.push("points", cloud(k)))]
    assert len(late) == 1
    assert stage.status()["objects_late"] == "1"


def test_a_cloud_without_a_place_on_the_vehicle_is_a_counted_drop() -> None:
    stage = OccupancyMapperStage(OccupancyMapperStageConfig(**SMALL))  # type: ignore[arg-type]
    assert list(stage.push("points", cloud(0))) == []
    assert list(stage.flush()) == []
    assert stage.drops == {DropCause.TRANSFORM: 1}
    assert "velodyne" in stage.last_error


def test_several_lidars_see_into_one_grid() -> None:
    stage = make(lidars=("top", "rear"))
    assert stage.outputs[0].topic == "/perception/occupancy/grid"
    stage.push("tf", moved(0))
    stage.push("top/points", cloud(0, 6.05))
    (grid,) = grids(stage.push("rear/points", cloud(0, 6.05)))
    assert (grid.cells >= 50).any()


def test_a_lidar_whose_scans_come_a_little_later_takes_nothing_from_the_grid() -> None:
    stage = make(lidars=("top", "rear"))
    stage.push("tf", moved(0))
    for k in range(1, 4):
        stage.push("tf", moved(k))
        (seen,) = grids(stage.push("top/points", cloud(k)))
        header = Header(stamp(k) - 5 * MS, "velodyne")
        nothing = PointCloud(header, np.zeros((0, 3), np.float32))
        (grid,) = grids(stage.push("rear/points", nothing))
    assert (seen.cells >= 50).sum() > 10
    np.testing.assert_array_equal(grid.cells, seen.cells)
