"""A class for every cell of space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.labels import UNLABELED, LabelSet


@dataclass(frozen=True, slots=True, eq=False)
class VoxelGrid:
    """Semantic occupancy of a box of space.

    Args:
        header: stamp and frame of the grid.
        labels: (Z, Y, X) uint8 class of each voxel, 255 where it is free or unknown.
        probability: (Z, Y, X) float32, probability that the voxel is occupied.
        origin_m: (3,) float64, x y z of the corner of voxel (0, 0, 0), metres.
        voxel_size_m: (3,) float64, x y z, metres.
        label_set: the classes.
    """

    header: Header
    labels: np.ndarray
    probability: np.ndarray
    origin_m: np.ndarray
    voxel_size_m: np.ndarray
    label_set: LabelSet

    def __post_init__(self) -> None:
        check_array("labels", self.labels, (None, None, None), np.uint8)
        check_array("probability", self.probability, self.labels.shape, np.float32)
        check_array("origin_m", self.origin_m, (3,), np.float64)
        check_array("voxel_size_m", self.voxel_size_m, (3,), np.float64)

    def occupied(self) -> np.ndarray:
        """Returns (M, 3) int64 coords_zyx of the occupied voxels."""
        return np.argwhere(self.labels != UNLABELED)

    def centers_m(self, coords_zyx: np.ndarray) -> np.ndarray:
        """Returns (M, 3) float32 x y z centres of voxels, metres."""
        centers = self.origin_m + (coords_zyx[:, ::-1] + 0.5) * self.voxel_size_m
        return centers.astype(np.float32)

    def occupied_centers(self) -> np.ndarray:
        """Returns (M, 3) float32 x y z centres of the occupied voxels, metres."""
        return self.centers_m(self.occupied())
