"""Scores of boxes as probabilities: one map a class, which stands in model.yaml (Platt, 1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from spatial_perception.config import option
from spatial_perception.errors import ConfigError


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
        found: np.ndarray = expit(scale * logit(scores.astype(np.float64)) + offset)
        return found

    def inverse(self, probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Returns (N,) scores whose probabilities are these."""
        if not self.scales:
            return probabilities
        scale, offset = np.array(self.scales)[labels], np.array(self.offsets)[labels]
        found: np.ndarray = expit((logit(probabilities.astype(np.float64)) - offset) / scale)
        return found


UNCALIBRATED = ScoreCalibration()
