"""KITTI's and View-of-Delft's layouts: written by hand, and real frames."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core.boxes import points_in_boxes
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.datasets.kitti_object import (
    OBJECT_CLASSES,
    kitti_frames,
    read_kitti_frame,
)
from spatial_perception.errors import DatasetError
from test.datasets.real_data import unpacked

CALIBRATION = """P0: 1 0 0 0 0 1 0 0 0 0 1 0
P2: 700 0 600 0 0 700 200 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 -0.08 1 0 0 -0.27
"""
# Ten metres ahead of the camera, 2 m to its right, driving away (heading -x of the camera's turn).
LABELS = """Car 0.00 0 -1.57 100 150 300 250 1.5 1.8 4.2 2.0 1.65 10.0 -1.5707963
DontCare -1 -1 -10 500 160 520 170 -1 -1 -1 -1000 -1000 -1000 -10
Van 0.30 2 0 1 2 3 4 2.0 1.9 5.0 -3.0 1.65 20.0 0.0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    for name in ("velodyne", "calib", "label_2"):
        (folder / name).mkdir(parents=True)
    points = np.array([[10.0, 0, -1.73, 0.3], [np.nan, 0, 0, 0], [5, 5, 0, 0.9]], np.float32)
    points.tofile(folder / "velodyne" / "000007.bin")
    (folder / "calib" / "000007.txt").write_text(CALIBRATION)
    (folder / "label_2" / "000007.txt").write_text(LABELS)
    return tmp_path


def test_points_come_in_base_link_without_the_invalid_ones(root: Path) -> None:
    frame = read_kitti_frame(root, "000007")
    np.testing.assert_allclose(frame.cloud.points, [[10, 0, 0], [5, 5, 1.73]], atol=1e-6)
    assert frame.cloud.header.frame_id == "base_link"


def test_a_label_becomes_the_box_a_hand_calculation_gives(root: Path) -> None:
    objects = read_kitti_frame(root, "000007").objects
    assert objects is not None
    # Camera z 10 + 0.27 ahead of the LiDAR; x 2 to the right; bottom at y = 1.65 below the camera,
    # which is 0.08 below the LiDAR, itself 1.73 over the ground: 0.0 m; a height of 1.5 m.
    np.testing.assert_allclose(objects.boxes[0], [10.27, -2.0, 0.75, 4.2, 1.8, 1.5, 0.0], atol=1e-6)
    assert objects.boxes[2, 6] == pytest.approx(-np.pi / 2)
    assert objects.types == ("Car", "DontCare", "Van")
    assert objects.occluded.tolist() == [0, -1, 2]


def test_only_our_classes_are_labelled(root: Path) -> None:
    objects = read_kitti_frame(root, "000007").objects
    assert objects is not None
    assert objects.labels(OBJECT_CLASSES, OBJECT_LABELS.names).tolist() == [0, 255, 255]


def test_points_project_where_the_pinhole_says(root: Path) -> None:
    calibration = read_kitti_frame(root, "000007").calibration
    pixels, depth = calibration.project(np.array([[10.27, -2.0, 0.0]]))
    assert depth == pytest.approx([10.0])
    assert pixels[0] == pytest.approx([600 + 700 * 0.2, 200 + 700 * 0.165])


def test_a_frame_without_labels_has_no_objects(root: Path) -> None:
    (root / "training" / "label_2" / "000007.txt").unlink()
    assert read_kitti_frame(root, "000007").objects is None
    assert kitti_frames(root) == ["000007"]


@pytest.mark.parametrize("name", ["velodyne/000007.bin", "calib/000007.txt"])
def test_a_missing_file_is_named(root: Path, name: str) -> None:
    (root / "training" / name).unlink()
    with pytest.raises(DatasetError, match="000007"):
        read_kitti_frame(root, "000007")


@pytest.mark.parametrize(
    ("name", "content"),
    [("velodyne/000007.bin", b"12345678"), ("calib/000007.txt", b"P2: 1 2 3"),
     ("label_2/000007.txt", b"Car 0 zero"), ("label_2/000007.txt", b"Caf\xe9 0 0"),
     ("label_2/000007.txt", b"Car 0 0 0 1 2 3 4 1 1 1 1 1 1\n" * 14),
     ("label_2/000007.txt", b"Car 0 0 0 1 2 3 4 1 1 1 1 1 nan 0\n")],
)  # fmt: skip
def test_a_damaged_file_is_named(root: Path, name: str, content: bytes) -> None:
    (root / "training" / name).write_bytes(content)
    with pytest.raises(DatasetError, match="000007"):
        read_kitti_frame(root, "000007")


def test_no_scans_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no scans"):
        kitti_frames(tmp_path)


def test_boxes_of_real_kitti_frames_hold_the_points_of_the_objects(tmp_path: Path) -> None:
    root = unpacked("kitti_object_8", tmp_path)
    names = kitti_frames(root)
    assert len(names) == 8
    frame = read_kitti_frame(root, "000000")
    assert frame.objects is not None
    assert frame.objects.types == ("Pedestrian",)
    assert points_in_boxes(frame.cloud.points, frame.objects.boxes).sum() > 300


def test_boxes_of_a_real_delft_frame_turn_about_the_lidar(tmp_path: Path) -> None:
    root = unpacked("vod_frame", tmp_path)
    frame = read_kitti_frame(root, "00549", "vod")
    assert frame.objects is not None
    inside = points_in_boxes(frame.cloud.points, frame.objects.boxes).sum(axis=0)
    cyclists = inside[[kind == "Cyclist" for kind in frame.objects.types]]
    assert len(cyclists) == 3
    assert cyclists.min() > 200
