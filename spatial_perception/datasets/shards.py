"""Simulated training shards: one compressed npz a scan, with points, boxes and complete voxels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_perception.core.checks import check_array, check_lengths
from spatial_perception.core.detections import Detections3D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.datasets.npz import open_npz
from spatial_perception.errors import DatasetError

SUFFIX = ".npz"
FREE = 254
"""Label of a voxel known to be empty; 255 is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class VoxelTruth:
    """The complete semantic voxels of a scene.

    Args:
        labels: (Z, Y, X) uint8 index in `POINT_LABELS`, 254 free, 255 unknown.
        visible: (Z, Y, X) bool, where a prediction is judged.
        origin_m: (3,) float64, x y z of the corner of voxel (0, 0, 0), base_link.
        voxel_size_m: (3,) float64, x y z.
    """

    labels: np.ndarray
    visible: np.ndarray
    origin_m: np.ndarray
    voxel_size_m: np.ndarray

    def __post_init__(self) -> None:
        check_array("labels", self.labels, (None, None, None), np.uint8)
        check_array("visible", self.visible, self.labels.shape, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedScan:
    """One simulated scan with all that is true about it.

    Args:
        points: (N, 3) float32, metres, base_link.
        intensity: (N,) float32.
        labels: (N,) uint8 index in `POINT_LABELS`, 255 = unlabeled.
        instances: (N,) uint16, 0 = no object.
        boxes: (M, 7) float32 x y z l w h yaw, z of the centre, base_link.
        box_labels: (M,) uint8 index in `OBJECT_LABELS`.
        box_hits: (M,) int32 points on each object.
        voxels: The complete scene, or None where the shard has none.
    """

    points: np.ndarray
    intensity: np.ndarray
    labels: np.ndarray
    instances: np.ndarray
    boxes: np.ndarray
    box_labels: np.ndarray
    box_hits: np.ndarray
    voxels: VoxelTruth | None

    def __post_init__(self) -> None:
        check_array("points", self.points, (None, 3), np.float32)
        check_array("boxes", self.boxes, (None, 7), np.float32)
        check_lengths(points=self.points, labels=self.labels, instances=self.instances)
        check_lengths(boxes=self.boxes, box_labels=self.box_labels, box_hits=self.box_hits)

    def cloud(self) -> LabelledCloud:
        """The scan as a core type, stamp 0, frame base_link."""
        cloud = PointCloud(Header(0, "base_link"), self.points, self.intensity)
        return LabelledCloud(cloud, self.labels, POINT_LABELS)

    def detections(self) -> Detections3D:
        """The true boxes as a core type, with score 1."""
        return Detections3D(
            Header(0, "base_link"),
            self.boxes[:, :3],
            self.boxes[:, 3:6],
            self.boxes[:, 6],
            np.ones(len(self.boxes), np.float32),
            self.box_labels.astype(np.int32),
            OBJECT_LABELS,
        )


def shard_files(root: Path, split: Literal["train", "val"]) -> list[Path]:
    """The shards of a split in `root`/`split`, by name.

    Raises:
        DatasetError: If there are none.
    """
    folder = root / split
    found = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    if not found:
        raise DatasetError(f"{folder}: holds no shards; `simulate --shards` writes them")
    return found


def read_shard(path: Path, with_voxels: bool = True) -> SimulatedScan:
    """The scan in a shard.

    Args:
        path: File that `simulate --shards` wrote.
        with_voxels: Read the complete voxels too, which are most of the work.

    Raises:
        DatasetError: If the file is missing, damaged, or lacks an array, or if an array holds what
            is no number or no class.
    """
    with open_npz(path, "a readable shard") as shard:
        points, boxes = shard["points"].astype(np.float32), shard["boxes"].astype(np.float32)
        for name, values in (("points", points[:, :3]), ("boxes", boxes)):
            if not np.isfinite(values).all():
                raise ValueError(f"'{name}' that are not finite")
        check_array("labels", shard["labels"], (None,), np.uint8)
        if not np.all((shard["labels"] < len(POINT_LABELS)) | (shard["labels"] == UNLABELED)):
            raise ValueError(f"labels other than 0..{len(POINT_LABELS) - 1} and {UNLABELED}")
        voxels = _read_voxels(shard) if with_voxels and "voxel_labels" in shard else None
        return SimulatedScan(
            np.ascontiguousarray(points[:, :3]),
            np.ascontiguousarray(points[:, 3]),
            shard["labels"],
            shard["instance"],
            boxes,
            shard["box_labels"],
            shard["box_hits"],
            voxels,
        )


def _read_voxels(shard: np.lib.npyio.NpzFile) -> VoxelTruth:
    labels = shard["voxel_labels"]
    visible = shard["voxel_visible"]
    if visible.dtype != np.bool_:
        visible = np.unpackbits(visible, count=labels.size).astype(bool)
    return VoxelTruth(
        labels,
        visible.reshape(labels.shape),
        shard["voxel_origin_m"].astype(np.float64),
        shard["voxel_size_m"].astype(np.float64),
    )
