"""What counts in KITTI's layout: difficulties, neutral classes, and what the camera saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.kitti_object import NEUTRAL_CLASSES, OBJECT_CLASSES
from spatial_perception.evaluation.box_scans import Judgement
from spatial_perception.evaluation.detection2d import covered
from spatial_perception.evaluation.detection3d import EASY, HARD, MODERATE, NEVER
from spatial_perception.evaluation.projection import image_boxes

MIN_HEIGHT_PX = (40.0, 25.0, 25.0)
MAX_OCCLUSION = (0, 1, 2)
MAX_TRUNCATION = (0.15, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class ClassRules:
    """Which names of a data set are which of our classes.

    Attributes:
        classes: Our class by the data set's name.
        neutral: Our classes for which an object of the data set's name is neutral.
    """

    classes: Mapping[str, str]
    neutral: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def rows(
        self, names: Sequence[str], levels: NDArray[np.int64], label_set: LabelSet
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(T,) index of the object, label and level of every truth; names without rule have none.

        Args:
            names: The data set's name of each object.
            levels: (N,) easiest difficulty of each object.
            label_set: Our classes.
        """
        rows: list[tuple[int, int, int]] = []
        for index, name in enumerate(names):
            if name in self.classes:
                label = label_set.index(self.classes[name])
                rows.append((index, label, int(levels[index])))
            for other in self.neutral.get(name, ()):
                rows.append((index, label_set.index(other), NEVER))
        table = np.array(rows, dtype=np.int64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]


SPACE = ClassRules(
    OBJECT_CLASSES,
    {name: (neighbour,) for name, neighbour in NEUTRAL_CLASSES.items()}
    | {
        "rider": ("cyclist", "pedestrian"),
        "truck": ("car", "truck"),
        "vehicle_other": ("car", "truck"),
    },
)
"""Boxes in space of KITTI and of View-of-Delft, whose other vehicles are too few to judge."""

PICTURES = ClassRules(
    {"Car": "car", "Truck": "truck", "Pedestrian": "person"},
    {
        "Van": ("car", "truck"),
        "Tram": ("bus", "truck"),
        "Person_sitting": ("person",),
        "Cyclist": ("person", "bicycle", "motorcycle"),
    },
)


def object_levels(
    boxes_px: NDArray[np.floating],
    occlusion: NDArray[np.integer],
    truncation: NDArray[np.floating] | None,
) -> NDArray[np.int64]:
    """(N,) easiest difficulty at which each object counts.

    Args:
        boxes_px: (N, 4) left top right bottom, pixels.
        occlusion: (N,) 0 visible, 1 partly, 2 largely, 3 unknown.
        truncation: (N,) 0..1 outside the picture; None where it was not annotated.
    """
    height_px = boxes_px[:, 3] - boxes_px[:, 1]
    levels = np.full(len(boxes_px), NEVER, dtype=np.int64)
    for level in (HARD, MODERATE, EASY):
        fits = (height_px > MIN_HEIGHT_PX[level]) & (occlusion <= MAX_OCCLUSION[level])
        if truncation is not None:
            fits &= truncation <= MAX_TRUNCATION[level]
        levels[fits] = level
    return levels


def detection_levels(heights_px: NDArray[np.floating]) -> NDArray[np.int64]:
    """(D,) easiest difficulty at which detections of that height in the picture count."""
    levels = np.full(len(heights_px), NEVER, dtype=np.int64)
    levels[heights_px >= MIN_HEIGHT_PX[MODERATE]] = MODERATE
    levels[heights_px >= MIN_HEIGHT_PX[EASY]] = EASY
    return levels


@dataclass(frozen=True, slots=True, eq=False)
class CameraJudge:
    """Judges boxes in space by what the labelling camera saw.

    Attributes:
        camera_from_base: Optical frame from base_link.
        projection: (3, 4) pixels from the optical frame.
        size_wh_px: Width and height of the picture.
        dont_care_px: (R, 4) regions declared unlabelled.
        max_range_m: Beyond it nobody labelled.
    """

    camera_from_base: Pose
    projection: NDArray[np.float64]
    size_wh_px: tuple[int, int]
    dont_care_px: NDArray[np.float64]
    max_range_m: float = np.inf

    def __call__(self, found: Detections3D) -> Judgement:
        """How each detection (base_link) counts."""
        corners = found.corners().astype(np.float64).reshape(-1, 3)
        corners_camera = self.camera_from_base.apply(corners).reshape(-1, 8, 3)
        boxes_px = image_boxes(corners_camera, self.projection, self.size_wh_px)
        invisible = np.isnan(boxes_px[:, 0])
        levels = detection_levels(boxes_px[:, 3] - boxes_px[:, 1])
        levels[invisible] = EASY
        centers = found.centers_m.astype(np.float64)
        outside = invisible | ~self._in_picture(centers)
        outside |= np.hypot(centers[:, 0], centers[:, 1]) > self.max_range_m
        return Judgement(levels, outside, covered(boxes_px, self.dont_care_px))

    def _in_picture(self, centers: NDArray[np.float64]) -> NDArray[np.bool_]:
        points = self.camera_from_base.apply(centers).astype(np.float64)
        pixels = np.c_[points, np.ones(len(points))] @ self.projection.T
        with np.errstate(divide="ignore", invalid="ignore"):
            uv = pixels[:, :2] / pixels[:, 2:]
        inside = (uv >= 0.0).all(axis=1) & (uv < self.size_wh_px).all(axis=1)
        return np.asarray(inside & (pixels[:, 2] > 0.0))
