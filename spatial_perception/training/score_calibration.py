"""Scores that say how often a detection of that score is right (Platt, 1999)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

_FEWEST = 50
_CLIP = 1e-6
_LEAST_SCALE = 1e-3
"""Of scores that say nothing, or the contrary: a map of none would not keep their order."""


def fit_scores(scores: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Returns scale and bias of the logits with the smallest negative log likelihood.

    sigmoid(scale * logit(score) + bias) is then the share of right answers. Scores of fewer than 50
    answers, or of answers that are all right or all wrong, stay as they are: (1, 0).

    Args:
        scores: (N,) 0..1.
        right: (N,) bool.
    """
    if len(scores) < _FEWEST or right.all() or not right.any():
        return 1.0, 0.0
    clipped = np.clip(scores.astype(np.float64), _CLIP, 1.0 - _CLIP)
    logits = np.log(clipped / (1.0 - clipped))
    sign = np.where(right, -1.0, 1.0)

    def negative_log_likelihood(parameters: np.ndarray) -> float:
        log_scale, bias = parameters
        return float(np.logaddexp(0.0, sign * (np.exp(log_scale) * logits + bias)).mean())

    found = minimize(negative_log_likelihood, np.zeros(2), method="Nelder-Mead")
    return max(float(np.exp(found.x[0])), _LEAST_SCALE), float(found.x[1])
