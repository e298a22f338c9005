"""Camera detectors on pictures with boxes: KITTI's object benchmark, and lists of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, UNLABELED
from spatial_perception.datasets.boxes import BoxPicture, read_box_list
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import (
    DONT_CARE,
    KittiObjects,
    kitti_frames,
    read_kitti_frame,
)
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.box_evaluators import TRAINING
from spatial_perception.evaluation.detection2d import PictureFrame
from spatial_perception.evaluation.detection3d import MODERATE
from spatial_perception.evaluation.kitti_rules import PICTURES, detection_levels, object_levels
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.measurement import Measurement, Progress, Request
from spatial_perception.evaluation.picture_measurement import measure_pictures

ALL = "all"


def evaluate_kitti_pictures(request: Request, progress: Progress) -> Measurement:
    """Boxes of a camera detector on training/image_2, at moderate difficulty."""
    split = request.choose_split("training", TRAINING)
    names = request.choose_frames(kitti_frames(request.root), str)
    return measure_pictures(
        request,
        progress,
        split,
        [_without_cloud(request.root, name) for name in names],
        name=lambda frame: frame.name,
        image=lambda frame: read_rgb(frame.path),
        compare=lambda frame, found: compared(frame.objects, found),
        classes=CAMERA_OBJECT_LABELS,
    )


def evaluate_box_list(request: Request, progress: Progress) -> Measurement:
    """Boxes of a camera detector on the pictures of ROOT/boxes.json."""
    split = request.choose_split(ALL, (ALL,))
    listed = read_box_list(request.root / "boxes.json", request.root)
    return measure_pictures(
        request,
        progress,
        split,
        request.choose_frames(listed, lambda picture: picture.path.stem),
        name=lambda picture: picture.path.stem,
        image=BoxPicture.image,
        compare=against_list,
        classes=CAMERA_OBJECT_LABELS,
    )


def compared(objects: KittiObjects, found: Detections2D) -> PictureFrame:
    """Labelled objects and detections of one picture, by KITTI's rules.

    Args:
        objects: The picture's label file.
        found: Detections; classes that are none of `CAMERA_OBJECT_LABELS` are dropped.
    """
    levels = object_levels(objects.boxes_px, objects.occluded, objects.truncated)
    index, truth_labels, truth_levels = PICTURES.rows(objects.types, levels, CAMERA_OBJECT_LABELS)
    boxes, scores, labels = _known(found)
    return PictureFrame(
        objects.boxes_px[index],
        truth_labels,
        truth_levels <= MODERATE,
        boxes,
        scores,
        labels,
        detection_levels(boxes[:, 3] - boxes[:, 1]) <= MODERATE,
        objects.boxes_px[[kind == DONT_CARE for kind in objects.types]],
    )


def against_list(picture: BoxPicture, found: Detections2D) -> PictureFrame:
    """Listed objects and detections of one picture; what lies in an ignored box is neutral."""
    boxes, scores, labels = _known(found)
    return PictureFrame(
        picture.boxes_xyxy_px.astype(np.float64),
        picture.labels.astype(np.int64),
        np.ones(len(picture.labels), bool),
        boxes,
        scores,
        labels,
        np.ones(len(labels), bool),
        picture.ignored_xyxy_px.astype(np.float64),
    )


def _known(found: Detections2D) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, scores and labels in CAMERA_OBJECT_LABELS of the detections that are of these."""
    labels = label_lut(found.label_set, CAMERA_OBJECT_LABELS)[found.labels]
    kept = labels != UNLABELED
    return (
        found.boxes_xyxy_px[kept].astype(np.float64),
        found.scores[kept].astype(np.float64),
        labels[kept].astype(np.int64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    name: str
    path: Path
    objects: KittiObjects


def _without_cloud(root: Path, name: str) -> _Labelled:
    frame = read_kitti_frame(root, name)
    if frame.objects is None:
        raise DatasetError(f"{root}/training/label_2/{name}.txt: no such file")
    return _Labelled(name, frame.image_path, frame.objects)
