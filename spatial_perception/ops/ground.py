"""Local ground height under a scan: low percentiles on a coarse grid, limited in slope."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from spatial_perception.config import option


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
        """Returns (N,) float32 ground heights at (N, 2) places, bilinear, constant beyond the grid."""
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
        """Returns the index of the cell centre before each value, and the share towards the next."""
        place = (values.astype(np.float32) - self.corner_m) / self.cell_m - 0.5
        place = np.clip(place, 0.0, count - 1.001)
        before = place.astype(np.int32)
        return before, place - before


def flat_ground(height_m: float = 0.0) -> GroundGrid:
    """Returns level ground at a height."""
    return GroundGrid(np.full((2, 2), height_m, np.float32), -1.0, 1.0)


def estimate_ground(points: np.ndarray, config: GroundConfig = GroundConfig()) -> GroundGrid:  # noqa: B008
    """Returns the ground under a scan in base_link.

    In each cell a low percentile of the heights; then no cell may stand higher above a neighbour than
    `max_slope` allows, starting from height 0 under base_link, so that cells which hold only a
    roof or a hedge fall to the ground around them. Empty cells take the nearest known height.

    Args:
        points: (N, 3) float32, metres, base_link (on the ground, z up).
        config: Cell size and limits.
    """
    side = int(np.ceil(2.0 * config.reach_m / config.cell_m))
    corner = -0.5 * side * config.cell_m
    low = _low_heights(points, side, corner, config)
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
    levels = int(round(2 * config.depth_m / level_m))
    scaled = (points[:, :2] - np.float32(corner)) * np.float32(1.0 / config.cell_m)
    level = (points[:, 2] + np.float32(config.depth_m)) * np.float32(1.0 / level_m)
    inside = (
        (scaled >= 0).all(axis=1) & (scaled < side).all(axis=1) & (level >= 0) & (level < levels)
    )
    cell = scaled[inside].astype(np.int32)
    bins = (cell[:, 1] * side + cell[:, 0]) * levels + level[inside].astype(np.int32)
    shape = (side * side, levels)
    counts = np.bincount(bins, minlength=shape[0] * levels).reshape(shape)
    total = counts.sum(axis=1)
    rank = np.maximum(np.ceil(total * (config.percentile / 100.0)), 2)
    chosen = np.argmax(np.cumsum(counts, axis=1) >= rank[:, None], axis=1)
    chosen_bin = np.arange(shape[0]) * levels + chosen
    sums = np.bincount(bins, points[inside, 2], minlength=shape[0] * levels)
    heights = np.full(shape[0], np.inf)
    enough = total >= config.min_points
    heights[enough] = sums[chosen_bin[enough]] / counts.ravel()[chosen_bin[enough]]
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
    """Returns the largest surface below `heights` that rises by at most `step` from cell to cell."""
    limited = heights
    for _ in range(heights.shape[0]):
        padded = np.pad(limited, 1, constant_values=np.inf)
        lowest = limited.copy()
        for rows, columns, distance in _NEIGHBOURS:
            neighbour = padded[
                1 + rows : 1 + rows + heights.shape[0], 1 + columns : 1 + columns + heights.shape[1]
            ]
            np.minimum(lowest, neighbour + step * distance, out=lowest)
        if np.array_equal(lowest, limited):
            break
        limited = lowest
    return limited


_PIT_DEPTH_M = 0.3
_NEIGHBOURS = [
    (rows, columns, float(np.hypot(rows, columns)))
    for rows in (-1, 0, 1)
    for columns in (-1, 0, 1)
    if rows or columns
]
