"""Labelled range images of two real sensors in one npz file: SENSOR_xyzi and SENSOR_label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_perception.core.header import Header
from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.datasets.npz import open_npz
from spatial_perception.datasets.semantic_kitti import POINT_CLASSES as KITTI_CLASSES
from spatial_perception.errors import DatasetError

NUSCENES_CLASSES = {
    0: "road", 1: "sidewalk", 2: "building", 3: "pole", 4: "vegetation", 5: "person",
    6: "two_wheeler", 7: "vehicle", 8: "vehicle", 9: "vehicle",
}  # fmt: skip
"""Label in the nuScenes range images -> name in `POINT_LABELS`; 10 is unlabeled."""


@dataclass(frozen=True, slots=True)
class RangeSensor:
    """One sensor's images in the file: classes, and its height over the ground."""

    classes: dict[int, str]
    height_m: float


SENSORS = {
    "semantic_kitti": RangeSensor(KITTI_CLASSES, 1.73),
    "nuscenes": RangeSensor(NUSCENES_CLASSES, 1.84),
}


def read_range_images(path: Path, sensor: str) -> list[LabelledCloud]:
    """The scans of one sensor in base_link; pixels without return are left out, rings are rows.

    Args:
        path: The npz file.
        sensor: A name in `SENSORS`.

    Raises:
        DatasetError: If the file is missing or damaged, or lacks the sensor.
    """
    if sensor not in SENSORS:
        raise DatasetError(f"no sensor '{sensor}', choose one of: {', '.join(SENSORS)}")
    with open_npz(path, f"a file with range images of '{sensor}'") as arrays:
        images, labels = arrays[f"{sensor}_xyzi"], arrays[f"{sensor}_label"]
    if images.ndim != 4 or images.shape[:3] != labels.shape or images.shape[3] != 4:
        raise DatasetError(
            f"{path}: expected (N, H, W, 4) and (N, H, W), got {images.shape} and {labels.shape}"
        )
    return [_cloud(i, t, SENSORS[sensor]) for i, t in zip(images, labels, strict=True)]


def _cloud(image: np.ndarray, labels: np.ndarray, sensor: RangeSensor) -> LabelledCloud:
    lut = np.full(256, UNLABELED, np.uint8)
    for label, name in sensor.classes.items():
        lut[label] = POINT_LABELS.index(name)
    returned = np.isfinite(image).all(axis=2) & (np.abs(image[..., :3]).sum(axis=2) > 0)
    ring = np.nonzero(returned)[0].astype(np.uint16)
    values = image[returned].astype(np.float32)
    points = values[:, :3] + np.array([0.0, 0.0, sensor.height_m], np.float32)
    cloud = PointCloud(Header(0, "base_link"), points, np.ascontiguousarray(values[:, 3]), ring)
    return LabelledCloud(cloud, lut[labels[returned].astype(np.uint8)], POINT_LABELS)
