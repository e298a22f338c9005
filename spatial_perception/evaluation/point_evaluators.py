"""LiDAR segmenters on labelled scans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.datasets.range_images import SENSORS
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.labelled_frames import LabelledFrames
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.evaluation.point_scans import (
    ALL,
    PARTIAL,
    PointScanSource,
    kitti_point_scans,
    labelled_sequences,
    range_image_scans,
    simulated_scans,
)
from spatial_perception.pipelines.lidar_segmenter import LidarSegmenter, LidarSegmenterConfig
from spatial_perception.visualization.bev import draw_bev


def evaluate_simulated_points(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on simulated shards."""
    known: tuple[Literal["train", "val"], ...] = ("train", "val")
    split = request.choose_split("val", known)
    return measure_points(request, split, simulated_scans(request.root, split), progress)


def evaluate_semantic_kitti(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on SemanticKITTI: all labelled sequences, or one of them.

    The split "partial" takes ROOT/partial/*.npz, scans of which a part is labelled.
    """
    split = PARTIAL
    if request.split != PARTIAL:
        split = request.choose_split(ALL, (ALL, *labelled_sequences(request.root)))
    return measure_points(request, split, kitti_point_scans(request.root, split), progress)


def evaluate_range_images(request: Request, progress: Progress) -> Measurement:
    """Labels of a LiDAR segmenter on range images of all sensors in the file, or of one.

    The root is the npz file, or the folder that holds it.
    """
    split = request.choose_split(ALL, (ALL, *SENSORS))
    return measure_points(request, split, range_image_scans(request.root, split), progress)


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
