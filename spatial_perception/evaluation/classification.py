"""Accuracy, calibration error and confusion of a classifier's probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_perception.pipelines.crop_classifier import CropClassifierConfig

CALIBRATION_BINS = 15
LEAST_CONFIDENCE = CropClassifierConfig().min_confidence
"""Under it a classifier answers `unknown` by default."""


def accuracy(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Share of samples whose most probable class is the true one, percent; NaN without samples.

    Args:
        probabilities: (N, K), rows sum to one (logits serve as well).
        truth: (N,) integer class indices.
    """
    scores, actual = _checked(probabilities, truth)
    return 100.0 * float(np.mean(scores.argmax(axis=1) == actual)) if len(actual) else float("nan")


def ece(probabilities: ArrayLike, truth: ArrayLike, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error of the most probable class, percent (Guo et al., 2017).

    The confidence in (0, 1] falls into `bins` equal bins (low, high]; the error is the mean of
    |accuracy - confidence| over the bins, weighted by their samples.

    Args:
        probabilities: (N, K), rows sum to one.
        truth: (N,) integer class indices.
        bins: Number of bins.
    """
    scores, actual = _checked(probabilities, truth)
    return calibration_error(scores.max(axis=1), scores.argmax(axis=1) == actual, bins)


def calibration_error(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """`ece` of answers (N,) with their probability and whether they were right; NaN of none."""
    if not len(right):
        return float("nan")
    index = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(index, weights=right.astype(np.float64) - confidence, minlength=bins)
    return 100.0 * float(np.abs(gaps).sum()) / len(right)


def unknown_share(confidence: NDArray[np.floating], least: float = LEAST_CONFIDENCE) -> float:
    """Percent of answers (N,) that are less sure than `least`, so that they are `unknown`."""
    return 100.0 * float(np.mean(confidence < least)) if len(confidence) else float("nan")


def confusion(probabilities: ArrayLike, truth: ArrayLike) -> NDArray[np.int64]:
    """(K, K) counts, rows the truth, columns the most probable class."""
    scores, actual = _checked(probabilities, truth)
    classes = scores.shape[1]
    pairs = np.bincount(actual * classes + scores.argmax(axis=1), minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def _checked(
    probabilities: ArrayLike, truth: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    scores = np.asarray(probabilities, dtype=np.float64)
    actual = np.asarray(truth, dtype=np.int64)
    if scores.ndim != 2 or actual.shape != scores.shape[:1]:
        raise ValueError(
            f"expected probabilities (N, K) and truth (N,), got {scores.shape} and {actual.shape}"
        )
    if actual.size and (actual.min() < 0 or actual.max() >= scores.shape[1]):
        raise ValueError(f"truth: expected classes 0..{scores.shape[1] - 1}, got {actual.max()}")
    return scores, actual
