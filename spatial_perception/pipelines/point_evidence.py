"""What the classes of a scan's points say about the boxes around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.core import Detections3D, LabelledCloud, LabelSet
from spatial_perception.core.boxes import points_in_boxes
from spatial_perception.core.labels import GROUND_CLASSES
from spatial_perception.pipelines.class_evidence import log_odds, probability

_MARGIN_M = np.array([0.4, 0.4, 0.2])
"""Added to length, width and height of a box before its points are counted: a box may be off."""
_SMALLEST_M = 0.6
"""Length and width of the smallest box that is looked into, before the margin."""
_RASTER = 256  # metres after which the raster of what is near a box repeats


@dataclass(frozen=True, slots=True)
class Witness:
    """What points say about the boxes of a class.

    Args:
        point_classes: of the points that such an object has.
        weight: log-odds between a box that has no such points and one that has no others.
        neutral: the share of them that says nothing either way.
    """

    point_classes: tuple[str, ...]
    weight: float
    neutral: float


WITNESSES: Mapping[str, Witness] = {
    "car": Witness(("vehicle",), 2.1, 0.68),
    "truck": Witness(("vehicle",), 1.0, 0.5),
    "pedestrian": Witness(("person", "two_wheeler"), 1.6, 0.5),
    "cyclist": Witness(("two_wheeler",), 2.2, 0.5),
}
"""Logistic regression of true and false boxes of the shipped networks on simulated drives.

Of pedestrians and cyclists half is neutral, where the regression has 0.4 and 0.3: false tracks of
them cost more than missed ones. A rider is labelled as a two-wheeler: that a box taken for a
pedestrian's holds one speaks for somebody being there.
"""


class PointEvidence:
    """Raises the score of boxes whose points are of their class, lowers that of others.

    Both networks see the same scan, but err on different things: a bush that looks like a person to
    the detector is vegetation to the segmenter.

    Args:
        weight: of what the points say; 0 leaves the scores as they are.
    """

    def __init__(self, weight: float) -> None:
        self._weight = weight

    def __call__(self, objects: Detections3D, points: LabelledCloud) -> Detections3D:
        """Returns the usable objects with the scores that detector and segmenter give together.

        Classes that the segmenter does not know, or `WITNESSES` does not name, keep theirs.

        Args:
            objects: boxes.
            points: the scan that they are from, with a class for each point, in the same frame.
        """
        if not self._weight:
            return objects
        objects = objects.usable()
        own, weight, neutral = _tables(objects.label_set, points.label_set)
        counts = points_by_class(objects, points)
        alike = (counts * own[objects.labels]).sum(axis=1)
        share = alike / np.maximum(counts.sum(axis=1), 1)
        shift = self._weight * weight[objects.labels] * (share - neutral[objects.labels])
        scores = probability(log_odds(objects.scores) + shift)
        scores = np.where(weight[objects.labels] > 0, scores, objects.scores)
        return dataclasses.replace(objects, scores=scores.astype(np.float32))


def points_by_class(objects: Detections3D, points: LabelledCloud) -> np.ndarray:
    """Returns (M, K) int64: how many points of each class lie in each box or just beside it.

    Args:
        objects: M boxes.
        points: a scan in the frame of the boxes, K classes; ground and unlabeled are not counted.
    """
    names = points.label_set.names
    counts = np.zeros((len(objects), len(names)), np.int64)
    if not len(objects):
        return counts
    boxes = objects.boxes().astype(np.float64)
    boxes[:, 3:5] = np.maximum(boxes[:, 3:5], _SMALLEST_M)
    boxes[:, 3:6] += _MARGIN_M
    reach = np.hypot(boxes[:, 3], boxes[:, 4]) / 2
    low, high = boxes[:, :2] - reach[:, None], boxes[:, :2] + reach[:, None]
    is_counted = np.zeros(256, bool)
    is_counted[: len(names)] = [name not in GROUND_CLASSES for name in names]
    chosen = np.flatnonzero(is_counted.take(points.labels))
    chosen = chosen[_is_near(points.cloud.points.take(chosen, axis=0), low, high)]
    chosen = chosen[np.argsort(points.cloud.points[chosen, 0])]
    place, labels = points.cloud.points.take(chosen, axis=0), points.labels.take(chosen)
    first = np.searchsorted(place[:, 0], low[:, 0])
    last = np.searchsorted(place[:, 0], high[:, 0])
    for row, (box, begin, end) in enumerate(zip(boxes, first, last, strict=True)):
        inside = points_in_boxes(place[begin:end], box[None])[:, 0]
        counts[row] = np.bincount(labels[begin:end][inside], minlength=len(names))
    return counts


def _is_near(place: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Returns (N,) bool: False for most places that lie in none of the rectangles.

    Square metres are marked in a raster that repeats, so that no box is too far or too large.

    Args:
        place: (N, 3) metres.
        low: (M, 2) least x and y of the rectangles.
        high: (M, 2) greatest.
    """
    raster = np.zeros((_RASTER, _RASTER), bool)
    first = np.floor(low)
    counts = np.minimum(np.floor(high) - first + 1, _RASTER).astype(int)
    first = (first % _RASTER).astype(int)
    for (x, y), (columns, rows) in zip(first, counts, strict=True):
        raster[np.ix_(np.arange(x, x + columns) % _RASTER, np.arange(y, y + rows) % _RASTER)] = True
    limit = np.float32(1 << 30)  # beyond what is a place, and within what is an integer
    x, y = (np.clip(np.floor(place[:, k]), -limit, limit).astype(np.int32) for k in (0, 1))
    near: np.ndarray = raster.ravel().take((x % _RASTER) * _RASTER + y % _RASTER)
    return near


def _tables(objects: LabelSet, points: LabelSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (C, K) bool own point classes, (C,) weight (0: none) and neutral share."""
    own = np.zeros((len(objects), len(points)), bool)
    weight, neutral = np.zeros((2, len(objects)))
    for index, name in enumerate(objects.names):
        witness = WITNESSES.get(name)
        if witness is not None and set(witness.point_classes) <= set(points.names):
            own[index, [points.index(other) for other in witness.point_classes]] = True
            weight[index], neutral[index] = witness.weight, witness.neutral
    return own, weight, neutral
