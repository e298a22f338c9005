"""Intersection over union and accuracy of labelled pixels, points or voxels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

IGNORED = 255


class ConfusionMatrix:
    """Counts of (truth, prediction) pairs over any number of frames.

    A prediction outside the classes (255, "no answer") on labelled truth is a miss of the true
    class and nobody's false positive: it is counted in one extra column.

    Attributes:
        names: The K class names, in the order of their indices.
        counts: (K, K + 1) int64, rows the truth, columns the prediction, the last "no answer".
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        if not self.names:
            raise ValueError("names: expected at least one class, got none")
        self.counts: NDArray[np.int64] = np.zeros((len(names), len(names) + 1), dtype=np.int64)

    def add(self, labels: ArrayLike, truth: ArrayLike, ignore: int | None = IGNORED) -> None:
        """Counts one frame.

        Args:
            labels: Predicted class indices, any shape, integer.
            truth: True class indices, the same shape.
            ignore: Truth of this value does not enter.

        Raises:
            ValueError: If the shapes differ, or the truth holds neither a class nor `ignore`.
        """
        predicted, actual = np.asarray(labels), np.asarray(truth)
        if predicted.shape != actual.shape:
            raise ValueError(
                f"labels and truth: expected one shape, got {predicted.shape} and {actual.shape}"
            )
        predicted = predicted.ravel().astype(np.int64)
        actual = actual.ravel().astype(np.int64)
        if ignore is not None:
            counted = actual != ignore
            predicted, actual = predicted[counted], actual[counted]
        classes = len(self.names)
        if actual.size and (actual.min() < 0 or actual.max() >= classes):
            strange = actual[(actual < 0) | (actual >= classes)][0]
            raise ValueError(f"truth: expected classes 0..{classes - 1} or {ignore}, got {strange}")
        column = np.where((predicted >= 0) & (predicted < classes), predicted, classes)
        pairs = np.bincount(actual * (classes + 1) + column, minlength=self.counts.size)
        self.counts += pairs.reshape(self.counts.shape)

    def merge(self, other: ConfusionMatrix) -> None:
        """Adds the counts of another matrix over the same classes."""
        if other.names != self.names:
            raise ValueError(f"classes differ: {self.names} and {other.names}")
        self.counts += other.counts

    @property
    def present(self) -> NDArray[np.bool_]:
        """(K,) bool, which classes occur in the truth."""
        return np.asarray(self.counts.sum(axis=1) > 0)

    @property
    def iou(self) -> NDArray[np.float64]:
        """(K,) percent, TP / (TP + FP + FN); NaN for a class absent from the truth."""
        return ious(self.counts)

    @property
    def miou(self) -> float:
        """Mean of `iou` over the classes present in the truth, percent; NaN without any truth."""
        return mean_of_present(self.iou)

    @property
    def accuracy(self) -> float:
        """Share of labelled elements with the right class, percent; NaN without any truth."""
        total = int(self.counts.sum())
        return 100.0 * float(np.trace(self.counts)) / total if total else float("nan")

    def metrics(self) -> dict[str, float]:
        """`miou`, `accuracy` and `iou_<class>` for each class present in the truth, percent."""
        values = {"miou": self.miou, "accuracy": self.accuracy}
        for name, value, present in zip(self.names, self.iou, self.present, strict=True):
            if present:
                values[f"iou_{name}"] = float(value)
        return values


def ious(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) percent from the (K, K + 1) counts of a `ConfusionMatrix`; NaN where no truth is."""
    hits = np.diagonal(counts).astype(np.float64)
    in_truth = counts.sum(axis=1)
    union = in_truth + counts[:, :-1].sum(axis=0) - hits
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(in_truth > 0, 100.0 * hits / union, np.nan)


def mean_of_present(values: NDArray[np.float64]) -> float:
    """Mean over what is not NaN, NaN where nothing is left."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")
