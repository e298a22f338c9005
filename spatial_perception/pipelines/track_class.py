"""What the speed of a track says of its class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_perception.pipelines.motion import MotionModel
from spatial_perception.pipelines.track_bank import TrackBank

_SPREAD_MPS = 0.5
_MOST = 6.0  # that one scan says


def speed_evidence(bank: TrackBank, models: Sequence[MotionModel]) -> np.ndarray:
    """Returns (N, C) what to add to the logarithms of the classes: who is too fast for a class.

    Args:
        bank: N tracks in a frame that does not move.
        models: of each class.
    """
    speeds = np.hypot(*bank.velocities_mps().T)
    variance = np.where(
        bank.turns, bank.covariance[:, 3, 3], bank.covariance[:, [3, 4], [3, 4]].max(axis=1)
    )
    tops = np.array([model.top_speed_mps for model in models])
    excess = np.maximum(speeds[:, None] - tops, 0.0)
    evidence: np.ndarray = -0.5 * excess**2 / (_SPREAD_MPS**2 + variance)[:, None]
    return np.maximum(evidence, -_MOST)
