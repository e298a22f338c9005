"""Scores of boxes as probabilities: one map a class, which stands in model.yaml (Platt, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.errors import ConfigError

_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """sigmoid(scale * logit(score) + offset) of each class; without any, scores are as they come.

    Raises:
        ConfigError: Scales and offsets are not as many, or a scale is not positive.
    """

    scales: tuple[float, ...] = option((), help="of the logits, one a class; none: no map")
    offsets: tuple[float, ...] = option((), help="added to them, one a class")

    def __post_init__(self) -> None:
        if len(self.scales) != len(self.offsets) or any(scale <= 0 for scale in self.scales):
            raise ConfigError(
                "calibration: expected as many offsets as scales, and scales above 0, got"
                f" {self.scales} and {self.offsets}"
            )

    def probabilities(self, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns (N,) probabilities of scores (N,) of classes (N,)."""
        if not self.scales:
            return scores
        scale, offset = np.array(self.scales)[labels], np.array(self.offsets)[labels]
        return _sigmoid(scale * _logit(scores) + offset)

    def scores(self, probability: float, classes: int) -> np.ndarray:
        """Returns (K,) what a network's score has to be in each class for a probability."""
        if not self.scales or probability in (0.0, 1.0):
            return np.full(classes, probability)
        wanted = _logit(np.full(classes, probability))
        return _sigmoid((wanted - np.array(self.offsets)) / np.array(self.scales))


UNCALIBRATED = ScoreCalibration()


def _logit(share: np.ndarray) -> np.ndarray:
    bounded = np.clip(share.astype(np.float64), _SMALLEST, 1.0 - _SMALLEST)
    logits: np.ndarray = np.log(bounded / (1.0 - bounded))
    return logits


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    shares: np.ndarray = 1.0 / (1.0 + np.exp(-logits))
    return shares
