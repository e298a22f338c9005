"""Camera detectors against the connected regions of CamVid's masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS, UNLABELED, LabelSet
from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.evaluation.detection2d import PictureFrame
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.mask_evaluators import camvid_split
from spatial_perception.evaluation.measurement import Measurement, Progress, Request
from spatial_perception.evaluation.picture_measurement import measure_pictures

CLASSES = LabelSet(("car", "person", "traffic_sign"))
"""What CamVid's masks tell apart: its `car` holds trucks and buses, its `signsymbol` lights."""

MIN_REGION_PX = 60
"""Smaller regions are neither hit nor miss."""

_SMALLEST_PX = 12
_JOINED = {"truck": "car", "bus": "car", "traffic_light": "traffic_sign"}
_PARTS = {"car": "car", "pedestrian": "person", "signsymbol": "traffic_sign"}


def evaluate_camvid_regions(request: Request, progress: Progress) -> Measurement:
    """Boxes of a camera detector against those around the regions of the masks.

    Without a split: the test where it is there, else the validation.
    """
    split = camvid_split(request)
    return measure_pictures(
        request,
        progress,
        split,
        request.choose_frames(read_camvid(request.root, split), lambda frame: frame.name),
        name=lambda frame: frame.name,
        image=lambda frame: frame.image(),
        compare=lambda frame, found: against_regions(frame.pair()[1], found),
        classes=CLASSES,
    )


def against_regions(mask: NDArray[np.uint8], found: Detections2D) -> PictureFrame:
    """Regions and detections of one picture, in `CLASSES`.

    Small regions are neutral, as are riders (for persons) and void (for all).

    Args:
        mask: (H, W) in CAMVID_LABELS, 255 void.
        found: Detections; trucks and buses answer for cars, lights for signs, others are dropped.
    """
    boxes: list[NDArray[np.float64]] = []
    labels: list[int] = []
    counts: list[bool] = []
    for part, name in (*_PARTS.items(), ("bicyclist", "person")):
        for box, area in _regions(mask == CAMVID_LABELS.index(part)):
            boxes.append(box)
            labels.append(CLASSES.index(name))
            counts.append(area >= MIN_REGION_PX and part != "bicyclist")
    void = np.array([box for box, _ in _regions(mask == UNLABELED)]).reshape(-1, 4)
    said = _labels(found)
    kept = said != UNLABELED
    return PictureFrame(
        np.array(boxes).reshape(-1, 4),
        np.array(labels, np.int64),
        np.array(counts, bool),
        found.boxes_xyxy_px[kept].astype(np.float64),
        found.scores[kept].astype(np.float64),
        said[kept].astype(np.int64),
        np.ones(int(kept.sum()), bool),
        void,
    )


def _regions(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.float64], int]]:
    """Box (left, top, right, bottom) and pixels of each region, corners joining."""
    numbered, count = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    return [
        (np.array([columns.start, rows.start, columns.stop, rows.stop], np.float64), int(area))
        for (rows, columns), area in zip(ndimage.find_objects(numbered), areas, strict=True)
        if area >= _SMALLEST_PX
    ]


def _labels(found: Detections2D) -> NDArray[np.uint8]:
    """(D,) in CLASSES, UNLABELED where a detection is of none of them."""
    ours = label_lut(found.label_set, CAMERA_OBJECT_LABELS)[found.labels]
    names = [_JOINED.get(name, name) for name in CAMERA_OBJECT_LABELS.names]
    lut = np.full(256, UNLABELED, np.uint8)
    for label, name in enumerate(names):
        if name in CLASSES.names:
            lut[label] = CLASSES.index(name)
    return lut[ours]
