"""Cells beside and behind the returns of obstacles, which no ray that passes low there clears."""

from __future__ import annotations

import numpy as np


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
        self._cells = cells
        along, across = np.mgrid[0 : behind + 1, -beside : beside + 1].reshape(2, -1, 1)
        self._along, self._across = along.astype(np.float32), across.astype(np.float32)

    def around(self, hit: np.ndarray, sensor_row: float, sensor_column: float) -> np.ndarray:
        """Returns (cells, cells) bool, the cells beside and behind those that were hit.

        Args:
            hit: (H,) int indices of cells; they are no part of the result.
            sensor_row: place of the sensor in cells from the grid's corner, with fractions.
            sensor_column: likewise.
        """
        guarded = np.zeros(self._cells**2, bool)
        row, column = np.divmod(hit, self._cells)
        y, x = row + np.float32(0.5), column + np.float32(0.5)
        ahead_y, ahead_x = y - np.float32(sensor_row), x - np.float32(sensor_column)
        scale = 1 / np.maximum(np.hypot(ahead_x, ahead_y), np.float32(1e-3))
        ahead_y, ahead_x = ahead_y * scale, ahead_x * scale
        rows = (y + self._along * ahead_y + self._across * ahead_x).astype(np.int32)
        columns = (x + self._along * ahead_x - self._across * ahead_y).astype(np.int32)
        inside = (rows >= 0) & (rows < self._cells) & (columns >= 0) & (columns < self._cells)
        guarded[(rows * self._cells + columns)[inside]] = True
        guarded[hit] = False
        return guarded.reshape(self._cells, self._cells)
