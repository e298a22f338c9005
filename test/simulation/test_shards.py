from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.shards import FREE, SimulatedScan, read_shard, shard_files
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.lidar_models import lidar_model
from spatial_perception.simulation.shards import shard_bytes, simulate_scene, write_shards

_VEHICLE = POINT_LABELS.index("vehicle")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    write_shards(folder / "train", [3, 4], "beam32")
    return folder


@pytest.fixture(scope="module")
def scan(root: Path) -> SimulatedScan:
    return read_shard(shard_files(root, "train")[0])


def test_equal_seeds_give_equal_bytes(root: Path) -> None:
    again = shard_bytes(simulate_scene(3, lidar_model("beam32")))

    assert again == shard_files(root, "train")[0].read_bytes()


def test_other_seeds_give_other_scenes(root: Path) -> None:
    first, second = (read_shard(p) for p in shard_files(root, "train"))

    assert len(first.points) != len(second.points)


def test_points_of_an_instance_lie_in_its_box_and_are_counted(scan: SimulatedScan) -> None:
    inside = 0
    for k, box in enumerate(scan.boxes.astype(float)):
        mine = scan.points[scan.instances == k + 1].astype(float)
        assert len(mine) == scan.box_hits[k]
        local = Pose.from_yaw(box[6], box[:3]).inverse().apply(mine)
        inside += int((np.abs(local) < box[3:6] / 2 + 0.12).all(1).sum())

    assert inside > 0.96 * scan.box_hits.sum() > 100


def test_classes_of_points_fit_the_classes_of_their_boxes(scan: SimulatedScan) -> None:
    of_cars = np.flatnonzero(scan.box_labels == OBJECT_LABELS.index("car")) + 1

    assert (scan.labels[np.isin(scan.instances, of_cars)] == _VEHICLE).all()
    assert not np.isin(scan.labels[scan.instances == 0], [_VEHICLE]).any()


def test_ground_near_the_vehicle_lies_at_height_zero(scan: SimulatedScan) -> None:
    road = scan.points[scan.labels == POINT_LABELS.index("road")]
    near = road[np.hypot(road[:, 0], road[:, 1]) < 12]

    assert abs(np.median(near[:, 2])) < 0.15


def test_voxels_agree_with_the_points(scan: SimulatedScan) -> None:
    assert scan.voxels is not None
    cell = np.floor((scan.points - scan.voxels.origin_m) / scan.voxels.voxel_size_m).astype(int)
    shape = scan.voxels.labels.shape
    inside = ((cell >= 0) & (cell < shape[::-1])).all(1) & (scan.labels < len(POINT_LABELS))
    x, y, z = cell[inside].T
    labels = scan.voxels.labels[z, y, x]

    assert (labels == scan.labels[inside]).mean() > 0.85
    assert (labels == FREE).mean() < 0.05
    assert scan.voxels.visible[z, y, x].mean() > 0.8


def test_shards_that_are_there_stay(root: Path) -> None:
    path = shard_files(root, "train")[0]
    before = path.stat().st_mtime_ns
    done: list[int] = []
    write_shards(root / "train", [3], "beam32", progress=done.append)

    assert path.stat().st_mtime_ns == before
    assert done == [1]


def test_unknown_sensor_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no LiDAR sensor"):
        write_shards(tmp_path, [1], "hdl46")
