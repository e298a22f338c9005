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
        self._cells, self._margin = cells, int(np.ceil(np.hypot(beside, behind))) + 1
        along, across = np.mgrid[0 : behind + 1, -beside : beside + 1].reshape(2, -1, 1)
        around = (along != 0) | (across != 0)
        along, across = (steps[around[:, 0]] for steps in (along, across))
        self._along, self._across = along.astype(np.float32), across.astype(np.float32)

    def around(self, hit: np.ndarray, sensor_row: float, sensor_column: float) -> np.ndarray:
        """Returns (cells, cells) bool, the cells beside and behind those that were hit.

        Args:
            hit: (H,) int indices of cells; they are no part of the result.
            sensor_row: place of the sensor in cells from the grid's corner, with fractions.
            sensor_column: likewise.
        """
        margin, width = self._margin, self._cells + 2 * self._margin
        row, column = np.divmod(hit.astype(np.int32), np.int32(self._cells))
        y, x = row + np.float32(0.5), column + np.float32(0.5)
        ahead_y, ahead_x = y - np.float32(sensor_row), x - np.float32(sensor_column)
        scale = 1 / np.maximum(np.hypot(ahead_x, ahead_y), np.float32(1e-3))
        ahead_y, ahead_x = ahead_y * scale, ahead_x * scale
        y, x = y + np.float32(margin), x + np.float32(margin)
        rows = (y + self._along * ahead_y + self._across * ahead_x).astype(np.int32)
        columns = (x + self._along * ahead_x - self._across * ahead_y).astype(np.int32)
        guarded = np.zeros((width, width), bool)  # with a margin, so that nothing leaves it
        guarded.ravel()[rows * width + columns] = True
        guarded = np.ascontiguousarray(guarded[margin:-margin, margin:-margin])
        guarded.ravel()[hit] = False
        return guarded
