"""Semantic occupancy: between a network's voxels over the ground and a grid in base_link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core.header import Header
from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.ops.ground import GroundGrid

_SURE = np.float32(40.0)
"""Logits over that of free from which on a class is certain: keeps the exponential finite."""


@dataclass(frozen=True, slots=True)
class SemanticVoxelConfig:
    """The voxels of the occupancy head, and of the grid that is given out."""

    range_x_m: tuple[float, float] = option((-25.6, 51.2), help="behind and ahead", unit="m")
    range_y_m: tuple[float, float] = option((-25.6, 25.6), help="right and left", unit="m")
    range_z_m: tuple[float, float] = option(
        (-1.0, 3.8), help="over the local ground, in the network", unit="m"
    )
    grid_z_m: tuple[float, float] = option(
        (-3.0, 5.0), help="over base_link, in the grid given out", unit="m"
    )
    voxel_m: float = option(0.4, help="edge of a voxel", unit="m", range=(0.05, 5.0))

    def cells(self, limits_m: tuple[float, float]) -> int:
        """Number of voxels in a range."""
        return round((limits_m[1] - limits_m[0]) / self.voxel_m)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the network's output along z, y and x."""
        return self.cells(self.range_z_m), self.cells(self.range_y_m), self.cells(self.range_x_m)

    def centers(self, limits_m: tuple[float, float]) -> np.ndarray:
        """(cells,) float32 voxel centres in a range, metres."""
        steps = np.arange(self.cells(limits_m), dtype=np.float32) + 0.5
        return np.asarray(limits_m[0] + steps * self.voxel_m, np.float32)


def decode_voxels(
    logits: np.ndarray,
    ground: GroundGrid,
    config: SemanticVoxelConfig,
    header: Header,
    label_set: LabelSet,
) -> VoxelGrid:
    """Returns the grid in base_link of a network's output over the ground.

    A voxel is occupied where all classes together are more probable than free, although none alone
    may be; then it is of the most probable one.

    Args:
        logits: (1, K + 1, Z, Y, X), free the last class.
        ground: Ground under the scan.
        config: Both grids.
        header: Stamp and frame of the grid.
        label_set: The K classes.
    """
    scores = logits[0]
    least = scores[-1] - np.float32(np.log(len(scores) - 1))  # K classes below it are no majority
    perhaps = np.flatnonzero(scores[:-1].max(axis=0) > least)
    chosen = scores.reshape(len(scores), -1).take(perhaps, axis=1)  # (K + 1, M)
    odds = np.exp(np.minimum(chosen[:-1] - chosen[-1], _SURE)).sum(axis=0)
    likely = np.flatnonzero(odds > 1.0)
    occupied, chosen, odds = perhaps[likely], chosen[:-1].take(likely, axis=1), odds[likely]
    place, inside = _places(occupied, ground, config)
    shape = (config.cells(config.grid_z_m), *config.shape[1:])
    labels = np.full(shape, UNLABELED, np.uint8)
    probability = np.zeros(shape, np.float32)
    labels.reshape(-1)[place] = chosen[:, inside].argmax(axis=0)
    probability.reshape(-1)[place] = (odds / (1.0 + odds))[inside]
    return VoxelGrid(
        header,
        labels,
        probability,
        np.array([config.range_x_m[0], config.range_y_m[0], config.grid_z_m[0]]),
        np.full(3, config.voxel_m),
        label_set,
    )


def _places(
    occupied: np.ndarray, ground: GroundGrid, config: SemanticVoxelConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Returns where voxels of the network lie in the grid given out, as flat indices.

    Each lies where a centre of the grid's voxels falls into it: there is one, as both have the
    same size.

    Args:
        occupied: (M,) flat indices into the network's voxels.
        ground: Ground under the scan.
        config: Both grids.

    Returns:
        (M',) flat indices into the grid, and (M,) bool, which of the voxels are inside it.
    """
    x, y = np.meshgrid(config.centers(config.range_x_m), config.centers(config.range_y_m))
    under = ground.height_at(np.stack([x.ravel(), y.ravel()], axis=1))
    layer, column = np.divmod(occupied, under.size)
    lower_face = under[column] + (config.range_z_m[0] - config.grid_z_m[0])
    above = np.ceil(layer + lower_face / np.float32(config.voxel_m) - 0.5).astype(np.int64)
    inside = (above >= 0) & (above < config.cells(config.grid_z_m))
    return above[inside] * under.size + column[inside], inside
