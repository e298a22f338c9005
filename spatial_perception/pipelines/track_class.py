"""What the speed of a track says of its class and of its existence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_perception.pipelines.motion import MotionModel
from spatial_perception.pipelines.track_bank import TrackBank

_SPREAD_MPS = 0.5
_MOST = 6.0  # that one scan says
_STANDING_SHARE = 0.5  # of people and riders
_DRIFT_MPS = 0.3  # of boxes on what stands
_GOING_MPS = 3.0  # spread of the speeds of those who go
_MOST_OF_MOTION = 2.0
_FIRST_HITS = 4  # before, a speed hangs on too few pairs


def speed_evidence(bank: TrackBank, models: Sequence[MotionModel]) -> np.ndarray:
    """Returns (N, C) what to add to the logarithms of the classes: who is too fast for a class.

    Args:
        bank: N tracks in a frame that does not move.
        models: of each class.
    """
    speeds = np.hypot(*bank.velocities_mps().T)
    tops = np.array([model.top_speed_mps for model in models])
    excess = np.maximum(speeds[:, None] - tops, 0.0)
    evidence: np.ndarray = -0.5 * excess**2 / (_SPREAD_MPS**2 + _variance(bank))[:, None]
    return np.maximum(evidence, -_MOST)


def moving_evidence(bank: TrackBank, is_long: np.ndarray) -> np.ndarray:
    """Returns (N,) what the speed of people and riders adds to the log-odds of their existence.

    What is taken for them are poles, bushes and bins, which stand; half of them go. So what goes
    is hardly anything else, and what stands is somewhat less likely there. Of vehicles speed says
    nothing: false boxes on the long sides of things move along them.

    Args:
        bank: N tracks in a frame that does not move.
        is_long: (C,) bool, which classes are vehicles.
    """
    if not len(bank):
        return np.zeros(0)
    square = np.square(bank.velocities_mps()).sum(axis=1)
    still = _variance(bank) + _DRIFT_MPS**2
    going = still + _GOING_MPS**2
    exponent = np.minimum(0.5 * square * (1 / still - 1 / going), 20.0)
    odds = _STANDING_SHARE + (1 - _STANDING_SHARE) * still / going * np.exp(exponent)
    evidence = np.minimum(np.log(odds), _MOST_OF_MOTION)
    silent = is_long[bank.class_logs.argmax(axis=1)] | (bank.hits < _FIRST_HITS)
    return np.where(silent, 0.0, evidence)


def _variance(bank: TrackBank) -> np.ndarray:
    variance: np.ndarray = np.where(
        bank.turns, bank.covariance[:, 3, 3], bank.covariance[:, [3, 4], [3, 4]].max(axis=1)
    )
    return variance
