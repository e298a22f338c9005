"""SemanticKITTI's layout: written by hand, and the real scan."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.datasets.semantic_kitti import (
    LEARNING_MAP,
    point_class_lut,
    read_base_poses,
    read_partial_scan,
    read_semantic_kitti,
    semantic_kitti_scans,
)
from spatial_perception.errors import DatasetError
from test.datasets.real_data import unpacked


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sequences" / "04"
    for name in ("velodyne", "labels"):
        (folder / name).mkdir(parents=True)
    points = np.array([[1, 2, -1.73, 0.1], [3, 4, 0, 0.2], [5, 6, 1, 0.3]], np.float32)
    points.tofile(folder / "velodyne" / "000000.bin")
    labels = np.array([40, 252 | 7 << 16, 1], np.uint32)  # road, moving car no. 7, outlier
    labels.tofile(folder / "labels" / "000000.label")
    return tmp_path


def test_labels_become_the_nine_classes(root: Path) -> None:
    [path] = semantic_kitti_scans(root, "04")
    scan = read_semantic_kitti(path)
    assert [scan.label_set.name(int(label)) for label in scan.labels] == [
        "road",
        "vehicle",
        "unlabeled",
    ]
    assert scan.cloud.points[0, 2] == pytest.approx(0.0, abs=1e-6)


def test_the_class_table_is_the_one_of_the_design() -> None:
    lut = point_class_lut()
    names = ["unlabeled" if lut[i] == 255 else POINT_LABELS.names[lut[i]] for i in range(20)]
    assert names == [
        "unlabeled", "vehicle", "two_wheeler", "two_wheeler", "vehicle", "vehicle", "person",
        "two_wheeler", "two_wheeler", "road", "road", "sidewalk", "road", "building", "building",
        "vegetation", "vegetation", "terrain", "pole", "pole",
    ]  # fmt: skip
    assert len(LEARNING_MAP) == 34


def test_labels_of_another_length_are_refused(root: Path) -> None:
    path = root / "sequences" / "04" / "labels" / "000000.label"
    path.write_bytes(path.read_bytes()[:8])
    with pytest.raises(DatasetError, match="2 labels for 3 points"):
        read_semantic_kitti(semantic_kitti_scans(root, "04")[0])


def test_points_that_are_no_numbers_go_with_their_labels(root: Path) -> None:
    path = root / "sequences" / "04" / "velodyne" / "000000.bin"
    rows = np.fromfile(path, np.float32)
    rows[1] = np.nan
    rows.tofile(path)
    scan = read_semantic_kitti(path)
    assert [scan.label_set.name(int(label)) for label in scan.labels] == ["vehicle", "unlabeled"]
    assert scan.cloud.points[:, 0].tolist() == [3, 5]


def test_a_sequence_without_labels_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no scans"):
        semantic_kitti_scans(tmp_path, "00")


def test_poses_are_those_of_base_link(root: Path) -> None:
    folder = root / "sequences" / "04"
    (folder / "calib.txt").write_text("P0: 1\nTr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n")
    identity, ahead = "1 0 0 0 0 1 0 0 0 0 1 0", "1 0 0 0 0 1 0 0 0 0 1 5"
    (folder / "poses.txt").write_text(f"{identity}\n{ahead}\n")
    first, second = read_base_poses(folder)
    np.testing.assert_allclose(first.translation, 0.0, atol=1e-9)
    np.testing.assert_allclose(second.translation, [5.0, 0.0, 0.0], atol=1e-9)


def test_partial_scans_leave_unknown_points_unlabeled(tmp_path: Path) -> None:
    xyz = np.zeros((3, 3), np.float32)
    labels = np.array([9, 255, 0], np.uint8)
    np.savez(tmp_path / "a.npz", xyz=xyz, intensity=np.full(3, np.nan, np.float32), label=labels)
    scan = read_partial_scan(tmp_path / "a.npz")
    assert scan.labels.tolist() == [0, 255, 255]
    assert scan.cloud.intensity == pytest.approx([0, 0, 0])
    with pytest.raises(DatasetError, match="b.npz"):
        read_partial_scan(tmp_path / "b.npz")


def test_partial_scans_lose_points_that_are_no_numbers(tmp_path: Path) -> None:
    xyz = np.array([[np.nan, 0, 0], [1, 2, 3]], np.float32)
    labels = np.array([9, 17], np.uint8)
    np.savez(tmp_path / "a.npz", xyz=xyz, intensity=np.zeros(2, np.float32), label=labels)
    scan = read_partial_scan(tmp_path / "a.npz")
    assert scan.cloud.points[:, 0].tolist() == [1]
    assert [scan.label_set.name(int(label)) for label in scan.labels] == ["terrain"]


@pytest.mark.parametrize("labels", [np.array([9, 300]), np.array([9]), np.array([-1, 9])])
def test_partial_scans_with_other_labels_are_refused(tmp_path: Path, labels: np.ndarray) -> None:
    xyz = np.zeros((2, 3), np.float32)
    np.savez(tmp_path / "a.npz", xyz=xyz, intensity=np.zeros(2, np.float32), label=labels)
    with pytest.raises(DatasetError, match="a.npz"):
        read_partial_scan(tmp_path / "a.npz")


@pytest.mark.filterwarnings("ignore:loadtxt")
def test_an_empty_list_of_poses_is_one_clear_line(root: Path) -> None:
    folder = root / "sequences" / "04"
    (folder / "calib.txt").write_text("Tr: 0 -1 0 0 0 0 -1 0 1 0 0 0\n")
    (folder / "poses.txt").write_text("")
    with pytest.raises(DatasetError, match="poses.txt is empty"):
        read_base_poses(folder)


def test_the_real_scan_has_its_road_at_height_zero(tmp_path: Path) -> None:
    root = unpacked("semantickitti_seq00", tmp_path)
    scan = read_semantic_kitti(semantic_kitti_scans(root, "00")[0])
    points, labels = scan.cloud.points, scan.labels
    near = (labels == 0) & (np.hypot(points[:, 0], points[:, 1]) < 15)
    assert np.median(points[near, 2]) == pytest.approx(0.0, abs=0.15)
    assert len(points) == 124668
    poses = read_base_poses(root / "sequences" / "00")
    assert len(poses) == 21
    assert poses[1].translation[0] == pytest.approx(0.67, abs=0.3)
