"""A confusion matrix a frame, and the metrics of any draw of frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_perception.evaluation.segmentation import ConfusionMatrix


class LabelledFrames:
    """`miou`, `accuracy` and `iou_<class>` over frames; `compute` takes frame weights.

    Args:
        names: Class names.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._frames: list[ConfusionMatrix] = []

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, labels: ArrayLike, truth: ArrayLike) -> None:
        """Counts one frame, as `ConfusionMatrix.add` does."""
        matrix = ConfusionMatrix(self.names)
        matrix.add(labels, truth)
        self._frames.append(matrix)

    def total(self, weights: NDArray[np.int64] | None = None) -> ConfusionMatrix:
        """The confusion of all frames.

        Args:
            weights: (F,) int64, how often each frame counts; once each where None.
        """
        every = np.ones(len(self), np.int64) if weights is None else weights
        matrix = ConfusionMatrix(self.names)
        for frame, weight in zip(self._frames, every, strict=True):
            matrix.counts += weight * frame.counts
        return matrix

    def compute(self, weights: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Metrics by name, percent; nothing where no truth counts."""
        metrics = self.total(weights).metrics()
        return {name: value for name, value in metrics.items() if np.isfinite(value)}

    @property
    def errors(self) -> NDArray[np.float64]:
        """(F,) 100 minus the mean iou of each frame; 0 where nothing is labelled."""
        return np.nan_to_num(np.array([100.0 - frame.miou for frame in self._frames]))
