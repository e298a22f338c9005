"""Tracks that begin with a detection that no other track explains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_perception.pipelines.measured import Seen
from spatial_perception.pipelines.motion import STATES, MotionModel
from spatial_perception.pipelines.track_bank import NO_ID, TrackBank

_FIRST_YAW_RATE_RADPS = 0.2


def newborn(
    seen: Seen,
    index: np.ndarray,
    models: Sequence[MotionModel],
    log_odds: float,
) -> TrackBank:
    """Returns one track for each of some detections, at rest and unsure of its speed.

    Args:
        seen: the detections of a scan.
        index: (B,) which of them begin tracks.
        models: motion model of each class.
        log_odds: of a track's existence before its score counts.
    """
    count = len(index)
    own = [models[label] for label in seen.detections.labels[index]]
    turns = np.array([model.turns for model in own])
    first = np.array([model.first_speed_mps for model in own])
    state = np.zeros((count, STATES))
    state[:, :3] = seen.measured[index]
    covariance = np.zeros((count, STATES, STATES))
    covariance[:, :3, :3] = seen.noise[index]
    covariance[:, 3, 3] = first**2
    covariance[:, 4, 4] = np.where(turns, _FIRST_YAW_RATE_RADPS**2, first**2)
    return TrackBank(
        ids=np.full(count, NO_ID),
        state=state,
        covariance=covariance,
        turns=turns,
        height_m=seen.detections.centers_m[index, 2].astype(np.float64),
        sizes_lwh_m=seen.candidates.sizes_lwh_m[index],
        class_logs=np.log(seen.candidates.classes[index]),
        existence=seen.evidence[index] + log_odds,
        heading_votes=np.zeros(count),
        hits=np.ones(count, np.int64),
        newest_ns=np.full(count, seen.detections.header.stamp_ns),
    )
