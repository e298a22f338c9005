"""Local ground height under a scan: low percentiles on a coarse grid, limited in slope."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from spatial_perception.config import option
from spatial_perception.ops.cells import cell_at

_ENOUGH_POINTS = 40_000
_PIT_DEPTH_M = 0.3


@dataclass(frozen=True, slots=True)
class GroundConfig:
    """How the ground under a scan is estimated."""

    cell_m: float = option(3.0, help="side of a cell", unit="m", range=(0.5, 20.0))
    reach_m: float = option(
        90.0, help="half side of the square around base_link", unit="m", range=(10.0, 500.0)
    )
    percentile: float = option(
        8.0, help="share of a cell's points taken as ground or below it", range=(0.0, 50.0)
    )
    max_slope: float = option(
        0.15, help="largest rise of the ground between cells", unit="m/m", range=(0.01, 2.0)
    )
    depth_m: float = option(
        6.0, help="ground is sought this far above and below base_link", unit="m", range=(1.0, 50.0)
    )
    min_points: int = option(4, help="a cell with fewer points is filled in", range=(1, 1000))


@dataclass(frozen=True, slots=True, eq=False)
class GroundGrid:
    """Ground heights at the centres of square cells.

    Args:
        heights_m: (H, W) float32, row = y, column = x, base_link.
        corner_m: x and y of the corner of cell (0, 0).
        cell_m: side of a cell.
    """

    heights_m: np.ndarray
    corner_m: float
    cell_m: float

    def height_at(self, xy: np.ndarray) -> np.ndarray:
        """Returns (N,) float32 ground heights at (N, 2) places, bilinear, constant outside."""
        rows, columns = self.heights_m.shape
        row, row_share = self._interval(xy[:, 1], rows)
        corner, column_share = self._interval(xy[:, 0], columns)
        row *= columns
        corner += row
        flat = self.heights_m.ravel()
        heights, far = flat.take(corner), flat.take(corner + columns)
        heights += column_share * (flat.take(corner + 1) - heights)
        far += column_share * (flat.take(corner + (columns + 1)) - far)
        far -= heights
        far *= row_share
        heights += far
        return heights

    def refined(self, factor: int) -> GroundGrid:
        """Returns the same ground on cells that are smaller by a factor, bilinear."""
        size = tuple(factor * n for n in self.heights_m.shape[::-1])
        heights = cv2.resize(self.heights_m, size, interpolation=cv2.INTER_LINEAR)
        return GroundGrid(heights, self.corner_m, self.cell_m / factor)

    def cell_height_at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Returns (N,) float32 heights of the cells at (N,) places, of the nearest cell outside."""
        cell = cell_at(x, y, (self.corner_m, self.corner_m), self.cell_m, self.heights_m.shape)
        heights: np.ndarray = self.heights_m.ravel().take(cell)
        return heights

    def _interval(self, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the cell centre before each value, and the share towards the next."""
        place = (values - np.float32(self.corner_m)) * np.float32(1.0 / self.cell_m)
        place -= np.float32(0.5)
        np.clip(place, np.float32(0.0), np.float32(count - 1.001), out=place)
        before = np.floor(place)
        place -= before
        return before.astype(np.intp), place


def flat_ground(height_m: float = 0.0) -> GroundGrid:
    """Returns level ground at a height."""
    return GroundGrid(np.full((2, 2), height_m, np.float32), -1.0, 1.0)


def estimate_ground(points: np.ndarray, config: GroundConfig = GroundConfig()) -> GroundGrid:
    """Returns the ground under a scan in base_link.

    In each cell a low percentile of the heights; then no cell may stand higher above a neighbour
    than `max_slope` allows, starting from height 0 under base_link, so that cells which hold only
    a roof or a hedge fall to the ground around them. Empty cells take the nearest known height.

    Args:
        points: (N, 3) float32, metres, base_link (on the ground, z up).
        config: Cell size and limits.
    """
    side = int(np.ceil(2.0 * config.reach_m / config.cell_m))
    corner = -0.5 * side * config.cell_m
    thinned = points[:: max(1, len(points) // _ENOUGH_POINTS)]
    low = _low_heights(thinned, side, corner, config)
    middle = side // 2
    low = _without_pits(low, config.max_slope * config.cell_m)
    low[middle - 1 : middle + 1, middle - 1 : middle + 1] = 0.0  # base_link stands on the ground
    known = np.isfinite(low)
    heights = _limit_slope(low, config.max_slope * config.cell_m)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    heights = ndimage.uniform_filter(heights[tuple(nearest)], 3, mode="nearest")
    return GroundGrid(heights.astype(np.float32), corner, config.cell_m)


def _low_heights(points: np.ndarray, side: int, corner: float, config: GroundConfig) -> np.ndarray:
    """Returns (side, side) percentiles, +inf where there are too few points.

    Counted in levels of height: exact up to the mean of the points in one level of 0.1 m.
    """
    level_m = 0.1
    levels = round(2 * config.depth_m / level_m)
    per_cell = np.float32(1.0 / config.cell_m)
    x, y = ((points[:, axis] - np.float32(corner)) * per_cell for axis in (0, 1))
    level = (points[:, 2] + np.float32(config.depth_m)) * np.float32(1.0 / level_m)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side) & (level >= 0) & (level < levels)
    cell = y.astype(np.int32) * side + x.astype(np.int32)
    cell = np.where(inside, cell, side * side)  # one more place, for what lies outside
    total = np.bincount(cell, minlength=side * side + 1)[:-1]
    used = np.flatnonzero(total >= config.min_points)
    place = np.full(side * side + 1, len(used), np.int32)
    place[used] = np.arange(len(used))

    row = place.take(cell)
    bins = row * levels + np.where(inside, level, 0).astype(np.int32)
    counts = np.zeros((len(used) + 1) * levels, np.int32)
    np.add.at(counts, bins, np.int32(1))
    rank = np.maximum(np.ceil(total[used] * (config.percentile / 100.0)), 2)
    running = np.cumsum(counts[: len(used) * levels].reshape(-1, levels), axis=1, dtype=np.int32)
    chosen = np.arange(len(used)) * levels + np.argmax(running >= rank[:, None], axis=1)
    among = np.flatnonzero(bins == np.append(chosen, -1).take(row))  # only their sums are wanted
    sums = np.bincount(row.take(among), points[:, 2].take(among), minlength=len(used))
    heights = np.full(side * side, np.inf)
    heights[used] = sums / np.maximum(counts[chosen], 1)
    return heights.reshape(side, side)


def _without_pits(heights: np.ndarray, step: float) -> np.ndarray:
    """Returns the heights without isolated cells far below the cells around them.

    Mirror reflections appear metres under the road, in cells that hold nothing else.
    """
    known = np.isfinite(heights)
    around = cv2.boxFilter(known.astype(np.uint8), -1, (5, 5), normalize=False,
                           borderType=cv2.BORDER_CONSTANT)  # fmt: skip
    quarter = around // 4
    padded, limit = np.pad(heights, 2, constant_values=np.inf), heights + (step + _PIT_DEPTH_M)
    rows, columns = heights.shape
    not_above = np.zeros(heights.shape, np.uint8)
    for row, column in np.ndindex(5, 5):
        not_above += padded[row : row + rows, column : column + columns] <= limit
    pit = known & (quarter > 0) & (not_above <= quarter)
    return np.where(pit, np.inf, heights)


def _limit_slope(heights: np.ndarray, step: float) -> np.ndarray:
    """Returns the largest surface below `heights` that rises by at most `step` a cell.

    A chamfer distance transform (Borgefors 1986) whose seeds have heights. The shortest way
    between two cells is straight, then diagonal, so four directions after one another give it.
    """
    rows, columns = heights.shape
    limited = _limit_along_columns(_limit_along_columns(heights.T, step).T, step)
    for _ in range(2):  # each row moved by one cell from the last: diagonals are columns
        skewed = np.full((rows, columns + rows), np.inf)
        skewed[:, :columns] = limited
        moved = skewed.ravel()[:-rows].reshape(rows, -1)
        moved[:] = _limit_along_columns(moved, step * np.sqrt(2.0))
        limited = skewed[:, :columns][:, ::-1]
    return limited


def _limit_along_columns(heights: np.ndarray, step: float) -> np.ndarray:
    ramp = step * np.arange(len(heights))[:, None]
    downward = np.minimum.accumulate(heights - ramp) + ramp
    upward = np.minimum.accumulate((heights + ramp)[::-1])[::-1] - ramp
    limited: np.ndarray = np.minimum(downward, upward)
    return limited
