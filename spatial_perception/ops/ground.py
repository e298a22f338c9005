"""Local ground height under a scan: low percentiles on a coarse grid, limited in slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spatial_perception.config import option

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
        grid = self.heights_m
        row, row_share = self._interval(xy[:, 1], grid.shape[0])
        column, column_share = self._interval(xy[:, 0], grid.shape[1])
        flat, width = grid.ravel(), grid.shape[1]
        corner = row * width + column
        near = flat[corner] + column_share * (flat[corner + 1] - flat[corner])
        corner += width
        far = flat[corner] + column_share * (flat[corner + 1] - flat[corner])
        heights: np.ndarray = near + row_share * (far - near)
        return heights

    def _interval(self, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the cell centre before each value, and the share towards the next."""
        place = (values.astype(np.float32) - self.corner_m) / self.cell_m - 0.5
        place = np.clip(place, 0.0, count - 1.001)
        before = place.astype(np.int32)
        return before, place - before


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
    x, y = ((points[:, :2].T - np.float32(corner)) * np.float32(1.0 / config.cell_m)).copy()
    level = (points[:, 2] + np.float32(config.depth_m)) * np.float32(1.0 / level_m)
    inside = (x >= 0) & (x < side) & (y >= 0) & (y < side) & (level >= 0) & (level < levels)
    cell = y[inside].astype(np.int32) * side + x[inside].astype(np.int32)
    total = np.bincount(cell, minlength=side * side)
    used = np.flatnonzero(total >= config.min_points)
    place = np.full(side * side, -1, np.int32)
    place[used] = np.arange(len(used))

    bins = place[cell] * levels + level[inside].astype(np.int32)
    z, kept = points[inside, 2], place[cell] >= 0
    counts = np.bincount(bins[kept], minlength=len(used) * levels)
    sums = np.bincount(bins[kept], z[kept], minlength=len(used) * levels)
    rank = np.maximum(np.ceil(total[used] * (config.percentile / 100.0)), 2)
    running = np.cumsum(counts.reshape(-1, levels), axis=1, dtype=np.int32)
    chosen = np.arange(len(used)) * levels + np.argmax(running >= rank[:, None], axis=1)
    heights = np.full(side * side, np.inf)
    heights[used] = sums[chosen] / np.maximum(counts[chosen], 1)
    return heights.reshape(side, side)


def _without_pits(heights: np.ndarray, step: float) -> np.ndarray:
    """Returns the heights without isolated cells far below the cells around them.

    Mirror reflections appear metres under the road, in cells that hold nothing else.
    """
    around = np.pad(heights, 2, constant_values=np.inf)
    views = np.lib.stride_tricks.sliding_window_view(around, (5, 5)).reshape(*heights.shape, 25)
    ordered = np.sort(views, axis=2)  # unknown cells are infinite: they come last
    quarter = np.isfinite(ordered).sum(axis=2) // 4
    reference = np.take_along_axis(ordered, quarter[..., None], axis=2)[..., 0]
    pit = np.isfinite(heights) & (quarter > 0) & (heights < reference - step - _PIT_DEPTH_M)
    return np.where(pit, np.inf, heights)


def _limit_slope(heights: np.ndarray, step: float) -> np.ndarray:
    """Returns the largest surface below `heights` that rises by at most `step` a cell.

    Wide strides first: they only bring the low places nearer, so that few single steps remain.
    """
    limited = heights
    for stride in (16, 8, 4, 2):
        limited = _lowered(limited, step, stride)
    for _ in range(heights.shape[0]):
        lower = _lowered(limited, step, 1)
        if np.array_equal(lower, limited):
            break
        limited = lower
    return limited


def _lowered(heights: np.ndarray, step: float, stride: int) -> np.ndarray:
    """Returns each height, or what the eight places `stride` cells away allow if it is less."""
    rows, columns = heights.shape
    padded = np.pad(heights, stride, constant_values=np.inf)
    across = heights.copy()
    for shift in (0, 2 * stride):
        beside = padded[stride:-stride, shift : shift + columns] + step * stride
        np.minimum(across, beside, out=across)
        above = padded[shift : shift + rows, stride:-stride] + step * stride
        np.minimum(across, above, out=across)
        for other in (0, 2 * stride):
            corner = padded[shift : shift + rows, other : other + columns]
            np.minimum(across, corner + step * stride * np.sqrt(2.0), out=across)
    return across
