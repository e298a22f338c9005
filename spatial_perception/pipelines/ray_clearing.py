"""Which cells of a grid the rays of a scan have crossed low enough to call them free."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

_ONE = np.int32(1)
_SHUT = 1 << 12
"""Weight of an obstacle where it shuts its direction: more rays than any direction has."""


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """Where the rays of a scan ended, in the axes of the grid around the sensor.

    Args:
        sensor_height_m: over the ground below it.
        dx_m: (N,) float32, from the sensor.
        dy_m: (N,) float32.
        height_m: (N,) float32, of the end over the ground there.
        is_obstacle: (N,) bool, the end is in a vehicle's way.
        is_ground: (N,) bool, the end is neither in the way nor overhead, but low.
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
        free: (cells, cells) bool, crossed low, and not hidden by something before it.
        behind: gives the cells within `body_m` behind the ends of some rays, by their indices.
    """

    free: np.ndarray
    behind: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class ClearingReach:
    """What rays clear and how far an obstacle stops them, metres.

    Args:
        min_height_m: lower ends are ground.
        max_height_m: higher ends are overhead.
        shut_m: behind an obstacle nothing is cleared so far.
        shadow_m: nor so far where more rays are stopped than pass.
        body_m: reach of `Look.behind`.
    """

    min_height_m: float
    max_height_m: float
    shut_m: float
    shadow_m: float
    body_m: float


class RayClearing:
    """Fills a polar raster with the low parts of all rays and reads it at the cells of a grid.

    A ray that ends on the ground falls evenly from the sensor to its end. Where it is lower than
    `min_height_m` it has crossed a cell near the ground; where it is higher it says nothing of low
    obstacles. But a cell is free only if its whole height is, up to `max_height_m`, and a ray
    that passed below a body on wheels or legs has not seen that. What hides the rest is known: an
    obstacle hides whatever lies behind it on the ray that ended there, for as long as that ray
    would have stayed between the two heights. Such cells are not free within `shut_m`, and within
    `shadow_m` not unless at least as many rays of the direction pass there between the two heights
    as were stopped, as through leaves. Rays of a sensor above `max_height_m` count as passing
    before they are so low.

    Args:
        cells: edge of the square grid, in cells.
        resolution_m: edge of a cell.
        azimuth_bins: directions around the sensor.
        reach: see above.
    """

    def __init__(
        self, cells: int, resolution_m: float, azimuth_bins: int, reach: ClearingReach
    ) -> None:
        self._cells, self._azimuth_bins, self._reach = cells, azimuth_bins, reach
        self._per_ring = np.float32(1.0 / resolution_m)
        offsets = np.arange(-cells, cells + 1, dtype=np.float32) * np.float32(resolution_m)
        range_m, azimuth = self._polar(*np.meshgrid(offsets, offsets))
        ring = (range_m * self._per_ring).astype(np.int32)
        self._raster_of_offset = ring * azimuth_bins + azimuth
        self._scratch = np.zeros(0, np.int32)
        self._window_at, self._last_window = (-1, -1), np.zeros(0, np.intp)

    def look(self, rays: Rays, sensor_row: int, sensor_column: int) -> Look:
        """Returns what a scan says of the cells.

        Args:
            rays: the scan.
            sensor_row: of the cell below the sensor; nothing is seen where it is not inside.
            sensor_column: likewise.
        """
        cells = self._cells
        if not (0 <= sensor_row < cells and 0 <= sensor_column < cells):
            nothing = np.zeros((cells, cells), bool)
            return Look(nothing, lambda which: nothing)
        window = self._window(cells - sensor_row, cells - sensor_column)
        rows, columns = (max(n, cells - n) for n in (sensor_row, sensor_column))
        rings = int(np.hypot(rows, columns)) + 3

        range_m, azimuth = self._polar(rays.dx_m, rays.dy_m)
        count = np.bincount(azimuth, minlength=self._azimuth_bins)
        along = range_m * self._per_ring
        first = self._leaving(rays, along, rings)
        along += np.float32(1.0)
        end = np.minimum(along, np.float32(rings - 1), out=along).astype(np.int32)
        first, end = first * self._azimuth_bins + azimuth, end * self._azimuth_bins + azimuth
        raster = self._crossed(rays, first, end, rings)
        raster &= self._open(rays, first, end, count, rings)
        self._close_gaps(raster, count == 0)

        def behind(which: np.ndarray) -> np.ndarray:
            shadow = self._shadows(azimuth.take(which), range_m.take(which), rings)
            return np.asarray(shadow.ravel().take(window))

        return Look(raster.ravel().take(window), behind)

    def _leaving(self, rays: Rays, along: np.ndarray, rings: int) -> np.ndarray:
        """Returns (N,) int32, the ring in which each ray leaves the heights of obstacles.

        A ray to the ground is low from there on; one that is stopped would have gone on to there.
        """
        low_m, high_m = np.float32(self._reach.min_height_m), np.float32(self._reach.max_height_m)
        sensor_m = np.float32(rays.sensor_height_m)
        fall_m = sensor_m - rays.height_m
        way = np.where(fall_m > 0, sensor_m - low_m, sensor_m - high_m)
        with np.errstate(divide="ignore", invalid="ignore"):  # level rays stay there for good
            way /= fall_m
            way *= along
        np.fmin(way, np.float32(rings - 1), out=way)
        return np.maximum(way, np.float32(0.0), out=way).astype(np.int32)

    def _crossed(self, rays: Rays, first: np.ndarray, end: np.ndarray, rings: int) -> np.ndarray:
        """Returns (rings, azimuth_bins) bool, where rays to the ground are low."""
        ground, change = np.flatnonzero(rays.is_ground), self._blank(rings)
        np.add.at(change, first.take(ground), _ONE)
        np.subtract.at(change, end.take(ground), _ONE)
        return self._summed(change) > 0

    def _open(
        self, rays: Rays, first: np.ndarray, end: np.ndarray, count: np.ndarray, rings: int
    ) -> np.ndarray:
        """Returns (rings, azimuth_bins) bool, where obstacles stop no more rays than pass.

        Summed up over the rings: stopped rays less those that pass; the former have the weight
        `_SHUT` for `shut_m`.
        """
        change, bins = self._blank(rings), self._azimuth_bins
        change[:bins] = -count
        passing, stopped = np.flatnonzero(~rays.is_obstacle), np.flatnonzero(rays.is_obstacle)
        np.add.at(change, first.take(passing), _ONE)
        end = end.take(stopped)
        leave = np.maximum(first.take(stopped), end)
        np.add.at(change, end, np.int32(_SHUT + 2))
        for reach_m, weight in ((self._reach.shut_m, _SHUT), (self._reach.shadow_m, 1)):
            until = np.minimum(end + bins * round(reach_m * float(self._per_ring)), leave)
            np.subtract.at(change, until, np.int32(weight))
        return self._summed(change) <= 0

    def _blank(self, rings: int) -> np.ndarray:
        """Returns a raster of int32 zeros, flat, until the next call."""
        size = rings * self._azimuth_bins
        if self._scratch.size < size:
            self._scratch = np.empty(size, np.int32)
        blank = self._scratch[:size]
        blank.fill(0)
        return blank

    def _summed(self, change: np.ndarray) -> np.ndarray:
        """Returns the sums over all rings up to each, in place, (rings, azimuth_bins)."""
        change = change.reshape(-1, self._azimuth_bins)
        for before, row in itertools.pairwise(change):
            row += before  # a loop over rows is several times as fast as cumsum along them
        return change

    def _window(self, row: int, column: int) -> np.ndarray:
        """Returns the cells' places in the raster; mostly those of the last scan."""
        if self._window_at != (row, column):
            part = self._raster_of_offset[row : row + self._cells, column : column + self._cells]
            self._last_window, self._window_at = part.astype(np.intp), (row, column)
        return self._last_window

    def _close_gaps(self, raster: np.ndarray, is_empty: np.ndarray) -> None:
        """Gives directions without a ray what both neighbours have: sensors fire in steps."""
        empty = np.flatnonzero(is_empty)
        before, after = empty - 1, (empty + 1) % self._azimuth_bins
        raster[:, empty] = raster[:, before] & raster[:, after]

    def _shadows(self, azimuth: np.ndarray, range_m: np.ndarray, rings: int) -> np.ndarray:
        """Returns the raster of what lies within `body_m` behind the nearest of some ends."""
        nearest_m = np.full(self._azimuth_bins, np.inf, np.float32)
        np.minimum.at(nearest_m, azimuth, range_m)
        bins = np.flatnonzero(np.isfinite(nearest_m))
        first = (nearest_m[bins] * self._per_ring).astype(np.int32)
        length = int(np.ceil(self._reach.body_m * self._per_ring)) + 1
        reached = np.minimum(first[:, None] + np.arange(length), rings - 1)
        raster = np.zeros((rings, self._azimuth_bins), bool)
        raster[reached, bins[:, None]] = True
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
