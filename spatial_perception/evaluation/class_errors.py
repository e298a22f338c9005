"""How often the class is wrong of objects that LiDAR and cameras both see, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spatial_perception.core import Detections3D, LabelSet
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.evaluation.drives import HIT_DISTANCE_M, MIN_POINTS, RANGE_M, DriveFrame

STAGES = ("lidar", "fused", "tracks")
REACH_M = 1.0
"""A LiDAR box whose centre is at most this far from a truth's is that object's, whatever class."""
_SAME_PLACE_M = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class ScanAnswers:
    """What the stages said of one scan, in base_link.

    Attributes:
        lidar: boxes of the LiDAR alone.
        fused: boxes after fusion; those of the LiDAR keep their places.
        cameras: what each camera saw, at the LiDAR box's centre where they were paired.
    """

    lidar: Detections3D
    fused: Detections3D
    cameras: Sequence[CameraObjects]


def count_class_errors(
    frames: Sequence[DriveFrame], answers: Mapping[int, ScanAnswers]
) -> NDArray[np.int64]:
    """Returns (3, 2): objects and wrong classes among them, of each of `STAGES`.

    An object counts with `MIN_POINTS` points and more, within `RANGE_M`, where the LiDAR has a box
    that a camera's box was paired with; for tracks also only where a track is on it.

    Args:
        frames: truth and tracks of each scan.
        answers: by stamp; scans without any are left out.
    """
    counts = np.zeros((len(STAGES), 2), np.int64)
    for frame in frames:
        answer = answers.get(frame.truth.header.stamp_ns)
        if answer is None or not len(answer.lidar):
            continue
        truth = frame.truth
        centers = truth.centers_m.astype(np.float64)
        near = (frame.points >= MIN_POINTS) & (np.hypot(*centers[:, :2].T) <= RANGE_M)
        boxes = _nearest(centers, answer.lidar.centers_m, REACH_M)
        tracks = _nearest(centers, frame.tracks.centers_m, HIT_DISTANCE_M)
        for index in np.flatnonzero(near & (boxes >= 0)):
            place = answer.lidar.centers_m[boxes[index]]
            fused = _at(place, answer.fused.centers_m)
            if fused < 0 or not any(_at(place, c.positions_m) >= 0 for c in answer.cameras):
                continue
            name = truth.label_set.names[truth.labels[index]]
            counts[0] += _answer(name, answer.lidar, boxes[index])
            counts[1] += _answer(name, answer.fused, fused)
            if tracks[index] >= 0:
                counts[2] += _answer(name, frame.tracks.detections(), tracks[index])
    return counts


def class_error_metrics(counts: NDArray[np.int64]) -> dict[str, float]:
    """Returns the percentage of wrong classes of each stage that had anything to answer."""
    return {
        f"class_errors_{stage}": 100.0 * float(wrong) / float(seen)
        for stage, (seen, wrong) in zip(STAGES, counts, strict=True)
        if seen
    }


def _nearest(
    truths_m: NDArray[np.float64], boxes_m: NDArray[np.float32], reach_m: float
) -> NDArray[np.int64]:
    """Returns (T,) which box is each truth's, -1 where none is; the least distances in all."""
    away = truths_m[:, None, :2] - boxes_m[None, :, :2]
    distance = np.hypot(away[..., 0], away[..., 1])
    rows, columns = linear_sum_assignment(np.minimum(distance, reach_m))
    found = np.full(len(truths_m), -1, np.int64)
    formed = distance[rows, columns] < reach_m
    found[rows[formed]] = columns[formed]
    return found


def _at(place_m: NDArray[np.float32], places_m: NDArray[np.float32]) -> int:
    away = np.linalg.norm(places_m - place_m, axis=1)
    hits = np.flatnonzero(away < _SAME_PLACE_M)  # where only a bearing is known, away is NaN
    return int(hits[0]) if len(hits) else -1


def _answer(name: str, boxes: Detections3D, index: int) -> NDArray[np.int64]:
    labels: LabelSet = boxes.label_set
    return np.array([1, labels.names[boxes.labels[index]] != name], np.int64)
