"""Semantic occupancy: between a network's voxels over the ground and a grid in base_link."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core.header import Header
from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.ops.ground import GroundGrid


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

    Args:
        logits: (1, K + 1, Z, Y, X), free the last class.
        ground: Ground under the scan.
        config: Both grids.
        header: Stamp and frame of the grid.
        label_set: The K classes.
    """
    scores = logits[0]
    best = scores[:-1].max(axis=0)
    occupied = np.nonzero(best > scores[-1])
    chosen = scores[(slice(None), *occupied)]  # (K + 1, M)
    shares = np.exp(chosen - chosen.max(axis=0))
    labels = np.full(best.shape, UNLABELED, np.uint8)
    labels[occupied] = chosen[:-1].argmax(axis=0)
    probability = np.zeros(best.shape, np.float32)
    probability[occupied] = 1.0 - shares[-1] / shares.sum(axis=0)

    layer = _layers(ground, config)
    inside = (layer >= 0) & (layer < len(labels))
    layer = np.clip(layer, 0, len(labels) - 1)
    rows, columns = np.ogrid[: layer.shape[1], : layer.shape[2]]
    origin = (config.range_x_m[0], config.range_y_m[0], config.grid_z_m[0])
    return VoxelGrid(
        header,
        np.where(inside, labels[layer, rows, columns], np.uint8(UNLABELED)),
        np.where(inside, probability[layer, rows, columns], np.float32(0.0)),
        np.array(origin),
        np.full(3, config.voxel_m),
        label_set,
    )


def _layers(ground: GroundGrid, config: SemanticVoxelConfig) -> np.ndarray:
    """Returns (Z', Y, X) int32 layer of the network at each voxel of the grid, maybe outside."""
    x, y = np.meshgrid(config.centers(config.range_x_m), config.centers(config.range_y_m))
    under = ground.height_at(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    lowest = under + np.float32(config.range_z_m[0])
    z = config.centers(config.grid_z_m)
    layers: np.ndarray = np.floor((z[:, None, None] - lowest) / np.float32(config.voxel_m))
    return layers.astype(np.int32)
