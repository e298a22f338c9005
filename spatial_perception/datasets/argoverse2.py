"""Argoverse 2 sensor logs (Wilson et al., 2021): LiDAR sweeps and boxes in feather files.

LOG/{annotations.feather, sensors/lidar/TIMESTAMP.feather}, in the frame of the rear axle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spatial_perception.core.header import Header
from spatial_perception.core.labels import OBJECT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.errors import DatasetError

AXLE_HEIGHT_M = 0.33
"""The rear axle over the ground."""

OBJECT_CLASSES = {
    "REGULAR_VEHICLE": "car", "LARGE_VEHICLE": "truck", "BUS": "truck", "BOX_TRUCK": "truck",
    "TRUCK": "truck", "TRUCK_CAB": "truck", "SCHOOL_BUS": "truck", "ARTICULATED_BUS": "truck",
    "PEDESTRIAN": "pedestrian", "BICYCLIST": "cyclist", "MOTORCYCLIST": "cyclist",
}  # fmt: skip
"""Category -> name in `OBJECT_LABELS`; every other category is no truth of ours."""

_SWEEP = ("x", "y", "z", "intensity", "laser_number")
_BOXES = (
    "timestamp_ns", "category", "tx_m", "ty_m", "tz_m", "qw", "qx", "qy", "qz", "length_m",
    "width_m", "height_m", "num_interior_pts",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ArgoverseSweep:
    """One sweep with its boxes, base_link.

    Args:
        cloud: The scan; the header holds the sweep's time.
        boxes: (M, 7) float64 x y z l w h yaw.
        labels: (M,) int64 index in `OBJECT_LABELS`, 255 for other categories.
        hits: (M,) int64 points on each object.
        categories: M names as they stand in the file.
    """

    cloud: PointCloud
    boxes: np.ndarray
    labels: np.ndarray
    hits: np.ndarray
    categories: tuple[str, ...]


def argoverse2_sweeps(root: Path) -> list[Path]:
    """The sweeps of all logs in `root`, or of the log that `root` itself is.

    Raises:
        DatasetError: If there are none.
    """
    pattern = "sensors/lidar/*.feather"
    found = sorted(root.glob(pattern)) or sorted(root.glob(f"*/{pattern}"))
    if not found:
        raise DatasetError(f"{root}: holds no logs with sensors/lidar/*.feather")
    return found


def read_argoverse2(sweep_path: Path) -> ArgoverseSweep:
    """One sweep and the boxes annotated at its time.

    Raises:
        DatasetError: If a file is missing or damaged, or pyarrow is not installed.
    """
    log = sweep_path.parents[2]
    if not sweep_path.stem.isdecimal():
        raise DatasetError(f"{sweep_path}: expected a name TIMESTAMP.feather")
    stamp_ns = int(sweep_path.stem)
    sweep = _read_feather(sweep_path, _SWEEP)
    lift = np.array([0.0, 0.0, AXLE_HEIGHT_M], np.float32)
    points = np.column_stack([sweep[axis].astype(np.float32) for axis in "xyz"]) + lift
    intensity = sweep["intensity"].astype(np.float32) / 255.0
    ring = sweep["laser_number"].astype(np.uint16)
    kept = np.isfinite(points).all(axis=1)
    cloud = PointCloud(Header(stamp_ns, "base_link"), points[kept], intensity[kept], ring[kept])

    table = _read_feather(log / "annotations.feather", _BOXES)
    now = table["timestamp_ns"] == stamp_ns
    table = {name: column[now] for name, column in table.items()}
    yaws = np.arctan2(
        2.0 * (table["qw"] * table["qz"] + table["qx"] * table["qy"]),
        1.0 - 2.0 * (table["qy"] ** 2 + table["qz"] ** 2),
    )
    columns = [table[name] for name in ("tx_m", "ty_m")] + [table["tz_m"] + AXLE_HEIGHT_M]
    columns += [table[name] for name in ("length_m", "width_m", "height_m")]
    categories = tuple(str(name) for name in table["category"])
    names = [OBJECT_CLASSES.get(category) for category in categories]
    labels = [UNLABELED if name is None else OBJECT_LABELS.index(name) for name in names]
    return ArgoverseSweep(
        cloud,
        np.column_stack([*columns, yaws]).astype(np.float64),
        np.array(labels, np.int64),
        table["num_interior_pts"].astype(np.int64),
        categories,
    )


def _read_feather(path: Path, columns: tuple[str, ...]) -> dict[str, Any]:
    """Some columns of a feather file as numpy arrays, by name."""
    try:
        from pyarrow import feather
    except ImportError as error:
        raise DatasetError(f"{path}: reading it needs pyarrow: pip install pyarrow") from error
    try:
        table = feather.read_table(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: not a readable feather file: {error}") from error
    if missing := set(columns) - set(table.column_names):
        raise DatasetError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
    return {name: table[name].to_numpy() for name in columns}
