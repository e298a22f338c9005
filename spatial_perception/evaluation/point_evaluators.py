"""LiDAR segmenters on labelled scans."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.datasets.range_images import SENSORS, read_range_images
from spatial_perception.datasets.semantic_kitti import (
    read_partial_scan,
    read_semantic_kitti,
    semantic_kitti_scans,
)
from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.labelled_frames import LabelledFrames
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.pipelines.lidar_segmenter import LidarSegmenter, LidarSegmenterConfig
from spatial_perception.visualization.bev import draw_bev

ALL = "all"
PARTIAL = "partial"


@dataclass(frozen=True, slots=True, eq=False)
class PointScanSource:
    """A labelled scan in base_link by name, read when asked for; labels of `POINT_LABELS`."""

    name: str
    read: Callable[[], LabelledCloud] = field(repr=False)


def evaluate_simulated_points(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on simulated shards."""
    known: tuple[Literal["train", "val"], ...] = ("train", "val")
    split = request.choose_split("val", known)
    sources = [
        PointScanSource(path.stem, partial(_simulated, path))
        for path in shard_files(request.root, split)
    ]
    return measure_points(request, split, sources, progress)


def evaluate_semantic_kitti(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on SemanticKITTI: all labelled sequences, or one of them.

    The split "partial" takes ROOT/partial/*.npz, scans of which a part is labelled.
    """
    if request.split == PARTIAL:
        sources = [
            PointScanSource(path.stem, partial(read_partial_scan, path))
            for path in sorted((request.root / PARTIAL).glob("*.npz"))
        ]
        return measure_points(request, PARTIAL, sources, progress)
    folder = request.root / "sequences"
    sequences = sorted(path.parent.name for path in folder.glob("*/labels"))
    if not sequences:
        raise DatasetError(f"{folder}: holds no sequences NN/labels and NN/velodyne")
    known = (ALL, *sequences)
    split = request.choose_split(ALL, known)
    scans = [
        (f"{sequence}/{path.stem}", path)
        for sequence in (sequences if split == ALL else [split])
        for path in semantic_kitti_scans(request.root, sequence)
    ]
    sources = [PointScanSource(name, partial(read_semantic_kitti, path)) for name, path in scans]
    return measure_points(request, split, sources, progress)


def evaluate_range_images(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on range images of all sensors in the file, or of one.

    The root is the npz file, or the folder that holds it.
    """
    split = request.choose_split(ALL, (ALL, *SENSORS))
    files = sorted(request.root.glob("*.npz")) if request.root.is_dir() else [request.root]
    if not files:
        raise DatasetError(f"{request.root}: holds no range images (*.npz)")
    sources = []
    for path in files:
        sensors = _sensors(path) if split == ALL else [split]
        for sensor in sensors:
            for index, scan in enumerate(read_range_images(path, sensor)):
                name = f"{sensor}/{path.stem}/{index:03d}"
                sources.append(PointScanSource(name, partial(_held, scan)))
    return measure_points(request, split, sources, progress)


def measure_points(
    request: Request, split: str, sources: Sequence[PointScanSource], progress: Progress
) -> Measurement:
    """The measurement of a LiDAR segmenter over scans.

    Args:
        request: Model, engine and which of the scans.
        split: Name of the split.
        sources: The scans.
        progress: Called after every scan.
    """
    chosen = request.choose_frames(sources, lambda source: source.name)
    segmenter = LidarSegmenter(LidarSegmenterConfig(request.model, request.engine))
    counted = LabelledFrames(POINT_LABELS.names)

    def segmented(cloud: PointCloud) -> NDArray[np.uint8]:
        found = segmenter(cloud)
        return label_lut(found.label_set, POINT_LABELS)[found.labels]

    for index, source in enumerate(chosen):
        scan = source.read()
        counted.add(segmented(scan.cloud), scan.labels)
        progress(index + 1, len(chosen))

    def picture(index: int) -> NDArray[np.uint8]:
        scan = chosen[index].read()
        found = LabelledCloud(scan.cloud, segmented(scan.cloud), POINT_LABELS)
        return np.concatenate([draw_bev(found), draw_bev(scan)], axis=1)

    illustration = Illustration(
        [source.name for source in chosen],
        counted.errors,
        picture,
        confusion=counted.total().counts,
        classes=POINT_LABELS.names,
    )
    return Measurement(split, len(chosen), counted.compute, illustration)


def _sensors(path: Path) -> list[str]:
    """The sensors whose range images are in the file."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = [sensor for sensor in SENSORS if f"{sensor}_xyzi" in arrays.files]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: not a readable npz file: {error}") from error
    if not found:
        raise DatasetError(f"{path}: no range images of {' or '.join(SENSORS)}")
    return found


def _held(scan: LabelledCloud) -> LabelledCloud:
    return scan


def _simulated(path: Path) -> LabelledCloud:
    return read_shard(path, with_voxels=False).cloud()
