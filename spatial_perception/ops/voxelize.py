"""A scan as a dense grid of voxels, the input of the 3D convolutional network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.ops.ground import GroundGrid

SUBDIVISION = 2
CHANNELS = SUBDIVISION**3


@dataclass(frozen=True, slots=True)
class VoxelConfig:
    """The box of space that is voxelized; heights are over the local ground."""

    range_x_m: tuple[float, float] = option((-51.2, 76.8), help="behind and ahead", unit="m")
    range_y_m: tuple[float, float] = option((-51.2, 51.2), help="right and left", unit="m")
    range_z_m: tuple[float, float] = option((-1.0, 3.8), help="over the local ground", unit="m")
    voxel_m: tuple[float, float, float] = option(
        (0.4, 0.4, 0.6), help="voxel size x y z", unit="m", range=(0.01, 10.0)
    )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along z, y and x."""
        ranges = (self.range_z_m, self.range_y_m, self.range_x_m)
        z, y, x = (
            round((high - low) / size)
            for (low, high), size in zip(ranges, self.voxel_m[::-1], strict=True)
        )
        return z, y, x

    @property
    def origin_m(self) -> tuple[float, float, float]:
        """Corner of voxel (0, 0, 0): x, y, and height over the ground."""
        return self.range_x_m[0], self.range_y_m[0], self.range_z_m[0]


def voxelize(points: np.ndarray, ground: GroundGrid, config: VoxelConfig) -> np.ndarray:
    """Returns (8, Z, Y, X) float32: the sub-voxels that points fall into.

    Each voxel is cut in two along every axis; channel 4 iz + 2 iy + ix belongs to sub-voxel
    (iz, iy, ix). Its value is 0 where it is empty, else between 0.5 and 1: half of it says that
    there is something, the rest how high in the sub-voxel the highest point lies. Neither intensity
    nor the number of points enters, which differ most between sensors.

    Args:
        points: (N, 3) float32, metres, base_link.
        ground: Ground under the scan.
        config: Range and size of the voxels.
    """
    return voxelize_heights(points, points[:, 2] - ground.height_at(points), config)


def voxelize_heights(points: np.ndarray, heights: np.ndarray, config: VoxelConfig) -> np.ndarray:
    """Returns what `voxelize` does, for (N,) heights over the ground that are already known."""
    depth, height, width = config.shape
    origin = np.array(config.origin_m, np.float32)
    fine = np.float32(SUBDIVISION) / np.array(config.voxel_m, np.float32)
    x = (points[:, 0] - origin[0]) * fine[0]
    y = (points[:, 1] - origin[1]) * fine[1]
    z = (heights - origin[2]) * fine[2]
    inside = (x >= 0) & (x < 2 * width) & (y >= 0) & (y < 2 * height) & (z >= 0) & (z < 2 * depth)
    x, y, z = x[inside], y[inside], z[inside]
    ix, iy, iz = x.astype(np.int32), y.astype(np.int32), z.astype(np.int32)
    channel = (iz & 1) * 4 + (iy & 1) * 2 + (ix & 1)
    flat = ((channel * depth + (iz >> 1)) * height + (iy >> 1)) * width + (ix >> 1)
    voxels = np.zeros((CHANNELS, depth, height, width), np.float32)
    np.maximum.at(voxels.reshape(-1), flat, 0.5 + 0.5 * (z - iz).astype(np.float32))
    return voxels
