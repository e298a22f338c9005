"""The occupied voxels of a scan, and of voxels twice as large, and so on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MIDDLE, _LOWEST = 1 << 15, 16
_BITS_XY, _BITS_Z = 16, 7


@dataclass(frozen=True, slots=True, eq=False)
class Voxels:
    """The occupied voxels of a level, sorted by x, y and z.

    Args:
        cells: (3, n) int32 x y z, each counted from where the voxels begin.
        group: (m,) int32 voxel of each point, or of each voxel of the level below.
        order: (m,) int64 points, or voxels of the level below, sorted by voxel.
        starts: (n,) int64 where each voxel begins in `order`.
    """

    cells: np.ndarray
    group: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, cells: np.ndarray) -> Voxels:
        """Returns the voxels of (3, m) int32 places, m below 2^24.

        Place and index make one integer: sorting values is faster than sorting indices by them.
        """
        count = cells.shape[1]
        bits = count.bit_length()
        key = cells[0].astype(np.int64)
        key <<= _BITS_XY
        key |= cells[1]
        key <<= _BITS_Z
        key |= cells[2]
        key <<= bits
        key |= np.arange(count)
        key.sort()
        order = key & ((1 << bits) - 1)
        key >>= bits
        starts = np.append(0, np.flatnonzero(key[1:] != key[:-1]) + 1)
        numbers = np.arange(len(starts), dtype=np.int32)
        group = np.empty(count, np.int32)
        group[order] = np.repeat(numbers, np.diff(starts, append=count))
        return cls(cells.take(order.take(starts), axis=1), group, order, starts)

    def __len__(self) -> int:
        """Number of voxels."""
        return len(self.starts)

    def merged(self, merge: np.ufunc, values: np.ndarray) -> np.ndarray:
        """Returns (..., n) values of each voxel, of (..., m) values of what it holds."""
        ordered = values.take(self.order, axis=-1)
        result: np.ndarray = merge.reduceat(ordered, self.starts, axis=-1)
        return result


def voxel_pyramid(
    points: np.ndarray, heights: np.ndarray, voxel_m: float, limits: tuple[int, ...]
) -> tuple[list[Voxels], float]:
    """Returns the voxels of each level and the size of those of level 0.

    Voxels grow in steps until every level has at most as many as its limit.

    Args:
        points: (P, 3) float32, metres.
        heights: (P,) float32 of the points over the ground, metres.
        voxel_m: Size of the voxels of level 0 at least.
        limits: Voxels of each level at most.
    """
    while True:
        levels = [Voxels.of(_cells(points, heights, voxel_m))]
        for limit in limits[:-1]:
            if len(levels[-1]) > limit:
                break
            levels.append(Voxels.of(levels[-1].cells >> 1))
        excess = max(len(level) / limit for level, limit in zip(levels, limits, strict=False))
        if excess <= 1.0:
            return levels, voxel_m
        voxel_m *= max(1.03, min(excess, 8.0) ** 0.8)


def _cells(points: np.ndarray, heights: np.ndarray, voxel_m: float) -> np.ndarray:
    """Returns (3, P) int32 voxels of points.

    A voxel's lower face lies half a voxel below the ground, so that the lowest layer is ground
    and what stands on it begins in the next.
    """
    per_m = np.float32(1.0 / voxel_m)
    cells = np.empty((3, len(points)), np.int32)
    layer = np.floor(heights * per_m + np.float32(0.5))
    cells[0] = np.floor(points[:, 0] * per_m)
    cells[1] = np.floor(points[:, 1] * per_m)
    cells[2] = np.clip(layer, -_LOWEST, (1 << _BITS_Z) - 1 - _LOWEST)
    cells += np.array([[_MIDDLE], [_MIDDLE], [_LOWEST]], np.int32)
    return cells
