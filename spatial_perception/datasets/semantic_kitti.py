"""SemanticKITTI (Behley et al., 2019): a class for every point of KITTI's odometry scans.

ROOT/sequences/NN/{velodyne,labels}/*.{bin,label} with calib.txt and poses.txt; beside it, scans of
which only a part is labelled may stand as npz files with xyz, intensity and label.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spatial_perception.core.checks import check_lengths
from spatial_perception.core.header import Header
from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.kitti_object import LIDAR_HEIGHT_M, read_velodyne_rows
from spatial_perception.datasets.npz import open_npz
from spatial_perception.errors import DatasetError

LEARNING_MAP = {
    0: 0, 1: 0, 10: 1, 11: 2, 13: 5, 15: 3, 16: 5, 18: 4, 20: 5, 30: 6, 31: 7, 32: 8, 40: 9,
    44: 10, 48: 11, 49: 12, 50: 13, 51: 14, 52: 0, 60: 9, 70: 15, 71: 16, 72: 17, 80: 18, 81: 19,
    99: 0, 252: 1, 253: 7, 254: 6, 255: 8, 256: 5, 257: 5, 258: 4, 259: 5,
}  # fmt: skip
"""Raw label -> 0..19 of the benchmark, as published with the data set."""

POINT_CLASSES = {
    9: "road", 10: "road", 12: "road", 11: "sidewalk", 17: "terrain", 13: "building",
    14: "building", 15: "vegetation", 16: "vegetation", 18: "pole", 19: "pole", 1: "vehicle",
    4: "vehicle", 5: "vehicle", 6: "person", 2: "two_wheeler", 3: "two_wheeler",
    7: "two_wheeler", 8: "two_wheeler",
}  # fmt: skip
"""0..19 of the benchmark -> name in `POINT_LABELS`; 0 is unlabeled."""


def point_class_lut() -> np.ndarray:
    """(256,) uint8: 0..19 of the benchmark -> index in `POINT_LABELS`, 255 for the rest."""
    lut = np.full(256, UNLABELED, np.uint8)
    for label, name in POINT_CLASSES.items():
        lut[label] = POINT_LABELS.index(name)
    return lut


def semantic_kitti_scans(root: Path, sequence: str) -> list[Path]:
    """The scans of a sequence that have labels.

    Raises:
        DatasetError: If there are none.
    """
    folder = root / "sequences" / sequence
    scans = sorted((folder / "velodyne").glob("*.bin"))
    found = [scan for scan in scans if _label_path(scan).is_file()]
    if not found:
        raise DatasetError(
            f"{folder}: holds no scans (velodyne/*.bin) with labels (labels/*.label)"
        )
    return found


def read_semantic_kitti(scan_path: Path) -> LabelledCloud:
    """A scan in base_link with the nine classes of `POINT_LABELS`.

    Raises:
        DatasetError: If a file is missing or damaged, or the two differ in length.
    """
    rows = read_velodyne_rows(scan_path)
    label_path = _label_path(scan_path)
    try:
        raw = np.fromfile(label_path, np.uint32) & 0xFFFF
    except OSError as error:
        raise DatasetError(f"{label_path}: cannot read: {error.strerror}") from error
    if len(raw) != len(rows):
        raise DatasetError(f"{label_path}: {len(raw)} labels for {len(rows)} points")
    finite = np.isfinite(rows).all(axis=1)
    rows, raw = rows[finite], raw[finite]
    learning = np.zeros(0x10000, np.uint8)
    learning[list(LEARNING_MAP)] = list(LEARNING_MAP.values())
    return _labelled(rows[:, :3], np.ascontiguousarray(rows[:, 3]), learning[raw])


def read_partial_scan(path: Path) -> LabelledCloud:
    """A partly labelled scan of an npz file (xyz, intensity, label 0..19 or 255).

    Points that are not finite are left out.

    Raises:
        DatasetError: If the file is missing, lacks an array, or holds other labels.
    """
    with open_npz(path, "a partly labelled scan") as arrays:
        points, labels = arrays["xyz"].astype(np.float32), arrays["label"]
        intensity = np.nan_to_num(arrays["intensity"]).astype(np.float32)
        check_lengths(xyz=points, intensity=intensity, label=labels)
        if labels.size and not 0 <= labels.min() <= labels.max() <= UNLABELED:
            raise ValueError(f"labels from {labels.min()} to {labels.max()}")
        finite = np.isfinite(points).all(axis=1)
        return _labelled(points[finite], intensity[finite], labels[finite])


def read_base_poses(sequence_folder: Path) -> list[Pose]:
    """Pose of base_link at each scan of a sequence, in that of the first one.

    Raises:
        DatasetError: If calib.txt or poses.txt is missing or damaged.
    """
    try:
        calibration = (sequence_folder / "calib.txt").read_text(encoding="utf-8").splitlines()
        row = next(line for line in calibration if line.startswith("Tr"))
        camera_from_lidar = _pose(np.array(row.split(":")[1].split(), np.float64))
        rows = np.loadtxt(sequence_folder / "poses.txt", ndmin=2)
        world_from_camera = [_pose(values) for values in rows if rows.size]
        if not world_from_camera:
            raise ValueError("poses.txt is empty")
    except (OSError, StopIteration, ValueError, IndexError) as error:
        raise DatasetError(f"{sequence_folder}: no calib.txt and poses.txt: {error}") from error
    lidar_from_base = Pose(np.eye(3), np.array([0.0, 0.0, -LIDAR_HEIGHT_M["kitti"]]))
    camera_from_base = camera_from_lidar @ lidar_from_base
    start = (world_from_camera[0] @ camera_from_base).inverse()
    return [start @ pose @ camera_from_base for pose in world_from_camera]


def _pose(values: np.ndarray) -> Pose:
    matrix = values.reshape(3, 4)
    return Pose(matrix[:, :3].copy(), matrix[:, 3].copy())


def _label_path(scan_path: Path) -> Path:
    return scan_path.parent.parent / "labels" / f"{scan_path.stem}.label"


def _labelled(points: np.ndarray, intensity: np.ndarray, learning: np.ndarray) -> LabelledCloud:
    points = points + np.array([0.0, 0.0, LIDAR_HEIGHT_M["kitti"]], np.float32)
    cloud = PointCloud(Header(0, "base_link"), points, intensity)
    return LabelledCloud(cloud, point_class_lut()[learning], POINT_LABELS)
