"""Two ways that each tracked object may take: straight on, and on along its turn."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.predictions import Predictions
from spatial_perception.core.tracks import Tracks

_TURN_SPREAD_RADPS = 0.1
_TURN_LIMIT_RAD = np.pi / 2


def predict_paths(tracks: Tracks, horizon_s: float, step_s: float) -> Predictions:
    """Returns a straight and a turning hypothesis of each track.

    Straight: velocity as it is. Turning: speed and yaw rate as they are, for at most a quarter
    turn, then straight on. The faster an object turns now, the more probable is the turn.

    Args:
        tracks: with velocities over ground.
        horizon_s: how far ahead, seconds.
        step_s: time between poses, seconds.
    """
    times = np.arange(round(horizon_s / step_s) + 1) * step_s
    speed = np.hypot(tracks.velocities_mps[:, 0], tracks.velocities_mps[:, 1]).astype(np.float64)
    course = np.arctan2(tracks.velocities_mps[:, 1], tracks.velocities_mps[:, 0])
    course = np.where(speed > 0.3, course, tracks.yaws_rad).astype(np.float64)
    rate = tracks.yaw_rates_radps.astype(np.float64)
    turned = np.clip(rate[:, None] * times, -_TURN_LIMIT_RAD, _TURN_LIMIT_RAD)
    ways = [np.zeros_like(turned), turned]
    poses = np.zeros((len(tracks), len(ways), len(times), 4), np.float32)
    for index, turn in enumerate(ways):
        heading = course[:, None] + turn
        middle = (heading[:, 1:] + heading[:, :-1]) / 2
        length = speed[:, None] * step_s
        along = np.stack([np.cos(middle) * length, np.sin(middle) * length], axis=2)
        way = np.concatenate([np.zeros((len(tracks), 1, 2)), np.cumsum(along, axis=1)], axis=1)
        poses[:, index, :, :2] = tracks.centers_m[:, None, :2] + way
        poses[:, index, :, 2] = tracks.centers_m[:, None, 2]
        poses[:, index, :, 3] = tracks.yaws_rad[:, None] + turn
    turning = np.abs(rate) / (np.abs(rate) + _TURN_SPREAD_RADPS)
    confidences = np.stack([1 - turning, turning], axis=1).astype(np.float32)
    return Predictions(tracks, poses, confidences, step_s)
