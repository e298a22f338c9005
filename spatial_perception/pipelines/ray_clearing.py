"""Which cells of a grid the rays of a scan have crossed low enough to call them free."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

_LEAST_FALL_M = 0.1
_ONE = np.int16(1)


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """Where the rays of a scan ended, in the axes of the grid around the sensor.

    Args:
        sensor_height_m: over the ground below it.
        dx_m: (N,) float32, from the sensor.
        dy_m: (N,) float32.
        height_m: (N,) float32, of the end over the ground there.
        is_obstacle: (N,) bool, the end is in a vehicle's way.
        is_ground: (N,) bool, the end is neither in the way nor overhead.
    """

    sensor_height_m: float
    dx_m: np.ndarray
    dy_m: np.ndarray
    height_m: np.ndarray
    is_obstacle: np.ndarray
    is_ground: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one scan says of the cells of a grid.

    Args:
        free: (cells, cells) bool, crossed low.
        behind: gives the cells within `shadow_m` behind the ends of some rays, by their indices.
    """

    free: np.ndarray
    behind: Callable[[np.ndarray], np.ndarray]


class RayClearing:
    """Fills a polar raster with the low parts of all rays and reads it at the cells of a grid.

    A ray that ends on the ground falls evenly from the sensor to its end. Where it is lower than
    `min_height_m` nothing that counts as an obstacle can be, so the cells there are free; where it
    is higher it says nothing of low obstacles. A ray that is low already at an obstacle in the same
    direction and ends behind it has passed below that obstacle: it clears nothing for `shadow_m`
    behind it, so that no body on wheels or legs is cleared from below.

    Args:
        cells: edge of the square grid, in cells.
        resolution_m: edge of a cell.
        azimuth_bins: directions around the sensor.
        min_height_m: lower ends are ground.
        shadow_m: see above.
    """

    def __init__(
        self,
        cells: int,
        resolution_m: float,
        azimuth_bins: int,
        min_height_m: float,
        shadow_m: float,
        body_m: float,
    ) -> None:
        self._cells, self._resolution_m = cells, resolution_m
        self._azimuth_bins = azimuth_bins
        self._min_height_m, self._shadow_m = np.float32(min_height_m), np.float32(shadow_m)
        self._body_m = np.float32(body_m)
        self._range_bins = int(np.hypot(cells, cells)) + 2
        offsets = np.arange(-cells, cells + 1, dtype=np.float32) * np.float32(resolution_m)
        range_m, azimuth = self._polar(*np.meshgrid(offsets, offsets))
        ring = np.minimum(range_m / np.float32(resolution_m), self._range_bins - 1)
        self._raster_of_offset = ring.astype(np.int32) * azimuth_bins + azimuth

    def look(self, rays: Rays, sensor_row: int, sensor_column: int) -> Look:
        """Returns what a scan says of the cells.

        Args:
            rays: the scan.
            sensor_row: of the cell below the sensor; nothing is seen where it is not inside.
            sensor_column: likewise.
        """
        cells = self._cells
        range_m, azimuth = self._polar(rays.dx_m, rays.dy_m)
        if not (0 <= sensor_row < cells and 0 <= sensor_column < cells):
            window = np.zeros((cells, cells), np.int32)  # a bin at the sensor itself: not filled
        else:
            row, column = cells - sensor_row, cells - sensor_column
            window = self._raster_of_offset[row : row + cells, column : column + cells]
        start_m, end_m, ground = self._low_parts(rays, range_m, azimuth)
        raster = self._filled(azimuth.take(ground), start_m, end_m)
        self._close_gaps(raster, azimuth)

        def behind(which: np.ndarray) -> np.ndarray:
            shadow = self._shadows(azimuth.take(which), range_m.take(which))
            return np.asarray(shadow.ravel().take(window))

        return Look(raster.ravel().take(window), behind)

    def _low_parts(
        self, rays: Rays, range_m: np.ndarray, azimuth: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns from where to where rays clear, metres, and which rays those are."""
        blocking, ground = np.flatnonzero(rays.is_obstacle), np.flatnonzero(rays.is_ground)
        nearest_m = np.full(self._azimuth_bins, np.inf, np.float32)
        np.minimum.at(nearest_m, azimuth.take(blocking), range_m.take(blocking))
        end_m = range_m.take(ground)
        height_m = np.minimum(rays.height_m.take(ground), self._min_height_m)
        sensor_m = np.float32(rays.sensor_height_m)
        fall_m = np.maximum(sensor_m - height_m, np.float32(_LEAST_FALL_M))
        start_m = end_m * np.clip((sensor_m - self._min_height_m) / fall_m, 0, 1)
        obstacle_m = nearest_m.take(azimuth.take(ground))
        is_below = (start_m < obstacle_m) & (end_m > obstacle_m)
        start_m = np.where(is_below, obstacle_m + self._shadow_m, start_m)
        return start_m, end_m, ground

    def _close_gaps(self, raster: np.ndarray, azimuth: np.ndarray) -> None:
        """Gives directions without a ray what both neighbours have: sensors fire in steps."""
        is_empty = np.bincount(azimuth, minlength=self._azimuth_bins) == 0
        empty = np.flatnonzero(is_empty)
        before, after = empty - 1, (empty + 1) % self._azimuth_bins
        raster[:, empty] = raster[:, before] & raster[:, after]

    def _filled(self, azimuth: np.ndarray, start_m: np.ndarray, end_m: np.ndarray) -> np.ndarray:
        """Returns the raster of intervals, each to the bin in which it ends."""
        per_bin, last = np.float32(1.0 / self._resolution_m), self._range_bins - 1
        start = np.minimum(start_m * per_bin, last).astype(np.int32)
        end = np.minimum(end_m * per_bin + 1, last).astype(np.int32)
        kept = np.flatnonzero(start < end)
        azimuth, end = azimuth.take(kept), end.take(kept)
        depth = np.zeros((self._range_bins, self._azimuth_bins), np.int16)
        np.add.at(depth.ravel(), start.take(kept) * self._azimuth_bins + azimuth, _ONE)
        np.subtract.at(depth.ravel(), end * self._azimuth_bins + azimuth, _ONE)
        for before, row in itertools.pairwise(depth[: int(end.max(initial=0)) + 1]):
            row += before  # a loop over rows is several times as fast as cumsum along them
        return depth > 0

    def _shadows(self, azimuth: np.ndarray, range_m: np.ndarray) -> np.ndarray:
        """Returns the raster of what lies within `body_m` behind the nearest of some ends."""
        nearest_m = np.full(self._azimuth_bins, np.inf, np.float32)
        np.minimum.at(nearest_m, azimuth, range_m)
        bins = np.flatnonzero(np.isfinite(nearest_m))
        first = (nearest_m[bins] / np.float32(self._resolution_m)).astype(np.int32)
        length = int(np.ceil(self._body_m / self._resolution_m)) + 1
        rings = np.minimum(first[:, None] + np.arange(length), self._range_bins - 1)
        raster = np.zeros((self._range_bins, self._azimuth_bins), bool)
        raster[rings, bins[:, None]] = True
        return raster

    def _polar(self, dx_m: np.ndarray, dy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns ranges in metres and azimuth bins; OpenCV's angle is good to 0.01 degrees."""
        if not dx_m.size:  # which OpenCV answers with None
            return np.zeros(0, np.float32), np.zeros(0, np.int32)
        range_m, azimuth_rad = cv2.cartToPolar(dx_m, dy_m)
        bins = azimuth_rad.reshape(dx_m.shape) * np.float32(self._azimuth_bins / (2 * np.pi))
        return range_m.reshape(dx_m.shape), np.minimum(
            bins.astype(np.int32), self._azimuth_bins - 1
        )
