"""Camera detectors on the pictures of KITTI's object benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, UNLABELED, LabelSet
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import (
    DONT_CARE,
    KittiFrame,
    KittiObjects,
    kitti_frames,
    read_kitti_frame,
)
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.box_evaluators import TRAINING
from spatial_perception.evaluation.detection2d import PictureFrame, PictureMetrics
from spatial_perception.evaluation.detection3d import MODERATE
from spatial_perception.evaluation.kitti_rules import PICTURES, detection_levels, object_levels
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.visualization.overlay import draw_overlay

MIN_SCORE = 0.02
"""Detections from here on enter the curves."""

MAX_DETECTIONS = 300
_SHOWN_SCORE = 0.35
_SHOWN_LABELS = LabelSet(
    ("truth", "detection"), np.array([[90, 220, 120], [255, 150, 40]], np.uint8)
)
_HEADER = Header(0, "camera")


def evaluate_kitti_pictures(request: Request, progress: Progress) -> Measurement:
    """Boxes of a camera detector on training/image_2, at moderate difficulty."""
    split = request.choose_split("training", TRAINING)
    names = request.choose_frames(kitti_frames(request.root), str)
    config = CameraDetectorConfig(
        request.model, request.engine, MIN_SCORE, max_detections=MAX_DETECTIONS
    )
    detector = CameraDetector(config)
    frames: list[PictureFrame] = []
    paths: list[Path] = []
    for index, name in enumerate(names):
        frame = read_kitti_frame(request.root, name)
        found = detector(CameraImage(_HEADER, read_rgb(frame.image_path)))
        frames.append(compared(_objects(request.root, frame), found))
        paths.append(frame.image_path)
        progress(index + 1, len(names))
    detector.close()
    metrics = PictureMetrics(frames, CAMERA_OBJECT_LABELS.names)
    illustration = Illustration(
        names,
        metrics.frame_errors().astype(np.float64),
        lambda index: boxes_drawn(read_rgb(paths[index]), frames[index]),
        curves=metrics.curves(),
    )
    return Measurement(split, len(frames), metrics.compute, illustration)


def compared(objects: KittiObjects, found: Detections2D) -> PictureFrame:
    """Labelled objects and detections of one picture, by KITTI's rules.

    Args:
        objects: The picture's label file.
        found: Detections; classes that are none of `CAMERA_OBJECT_LABELS` are dropped.
    """
    levels = object_levels(objects.boxes_px, objects.occluded, objects.truncated)
    index, truth_labels, truth_levels = PICTURES.rows(objects.types, levels, CAMERA_OBJECT_LABELS)
    labels = label_lut(found.label_set, CAMERA_OBJECT_LABELS)[found.labels]
    kept = labels != UNLABELED
    boxes = found.boxes_xyxy_px[kept].astype(np.float64)
    return PictureFrame(
        objects.boxes_px[index],
        truth_labels,
        truth_levels <= MODERATE,
        boxes,
        found.scores[kept].astype(np.float64),
        labels[kept].astype(np.int64),
        detection_levels(boxes[:, 3] - boxes[:, 1]) <= MODERATE,
        objects.boxes_px[[kind == DONT_CARE for kind in objects.types]],
    )


def _objects(root: Path, frame: KittiFrame) -> KittiObjects:
    if frame.objects is None:
        raise DatasetError(f"{root}/training/label_2/{frame.name}.txt: no such file")
    return frame.objects


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
