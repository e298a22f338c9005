"""Where objects may go next: a few ways of each, with how probable they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.tracks import Tracks


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Hypotheses of the way of each track.

    Args:
        tracks: the objects now.
        poses: (N, H, T, 4) float32, x y z yaw at every step of every hypothesis, metres and
            radians, in the tracks' frame; the first step is now.
        confidences: (N, H) float32, summing to 1 for each object.
        step_s: time between two steps, seconds.
    """

    tracks: Tracks
    poses: np.ndarray
    confidences: np.ndarray
    step_s: float

    def __post_init__(self) -> None:
        count = len(self.tracks)
        check_array("poses", self.poses, (count, None, None, 4), np.float32)
        check_array("confidences", self.confidences, (count, self.poses.shape[1]), np.float32)
