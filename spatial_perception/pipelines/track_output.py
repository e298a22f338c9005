"""Tracks as they are published: boxes, motions and how sure the filters are of both."""

from __future__ import annotations

import numpy as np

from spatial_perception.core import Header, LabelSet, Tracks
from spatial_perception.pipelines.motion import STATES
from spatial_perception.pipelines.track_bank import TrackBank


def published(
    bank: TrackBank, probability: np.ndarray, header: Header, label_set: LabelSet
) -> Tracks:
    """Returns the tracks of a bank.

    Args:
        bank: N tracks.
        probability: (N,) of their existence.
        header: of the detections that they hold for.
        label_set: their classes.
    """
    centers = np.concatenate([bank.state[:, :2], bank.height_m[:, None]], axis=1)
    labels = bank.class_logs.argmax(axis=1) if len(bank) else np.zeros(0)
    return Tracks(
        header,
        centers.astype(np.float32),
        bank.sizes_lwh_m.astype(np.float32),
        bank.state[:, 2].astype(np.float32),
        bank.velocities_mps().astype(np.float32),
        np.where(bank.turns, bank.state[:, 4], 0.0).astype(np.float32),
        probability.astype(np.float32),
        labels.astype(np.int32),
        bank.ids,
        label_set,
        covariances(bank).astype(np.float32),
    )


def covariances(bank: TrackBank) -> np.ndarray:
    """Returns (N, 6, 6) float64 of x y yaw vx vy yaw_rate; CV knows no yaw rate: 0 there."""
    by_state = np.zeros((len(bank), 6, STATES))
    by_state[:, [0, 1, 2], [0, 1, 2]] = 1.0
    turns, yaw, speed = bank.turns, bank.state[:, 2], bank.state[:, 3]
    cos, sin = np.cos(yaw[turns]), np.sin(yaw[turns])
    by_state[turns, 3, 2], by_state[turns, 3, 3] = -speed[turns] * sin, cos
    by_state[turns, 4, 2], by_state[turns, 4, 3] = speed[turns] * cos, sin
    by_state[turns, 5, 4] = 1.0
    by_state[~turns, 3, 3] = by_state[~turns, 4, 4] = 1.0
    spread: np.ndarray = by_state @ bank.covariance @ by_state.transpose(0, 2, 1)
    return spread
