"""LiDAR scans with a class for every point, by name, whatever data set they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.datasets.npz import open_npz
from spatial_perception.datasets.range_images import SENSORS, read_range_images
from spatial_perception.datasets.semantic_kitti import (
    read_partial_scan,
    read_semantic_kitti,
    semantic_kitti_scans,
)
from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.errors import DatasetError

ALL = "all"
PARTIAL = "partial"


@dataclass(frozen=True, slots=True, eq=False)
class PointScanSource:
    """A labelled scan in base_link by name, read when asked for; labels of `POINT_LABELS`."""

    name: str
    read: Callable[[], LabelledCloud] = field(repr=False)


def simulated_scans(root: Path, split: Literal["train", "val"]) -> list[PointScanSource]:
    """Simulated shards.

    Raises:
        DatasetError: If there are none.
    """
    return [
        PointScanSource(path.stem, partial(_simulated, path)) for path in shard_files(root, split)
    ]


def labelled_sequences(root: Path) -> list[str]:
    """The sequences of SemanticKITTI that have labels.

    Raises:
        DatasetError: If there are none.
    """
    folder = root / "sequences"
    sequences = sorted(path.parent.name for path in folder.glob("*/labels"))
    if not sequences:
        raise DatasetError(f"{folder}: holds no sequences NN/labels and NN/velodyne")
    return sequences


def kitti_point_scans(root: Path, split: str) -> list[PointScanSource]:
    """SemanticKITTI: "all" labelled sequences, one of them, or "partial", `root`/partial/*.npz.

    Raises:
        DatasetError: If there are none.
    """
    if split == PARTIAL:
        paths = sorted((root / PARTIAL).glob("*.npz"))
        if not paths:
            raise DatasetError(f"{root / PARTIAL}: holds no scans (*.npz)")
        return [PointScanSource(path.stem, partial(read_partial_scan, path)) for path in paths]
    return [
        PointScanSource(f"{sequence}/{path.stem}", partial(read_semantic_kitti, path))
        for sequence in (labelled_sequences(root) if split == ALL else [split])
        for path in semantic_kitti_scans(root, sequence)
    ]


def range_image_scans(root: Path, split: str) -> list[PointScanSource]:
    """Range images of "all" sensors, or of one; `root` is the npz file or the folder that holds it.

    Raises:
        DatasetError: If there are none.
    """
    files = sorted(root.glob("*.npz")) if root.is_dir() else [root]
    if not files:
        raise DatasetError(f"{root}: holds no range images (*.npz)")
    return [
        PointScanSource(f"{sensor}/{path.stem}/{index:03d}", partial(_held, scan))
        for path in files
        for sensor in (_sensors(path) if split == ALL else [split])
        for index, scan in enumerate(read_range_images(path, sensor))
    ]


def _sensors(path: Path) -> list[str]:
    """The sensors whose range images are in the file."""
    with open_npz(path, "a readable npz file") as arrays:
        found = [sensor for sensor in SENSORS if f"{sensor}_xyzi" in arrays.files]
    if not found:
        raise DatasetError(f"{path}: no range images of {' or '.join(SENSORS)}")
    return found


def _held(scan: LabelledCloud) -> LabelledCloud:
    return scan


def _simulated(path: Path) -> LabelledCloud:
    return read_shard(path, with_voxels=False).cloud()
