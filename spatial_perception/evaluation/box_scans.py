"""One LiDAR scan with the boxes that are to be found in it, whatever data set it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.datasets.shards import VoxelTruth
from spatial_perception.evaluation.detection3d import EASY, HARD, MODERATE, NEVER, BoxFrame

MODERATE_POINTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """How detections of one scan count, see `BoxFrame`.

    Attributes:
        levels: (D,) easiest difficulty at which each counts.
        outside: (D,) bool, where nobody labelled.
        dont_care: (D,) bool, in a region declared unlabelled.
    """

    levels: NDArray[np.int64]
    outside: NDArray[np.bool_]
    dont_care: NDArray[np.bool_]


def judge_all_alike(found: Detections3D) -> Judgement:
    """Every detection counts: the data set is labelled all around."""
    count = len(found)
    levels = np.full(count, EASY, dtype=np.int64)
    return Judgement(levels, np.zeros(count, dtype=bool), np.zeros(count, dtype=bool))


@dataclass(frozen=True, slots=True, eq=False)
class BoxScan:
    """A scan and its truth.

    Attributes:
        cloud: Points in base_link.
        boxes: (T, 7) x y z l w h yaw, base_link.
        labels: (T,) index in `OBJECT_LABELS`.
        levels: (T,) easiest difficulty at which each counts.
        judge: How detections count.
        voxels: Complete voxels, where they are known.
    """

    cloud: PointCloud
    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    levels: NDArray[np.int64]
    judge: Callable[[Detections3D], Judgement] = judge_all_alike
    voxels: VoxelTruth | None = None

    def frame(self, found: Detections3D) -> BoxFrame:
        """Truth and detections, ready to be matched."""
        judgement = self.judge(found)
        return BoxFrame(
            self.boxes,
            self.labels,
            self.levels,
            found.boxes().astype(np.float64),
            found.scores.astype(np.float64),
            found.labels.astype(np.int64),
            judgement.levels,
            judgement.outside,
            judgement.dont_care,
        )


@dataclass(frozen=True, slots=True, eq=False)
class BoxScanSource:
    """A scan by name, read when asked for."""

    name: str
    read: Callable[[], BoxScan] = field(repr=False)


def levels_of_points(points: NDArray[np.integer]) -> NDArray[np.int64]:
    """(T,) difficulties by the number of LiDAR points on each object.

    From 5 points moderate, from 1 hard; without points an object cannot be found and is neutral.
    """
    levels = np.full(len(points), NEVER, dtype=np.int64)
    levels[points >= 1] = HARD
    levels[points >= MODERATE_POINTS] = MODERATE
    return levels
