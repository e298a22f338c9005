"""The occupancy head of LiDAR detectors on labelled sequences of real scans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.kitti_object import LIDAR_HEIGHT_M
from spatial_perception.datasets.semantic_kitti import (
    read_base_poses,
    read_partial_scan,
    read_semantic_kitti,
    semantic_kitti_scans,
)
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.box_measurement import measure_boxes
from spatial_perception.evaluation.box_scans import BoxScan, BoxScanSource
from spatial_perception.evaluation.measurement import Measurement, Progress, Request
from spatial_perception.evaluation.overlaid_voxels import overlaid_voxels
from spatial_perception.evaluation.point_scans import ALL, PARTIAL, labelled_sequences

NEIGHBOURS = 10
"""So many scans before and after, a second of KITTI each, tell what is there."""

_SENSOR_M = np.array([0.0, 0.0, LIDAR_HEIGHT_M["kitti"]])


def evaluate_semantic_kitti_voxels(request: Request, progress: Progress) -> Measurement:
    """Voxels of a LiDAR detector on SemanticKITTI: all labelled sequences, or one of them."""
    sequences = labelled_sequences(request.root)
    split = request.choose_split(ALL, (ALL, *sequences))
    chosen = sequences if split == ALL else [split]
    sources = [s for sequence in chosen for s in _sources(request.root, sequence, sequences)]
    return measure_boxes(request, split, sources, progress)


def _sources(root: Path, sequence: str, sequences: list[str]) -> list[BoxScanSource]:
    readers: dict[int, Callable[[], LabelledCloud]] = {
        _number(path): partial(read_semantic_kitti, path)
        for path in semantic_kitti_scans(root, sequence)
    }
    if sequences == [sequence]:  # the only one, so that scans labelled in part belong to it
        for path in (root / PARTIAL).glob("*.npz"):
            readers.setdefault(_number(path), partial(read_partial_scan, path))
    poses = read_base_poses(root / "sequences" / sequence)
    if max(readers) >= len(poses):
        raise DatasetError(
            f"{root}/sequences/{sequence}/poses.txt: has {len(poses)} poses, none of scan"
            f" {max(readers):06d}"
        )
    kept = lru_cache(maxsize=2 * NEIGHBOURS + 2)(lambda number: readers[number]())
    return [
        BoxScanSource(f"{sequence}/{number:06d}", partial(_scan, number, readers, kept, poses))
        for number in sorted(readers)
    ]


def _number(path: Path) -> int:
    """Which pose is a scan's."""
    if not path.stem.isdecimal():
        raise DatasetError(f"{path}: expected the scan's number as its name, as in 000012")
    return int(path.stem)


def _scan(
    number: int,
    readers: Mapping[int, Callable[[], LabelledCloud]],
    read: Callable[[int], LabelledCloud],
    poses: list[Pose],
) -> BoxScan:
    near = [n for n in sorted(readers) if abs(n - number) <= NEIGHBOURS]
    truth = overlaid_voxels([(read(n), poses[n]) for n in near], poses[number], _SENSOR_M)
    none = np.zeros(0, np.int64)
    return BoxScan(read(number).cloud, np.zeros((0, 7)), none, none, voxels=truth)
