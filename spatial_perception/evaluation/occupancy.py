"""Overlap of predicted and true voxels, counted where the truth could be seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.datasets.shards import FREE
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


def labels_at(grid: VoxelGrid, centers_m: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(N,) uint8, the grid's label at each point, 255 outside the grid.

    Args:
        grid: The grid.
        centers_m: (N, 3) x y z, metres, the grid's frame.
    """
    cells = np.floor((centers_m - grid.origin_m) / grid.voxel_size_m).astype(np.int64)
    shape_xyz = np.array(grid.labels.shape[::-1])
    inside = np.all((cells >= 0) & (cells < shape_xyz), axis=1)
    labels = np.full(len(cells), UNLABELED, dtype=np.uint8)
    x, y, z = cells[inside].T
    labels[inside] = grid.labels[z, y, x]
    return labels
