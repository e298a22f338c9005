"""LiDAR segmenters on labelled scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.datasets.shards import read_shard, shard_files
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


def _simulated(path: Path) -> LabelledCloud:
    return read_shard(path, with_voxels=False).cloud()
