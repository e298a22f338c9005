"""Which cells of a grid the rays of a scan have crossed low enough to call them free."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

_CELLS_PER_RING = 2
_ONE, _NEXT = np.int16(1), np.float32(1.0)
_LEAST_FALL_M = 1e-3
"""A lower sensor counts as so much above the least height."""
_TURN_RAD = 2 * np.pi + 1e-5  # what is as much as a turn counts as the last direction
_LOW, _ENDED, _STOPPED = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """Where the rays of a scan ended, in the axes of the grid around the sensor, metres.

    Args:
        sensor_height_m: over the ground below it.
        ground: (3, G) float32 x, y and height over the ground there of low ends.
        obstacles: (2, O) float32 x and y of ends in a vehicle's way.
    """

    sensor_height_m: float
    ground: np.ndarray
    obstacles: np.ndarray


@dataclass(frozen=True, slots=True)
class ClearingReach:
    """What rays clear and how far an obstacle stops them, metres.

    Args:
        min_height_m: lower ends are ground.
        shut_m: behind an obstacle nothing is cleared so far.
        shadow_m: nor so far where more rays are stopped than pass.
    """

    min_height_m: float
    shut_m: float
    shadow_m: float


class RayClearing:
    """Counts rays in a polar raster and reads it at the cells of a grid.

    A ray that ends on the ground falls evenly from the sensor to its end. Where it is lower than
    `min_height_m` it has crossed a cell near the ground; where it is higher it says nothing of low
    obstacles. But a cell is free only if its whole height is, and a ray that passed below a body
    on wheels or legs has not seen that. An obstacle hides what lies behind it: nothing is free
    there within `shut_m`, and within `shadow_m` not unless at least as many rays of the direction
    pass higher, on their way to the ground farther out, as were stopped, as through leaves.

    Args:
        cells: edge of the square grid, in cells.
        resolution_m: edge of a cell.
        azimuth_bins: directions around the sensor.
        reach: see above.
    """

    def __init__(
        self, cells: int, resolution_m: float, azimuth_bins: int, reach: ClearingReach
    ) -> None:
        self._cells, self._azimuth_bins = cells, azimuth_bins
        self._min_height_m = reach.min_height_m
        per_ring = 1.0 / (_CELLS_PER_RING * resolution_m)
        self._per_ring = np.float32(per_ring)
        self._shut, self._shadow = (round(m * per_ring) for m in (reach.shut_m, reach.shadow_m))
        self._before = max(self._shut, self._shadow)
        self._scratch = np.empty((0, 3, azimuth_bins), np.int16)
        offsets = np.arange(-cells, cells + 1, dtype=np.float32) * np.float32(resolution_m)
        ring, azimuth = self._polar(*np.meshgrid(offsets, offsets))
        self._raster_of_offset = ring.astype(np.int32) * azimuth_bins + azimuth
        self._window_at, self._last_window = (-1, -1), np.zeros(0, np.intp)

    def look(self, rays: Rays, sensor_row: int, sensor_column: int) -> np.ndarray:
        """Returns (cells, cells) bool, crossed low in a scan and not hidden by something before it.

        Args:
            rays: the scan.
            sensor_row: of the cell below the sensor; nothing is seen where it is not inside.
            sensor_column: likewise.
        """
        cells = self._cells
        if not (0 <= sensor_row < cells and 0 <= sensor_column < cells):
            return np.zeros((cells, cells), bool)
        rows, columns = (max(n, cells - n) for n in (sensor_row, sensor_column))
        counts = self._blank(int(np.hypot(rows, columns) / _CELLS_PER_RING) + 3)
        self._count(counts[self._before :], rays)
        raster = self._free(counts)
        free: np.ndarray = raster.ravel().take(
            self._window(cells - sensor_row, cells - sensor_column)
        )
        return free

    def _blank(self, rings: int) -> np.ndarray:
        """Returns (before + rings, 3, azimuth_bins) int16 zeros, until the next call."""
        rings += self._before
        if len(self._scratch) < rings:
            self._scratch = np.empty((rings, 3, self._azimuth_bins), np.int16)
        blank = self._scratch[:rings]
        blank.fill(0)
        return blank

    def _count(self, counts: np.ndarray, rays: Rays) -> None:
        """Counts rays in the rings where they become low, just after their ends, and so on."""
        *ground, height_m = rays.ground
        end, azimuth = self._polar(*ground)
        low_m = np.float32(max(rays.sensor_height_m - self._min_height_m, _LEAST_FALL_M))
        low = low_m / np.clip(np.float32(rays.sensor_height_m) - height_m, low_m, np.inf)
        low *= end
        self._add(counts, _LOW, low, azimuth)
        self._add(counts, _ENDED, end + _NEXT, azimuth)
        end, azimuth = self._polar(*rays.obstacles)
        self._add(counts, _STOPPED, end + _NEXT, azimuth)

    def _add(self, counts: np.ndarray, kind: int, ring: np.ndarray, azimuth: np.ndarray) -> None:
        """Adds one for each ray; those beyond the last ring count there."""
        place = np.clip(ring, 0, len(counts) - 1, out=ring).astype(np.int32)
        place *= counts[0].size
        place += azimuth
        np.add.at(counts.ravel()[kind * self._azimuth_bins :], place, _ONE)

    def _free(self, counts: np.ndarray) -> np.ndarray:
        """Returns (rings, azimuth_bins) bool, from counts that are summed up over the rings."""
        from_sensor = counts[self._before :]
        for inner, ring in itertools.pairwise(from_sensor):
            ring += inner  # a loop over rows is several times as fast as cumsum along them
        low, ended, stopped = from_sensor.swapaxes(0, 1)
        shut, shadow = (
            counts[self._before - rings : len(counts) - rings, _STOPPED]
            for rings in (self._shut, self._shadow)
        )
        total = low[-1] + stopped[-1]
        raster = low > ended
        raster &= stopped == shut
        closed = stopped + stopped  # once as no longer passing, once as stopped in the shadow
        closed -= shadow
        closed += low
        raster &= closed <= total
        self._close_gaps(raster, total == 0)
        return raster

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
        """Returns float32 rings and int32 directions; OpenCV is good to 0.01 degrees."""
        if not dx_m.size:  # which OpenCV answers with None
            return np.zeros(0, np.float32), np.zeros(0, np.int32)
        range_m, azimuth_rad = cv2.cartToPolar(dx_m, dy_m)
        ring = range_m.reshape(dx_m.shape) * self._per_ring
        azimuth = azimuth_rad.reshape(dx_m.shape) * np.float32(self._azimuth_bins / _TURN_RAD)
        return ring, azimuth.astype(np.int32)
