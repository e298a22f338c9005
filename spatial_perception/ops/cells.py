"""Flat indices of the square cells at places."""

from __future__ import annotations

import numpy as np


def cell_at(
    x_m: np.ndarray,
    y_m: np.ndarray,
    corner_m: tuple[float, float],
    cell_m: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """Returns (N,) intp indices into a ravelled grid, row = y; outside that of the nearest cell.

    Args:
        x_m: (N,) float32.
        y_m: (N,) float32.
        corner_m: x and y of the corner of cell (0, 0).
        cell_m: edge of a cell.
        shape: rows and columns of the grid.
    """
    index = []
    for place_m, first_m, count in zip((y_m, x_m), corner_m[::-1], shape, strict=True):
        place = place_m * np.float32(1.0 / cell_m)
        place -= np.float32(first_m / cell_m)
        index.append(np.clip(place, 0, count - 1, out=place).astype(np.int32))
    row, column = index
    row *= shape[1]
    row += column
    return row.astype(np.intp)
