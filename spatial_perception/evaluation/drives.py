"""Tracks of drives against their truth: which objects count, how tracks answer them, metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spatial_perception.core.boxes import points_in_boxes
from spatial_perception.core.tracks import Tracks
from spatial_perception.evaluation.tracking import (
    TrackingCounts,
    TrackingFrame,
    combined,
    count_tracking,
)

HIT_DISTANCE_M = 2.0
"""A track answers a truth whose centre is at most this far, in the plane (nuScenes)."""
MOVING_MPS = 0.5
"""Velocity errors count for truths that are faster."""
RANGE_M = 50.0
"""Truths and tracks farther from the vehicle are neutral."""
MIN_POINTS = 5
"""Truths with fewer points on them are neutral, as in the other data sets."""


@dataclass(frozen=True, slots=True, eq=False)
class DriveFrame:
    """What is true and what was tracked at one time, in base_link.

    Attributes:
        truth: velocities over ground.
        points: (T,) int64, points of the scan on each truth.
        tracks: of the same time.
    """

    truth: Tracks
    points: NDArray[np.int64]
    tracks: Tracks


def points_on_boxes(points: NDArray[np.float32], boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns (M,) how many of (P, 3) points lie in each of (M, 7) boxes."""
    counts = np.zeros(len(boxes), np.int64)
    for index, box in enumerate(boxes):
        reach = np.hypot(box[3], box[4]) / 2
        near = (np.abs(points[:, 0] - box[0]) < reach) & (np.abs(points[:, 1] - box[1]) < reach)
        counts[index] = points_in_boxes(points[near], box[None]).sum()
    return counts


def count_drive(
    frames: Sequence[DriveFrame], range_m: float = RANGE_M
) -> dict[str, TrackingCounts]:
    """Returns the counts of one drive by class.

    A truth is neutral (neither hit nor miss, and the track on it no false alarm) with fewer than
    `MIN_POINTS` points on it or beyond the range; so are tracks beyond the range.
    """
    names = frames[0].truth.label_set.names if frames else ()
    return {
        name: count_tracking([_class_frame(frame, name, range_m) for frame in frames])
        for name in names
    }


def drive_metrics(
    drives: Sequence[dict[str, TrackingCounts]], weights: NDArray[np.int64]
) -> dict[str, float]:
    """Returns the metrics of all drives together, by class, and of all classes without a prefix.

    Args:
        drives: counts by class of each drive.
        weights: (D,) how often each drive counts.
    """
    names = list(drives[0]) if drives else []
    by_class = {name: combined([drive[name] for drive in drives], weights) for name in names}
    metrics: dict[str, float] = {}
    for name, counts in by_class.items():
        metrics |= {f"{name}_{metric}": value for metric, value in counts.metrics().items()}
    if by_class:
        everything = combined(list(by_class.values()), np.ones(len(by_class), np.int64))
        metrics |= everything.metrics()
    return metrics


def _class_frame(frame: DriveFrame, name: str, range_m: float) -> TrackingFrame:
    truth, tracks = frame.truth, frame.tracks
    of_truth = truth.labels == truth.label_set.index(name)
    known = name in tracks.label_set.names
    of_tracks = tracks.labels == (tracks.label_set.index(name) if known else -1)
    points = frame.points[of_truth]
    truth, tracks = truth.selected(of_truth), tracks.selected(of_tracks)
    away = tracks.centers_m[None, :, :2].astype(np.float64) - truth.centers_m[:, None, :2]
    similarity = np.maximum(0.0, 1.0 - np.hypot(away[..., 0], away[..., 1]) / (2 * HIT_DISTANCE_M))
    counts = (points >= MIN_POINTS) & (np.hypot(*truth.centers_m[:, :2].T) <= range_m)
    near = np.hypot(*tracks.centers_m[:, :2].T) <= range_m
    rows, columns = linear_sum_assignment(-np.where(similarity >= 0.5, similarity, 0.0))
    formed = similarity[rows, columns] >= 0.5
    answering = np.zeros(len(tracks), bool)
    excused = ~near
    for row, column in zip(rows[formed], columns[formed], strict=True):
        answering[column] = counts[row]
        excused[column] |= not counts[row]
    kept = answering | ~excused
    wrong = tracks.velocities_mps[None].astype(np.float64) - truth.velocities_mps[:, None]
    errors = np.hypot(wrong[..., 0], wrong[..., 1])
    errors[np.hypot(*truth.velocities_mps.T) <= MOVING_MPS] = np.nan
    return TrackingFrame(
        truth.ids[counts],
        tracks.ids[kept],
        similarity[counts][:, kept],
        errors[counts][:, kept],
    )
