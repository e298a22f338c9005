"""The run of a LiDAR detector over scans with boxes, from any data set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS, UNLABELED, LabelSet
from spatial_perception.evaluation.box_scans import BoxScan, BoxScanSource
from spatial_perception.evaluation.detection3d import MODERATE, BoxFrame, BoxMetrics
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.evaluation.occupancy import OccupancyMetrics, voxels_compared
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig
from spatial_perception.visualization.bev import draw_bev

MIN_SCORE = 0.01
"""Detections from here on enter the curves."""

_SHOWN_SCORE = 0.3
_SHOWN_LABELS = LabelSet(
    ("truth", "neutral", "detection"),
    np.array([[90, 220, 120], [150, 150, 150], [255, 150, 40]], np.uint8),
)


def measure_boxes(
    request: Request,
    split: str,
    sources: Sequence[BoxScanSource],
    progress: Progress,
    devkit: bool = False,
) -> Measurement:
    """The measurement of a LiDAR detector over scans.

    Args:
        request: Model, engine and which of the scans.
        split: Name of the split.
        sources: The scans.
        progress: Called after every scan.
        devkit: Also give what KITTI's own program gives.
    """
    chosen = request.choose_frames(sources, lambda source: source.name)
    config = LidarDetectorConfig(request.model, request.engine, score_threshold=MIN_SCORE)
    detector = LidarDetector(config)
    frames: list[BoxFrame] = []
    occupancy = OccupancyMetrics(POINT_LABELS.names)
    for index, source in enumerate(chosen):
        scan = source.read()
        found, grid = detector(scan.cloud, scan.voxels is not None)
        frames.append(scan.frame(in_object_labels(found)))
        if grid is not None and scan.voxels is not None:
            occupancy.add(*voxels_compared(grid, scan.voxels))
        progress(index + 1, len(chosen))
    detector.close()
    metrics = BoxMetrics(frames, OBJECT_LABELS.names, devkit)

    def compute(weights: NDArray[np.int64]) -> dict[str, float]:
        voxels = occupancy.compute(weights) if len(occupancy) == len(frames) else {}
        return {**metrics.compute(weights), **voxels}

    illustration = Illustration(
        [source.name for source in chosen],
        metrics.frame_errors().astype(np.float64),
        lambda index: _picture(chosen[index].read(), frames[index]),
        curves=metrics.curves(),
    )
    return Measurement(split, len(frames), compute, illustration)


def detected_frames(
    model: str, sources: Sequence[BoxScanSource], min_score: float
) -> list[BoxFrame]:
    """Truths of the scans and what a LiDAR detector finds in them from a score on."""
    frames = []
    with closing(LidarDetector(LidarDetectorConfig(model, score_threshold=min_score))) as detector:
        for source in sources:
            scan = source.read()
            found, _ = detector(scan.cloud, with_voxels=False)
            frames.append(scan.frame(in_object_labels(found)))
    return frames


def in_object_labels(found: Detections3D) -> Detections3D:
    """The detections whose class is one of `OBJECT_LABELS`, in those labels."""
    labels = label_lut(found.label_set, OBJECT_LABELS)[found.labels]
    kept = labels != UNLABELED
    return Detections3D(
        found.header,
        found.centers_m[kept],
        found.sizes_lwh_m[kept],
        found.yaws_rad[kept],
        found.scores[kept],
        labels[kept].astype(np.int32),
        OBJECT_LABELS,
    )


def _picture(scan: BoxScan, frame: BoxFrame) -> NDArray[np.uint8]:
    """A bird's-eye view of truths that count, neutral ones, and confident detections."""
    counts = frame.truth_levels <= MODERATE
    confident = frame.scores >= _SHOWN_SCORE
    neutral = np.unique(frame.truth_boxes[~counts], axis=0)
    parts = [frame.truth_boxes[counts], neutral, frame.boxes[confident]]
    boxes = np.concatenate(parts).astype(np.float32)
    labels = np.repeat(np.arange(3), [len(part) for part in parts]).astype(np.int32)
    scores = np.ones(len(boxes), np.float32)
    scores[labels == 2] = frame.scores[confident]
    objects = Detections3D(
        scan.cloud.header, boxes[:, :3], boxes[:, 3:6], boxes[:, 6], scores, labels, _SHOWN_LABELS
    )
    return draw_bev(scan.cloud, objects=objects)
