"""Cells beside and behind the returns of obstacles, which no ray that passes low there clears."""

from __future__ import annotations

import cv2
import numpy as np

_DIRECTIONS = 720


class ObstacleGuard:
    """Finds the cells that belong to what was hit, as likely as not, though nothing ended there.

    A ray that crosses a cell near the ground says nothing of what is higher: crowns of bushes,
    roofs of shelters and bodies on wheels are open below, and rays that miss their returns by a
    hand's breadth go through. Seen from the sensor such things go on beside and behind a return,
    not before it.

    Args:
        cells: edge of the square grid, in cells.
        beside: cells to both sides of a return.
        behind: cells behind it.
    """

    def __init__(self, cells: int, beside: int, behind: int) -> None:
        self._cells, self._margin = cells, int(np.ceil(np.hypot(beside, behind))) + 1
        along, across = np.mgrid[0 : behind + 1, -beside : beside + 1].reshape(2, -1, 1)
        angle = (np.arange(_DIRECTIONS) + 0.5) * (2 * np.pi / _DIRECTIONS)
        rows = np.rint(along * np.sin(angle) + across * np.cos(angle))
        columns = np.rint(along * np.cos(angle) - across * np.sin(angle))
        self._width = cells + 2 * self._margin  # with a margin nothing leaves the raster
        self._offsets = np.ascontiguousarray((rows * self._width + columns).T, np.int32)

    def around(self, hit: np.ndarray, sensor_row: float, sensor_column: float) -> np.ndarray:
        """Returns (cells, cells) bool, the cells beside and behind those that were hit.

        Args:
            hit: (H,) int indices of cells; they are no part of the result.
            sensor_row: place of the sensor in cells from the grid's corner, with fractions.
            sensor_column: likewise.
        """
        margin, guarded = self._margin, np.zeros((self._width, self._width), bool)
        row, column = np.divmod(hit.astype(np.int32), np.int32(self._cells))
        direction = self._direction(row, column, sensor_row, sensor_column)
        place = (row + margin) * self._width + column + margin
        places = self._offsets.take(direction, axis=0)
        places += place[:, None]
        guarded.ravel()[places.astype(np.intp)] = True  # three times as fast as at int32
        guarded = np.ascontiguousarray(guarded[margin:-margin, margin:-margin])
        guarded.ravel()[hit] = False
        return guarded

    def _direction(
        self, row: np.ndarray, column: np.ndarray, sensor_row: float, sensor_column: float
    ) -> np.ndarray:
        """Returns in which of `_DIRECTIONS` cells lie, seen from the sensor."""
        if not len(row):  # which OpenCV answers with None
            return row
        ahead = (column + np.float32(0.5 - sensor_column), row + np.float32(0.5 - sensor_row))
        turns = cv2.phase(*ahead).ravel() * np.float32(_DIRECTIONS / (2 * np.pi))
        return np.minimum(turns.astype(np.int32), _DIRECTIONS - 1)
