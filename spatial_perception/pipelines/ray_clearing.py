"""Which cells of a grid the rays of a scan have crossed low enough to call them free."""

from __future__ import annotations

import itertools
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


@dataclass(frozen=True, slots=True)
class ClearingReach:
    """What rays clear and how far an obstacle stops them, metres.

    Args:
        min_height_m: lower ends are ground.
        max_height_m: higher ends are overhead.
        shut_m: behind an obstacle nothing is cleared so far.
        shadow_m: nor so far where more rays are stopped than pass.
    """

    min_height_m: float
    max_height_m: float
    shut_m: float
    shadow_m: float


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
        self._raster_of_offset = ring * azimuth_bins + azimuth.astype(np.int32)
        self._scratch = np.empty(0, np.int32)
        self._window_at, self._last_window = (-1, -1), np.zeros(0, np.intp)

    def look(self, rays: Rays, sensor_row: int, sensor_column: int) -> np.ndarray:
        """Returns (cells, cells) bool, crossed low in a scan and not hidden by something before it.

        Args:
            rays: the scan.
            sensor_row: of the cell below the sensor; nothing is seen where it is not inside.
            sensor_column: likewise.
        """
        cells, bins = self._cells, self._azimuth_bins
        if not (0 <= sensor_row < cells and 0 <= sensor_column < cells):
            return np.zeros((cells, cells), bool)
        rows, columns = (max(n, cells - n) for n in (sensor_row, sensor_column))
        rings = int(np.hypot(rows, columns)) + 3
        range_m, azimuth = self._polar(rays.dx_m, rays.dy_m)
        along = range_m * self._per_ring
        first = self._leaving(rays, along, rings)
        along += np.float32(1.0)
        end = np.minimum(along, np.float32(rings - 1), out=along)
        first, end = (self._place(ring, azimuth) for ring in (first, end))
        change = self._blank(rings)
        self._add_crossed(change, rays, first, end)
        self._add_closed(change.ravel()[bins:], rays, first, end)
        for before, row in itertools.pairwise(change.reshape(rings, -1)):
            row += before  # a loop over rows is several times as fast as cumsum along them
        count = change[-1, 1]
        raster = change[:, 0] > 0
        raster &= change[:, 1] <= count
        self._close_gaps(raster, count == 0)
        free: np.ndarray = raster.ravel().take(
            self._window(cells - sensor_row, cells - sensor_column)
        )
        return free

    def _leaving(self, rays: Rays, along: np.ndarray, rings: int) -> np.ndarray:
        """Returns (N,) float32, the ring in which each ray leaves the heights of obstacles.

        A ray to the ground is low from there on; one that is stopped would have gone on to there.
        """
        low_m, high_m = self._reach.min_height_m, self._reach.max_height_m
        fall_m = np.float32(rays.sensor_height_m) - rays.height_m
        way = (fall_m > 0) * np.float32(high_m - low_m)  # several times as fast as np.where
        way += np.float32(rays.sensor_height_m - high_m)
        with np.errstate(divide="ignore", invalid="ignore"):  # level rays stay there for good
            way /= fall_m
            way *= along
        np.fmin(way, np.float32(rings - 1), out=way)
        return np.maximum(way, np.float32(0.0), out=way)

    def _place(self, ring: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
        """Returns (N,) indices into the first half of `_blank`; float32 counts so far exactly."""
        place = np.floor(ring, out=ring)
        place *= np.float32(2 * self._azimuth_bins)
        place += azimuth
        return place.astype(np.intp)

    def _add_crossed(
        self, change: np.ndarray, rays: Rays, first: np.ndarray, end: np.ndarray
    ) -> None:
        """Notes in which rings rays to the ground begin and cease to be low.

        Summed up over the rings it is the number of those that are. They pass until they are low,
        so that the second half of the raster begins with the same.
        """
        ground, flat = np.flatnonzero(rays.is_ground), change.ravel()
        np.add.at(flat, first.take(ground), _ONE)
        change[:, 1] = change[:, 0]
        np.subtract.at(flat, end.take(ground), _ONE)

    def _add_closed(
        self, change: np.ndarray, rays: Rays, first: np.ndarray, end: np.ndarray
    ) -> None:
        """Notes in which rings obstacles stop rays and others cease to pass.

        Summed up over the rings it is at most the number of all rays, which is the last sum, where
        no more are stopped than pass; the former have the weight `_SHUT` for `shut_m`.
        """
        over = np.flatnonzero(~(rays.is_obstacle | rays.is_ground))
        stopped = np.flatnonzero(rays.is_obstacle)
        np.add.at(change, first.take(over), _ONE)
        end = end.take(stopped)
        leave = np.maximum(first.take(stopped), end)
        np.add.at(change, end, np.int32(_SHUT + 2))
        for reach_m, weight in ((self._reach.shut_m, _SHUT), (self._reach.shadow_m, 1)):
            ahead = round(reach_m * float(self._per_ring)) * 2 * self._azimuth_bins
            np.subtract.at(change, np.minimum(end + ahead, leave), np.int32(weight))

    def _blank(self, rings: int) -> np.ndarray:
        """Returns (rings, 2, azimuth_bins) int32, first half zeros, until the next call."""
        size = rings * 2 * self._azimuth_bins
        if self._scratch.size < size:
            self._scratch = np.empty(size, np.int32)
        blank = self._scratch[:size].reshape(rings, 2, -1)
        blank[:, 0] = 0
        return blank

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

    def _polar(self, dx_m: np.ndarray, dy_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns ranges in metres and whole azimuth bins; OpenCV is good to 0.01 degrees."""
        if not dx_m.size:  # which OpenCV answers with None
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        range_m, azimuth_rad = cv2.cartToPolar(dx_m, dy_m)
        bins = azimuth_rad.reshape(dx_m.shape) * np.float32(self._azimuth_bins / (2 * np.pi))
        np.floor(bins, out=bins)
        np.minimum(bins, np.float32(self._azimuth_bins - 1), out=bins)
        return range_m.reshape(dx_m.shape), bins
