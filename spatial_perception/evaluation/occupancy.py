"""Overlap of predicted and true voxels, counted where the truth could be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.datasets.shards import FREE, VoxelTruth
from spatial_perception.evaluation.segmentation import ConfusionMatrix, ious, mean_of_present


class OccupancyMetrics:
    """`iou` of occupied against free and `miou` over the classes, in percent.

    Args:
        names: Names of the K occupied classes.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._counts: list[NDArray[np.int64]] = []

    def __len__(self) -> int:
        return len(self._counts)

    def add(
        self, labels: NDArray[np.uint8], truth: NDArray[np.uint8], visible: NDArray[np.bool_]
    ) -> None:
        """Counts one frame.

        Args:
            labels: (Z, Y, X) predicted classes, anything else is free.
            truth: (Z, Y, X) classes, 254 free, 255 unknown (does not count).
            visible: (Z, Y, X) bool, voxels that count.
        """
        classes = len(self.names)
        counted = visible & (truth != UNLABELED)
        matrix = ConfusionMatrix((*self.names, "free"))
        predicted, actual = labels[counted], truth[counted]
        matrix.add(
            np.where(predicted < classes, predicted, classes),
            np.where(actual == FREE, classes, actual),
            ignore=None,
        )
        self._counts.append(matrix.counts)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(F, K + 1, K + 2) int64, the confusion of each frame, free the class K."""
        shape = (-1, len(self.names) + 1, len(self.names) + 2)
        return np.array(self._counts, dtype=np.int64).reshape(shape)

    def compute(self, weights: NDArray[np.int64] | None = None) -> dict[str, float]:
        """`iou`, `miou` and `iou_<class>` of the classes in the truth.

        Args:
            weights: (F,) int64, how often each frame counts; once each where None.
        """
        every = np.ones(len(self._counts), np.int64) if weights is None else weights
        counts = np.tensordot(every, self.counts, axes=1)
        free = len(self.names)
        hits = counts[:free, :free].sum()
        union = counts.sum() - counts[free, free]
        by_class = ious(counts)[:free]
        values = {
            "iou": 100.0 * float(hits / union) if union else float("nan"),
            "miou": mean_of_present(by_class),
        }
        values.update({f"iou_{n}": float(v) for n, v in zip(self.names, by_class, strict=True)})
        return {name: value for name, value in values.items() if np.isfinite(value)}


def voxels_compared(
    grid: VoxelGrid, truth: VoxelTruth
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """The prediction at the centres of the truth's voxels, the truth, and which of them count."""
    shape = truth.labels.shape
    cells, inside = [], []
    for axis, count, cells_of_grid in zip((2, 1, 0), shape, grid.labels.shape, strict=True):
        centers_m = truth.origin_m[axis] + (np.arange(count) + 0.5) * truth.voxel_size_m[axis]
        away_m = centers_m - grid.origin_m[axis]
        cell = np.floor(away_m / grid.voxel_size_m[axis]).astype(np.int64)
        inside.append((cell >= 0) & (cell < cells_of_grid))
        cells.append(cell[inside[-1]])
    labels, counts = np.full(shape, UNLABELED, np.uint8), np.zeros(shape, np.bool_)
    there = np.ix_(*inside)
    labels[there] = grid.labels[np.ix_(*cells)]
    counts[there] = truth.visible[there]
    return labels, truth.labels, counts
