"""A camera detector over the pictures of a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.core.labels import LabelSet
from spatial_perception.evaluation.detection2d import PictureFrame, PictureMetrics
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.visualization.overlay import draw_overlay

F = TypeVar("F")

_MIN_SCORE = 0.02
"""Detections from here on enter the curves."""

_MAX_DETECTIONS = 300
_SHOWN_SCORE = 0.35
_SHOWN_LABELS = LabelSet(
    ("truth", "detection"), np.array([[90, 220, 120], [255, 150, 40]], np.uint8)
)
_HEADER = Header(0, "camera")


def measure_pictures(
    request: Request,
    progress: Progress,
    split: str,
    frames: Sequence[F],
    *,
    name: Callable[[F], str],
    image: Callable[[F], NDArray[np.uint8]],
    compare: Callable[[F, Detections2D], PictureFrame],
    classes: LabelSet,
) -> Measurement:
    """Runs the detector over every frame and compares.

    Args:
        request: Model, engine.
        progress: Called after every frame.
        split: What is measured, for the report.
        frames: The pictures.
        name: Name of a frame.
        image: (H, W, 3) uint8 RGB of a frame.
        compare: Truths and detections of a frame.
        classes: What the labels that `compare` gives mean.
    """
    config = CameraDetectorConfig(
        request.model, request.engine, _MIN_SCORE, max_detections=_MAX_DETECTIONS
    )
    detector = CameraDetector(config)
    compared = []
    for index, frame in enumerate(frames):
        compared.append(compare(frame, detector(CameraImage(_HEADER, image(frame)))))
        progress(index + 1, len(frames))
    detector.close()
    metrics = PictureMetrics(compared, classes.names)
    illustration = Illustration(
        [name(frame) for frame in frames],
        metrics.frame_errors().astype(np.float64),
        lambda index: boxes_drawn(image(frames[index]), compared[index]),
        curves=metrics.curves(),
    )
    return Measurement(split, len(frames), metrics.compute, illustration)


def boxes_drawn(image: NDArray[np.uint8], frame: PictureFrame) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: the picture with the boxes that count and the confident detections."""
    truths = frame.truth_boxes[frame.truth_counts]
    shown = frame.scores >= _SHOWN_SCORE
    boxes = np.concatenate([truths, frame.boxes[shown]]).astype(np.float32)
    scores = np.concatenate([np.ones(len(truths)), frame.scores[shown]]).astype(np.float32)
    labels = (np.arange(len(boxes)) >= len(truths)).astype(np.int32)
    detections = Detections2D(_HEADER, boxes, scores, labels, _SHOWN_LABELS)
    overlay = draw_overlay(CameraImage(_HEADER, image), detections=detections)
    return overlay.rgb()
