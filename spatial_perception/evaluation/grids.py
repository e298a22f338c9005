"""Occupancy grids against the truth of a drive, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.occupancy import UNKNOWN_CELL, OccupancyGrid
from spatial_perception.errors import DatasetError

OCCUPIED_PERCENT = 50
"""From this value on a cell is occupied, below it is free."""
NEAR_M = 20.0
CLEARANCE_CELLS = 2
"""What a planner that inflates obstacles by so many cells does not enter."""


@dataclass(frozen=True, slots=True)
class GridCounts:
    """Cells of some frames; truth first, then what the grid says. Unseen cells do not count."""

    frames: int = 0
    free_free: int = 0
    free_occupied: int = 0
    free_unknown: int = 0
    occupied_free: int = 0
    occupied_occupied: int = 0
    occupied_unknown: int = 0
    near_occupied: int = 0
    near_occupied_free: int = 0
    near_occupied_clear: int = 0

    def __add__(self, other: GridCounts) -> GridCounts:
        return GridCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, weight: int) -> GridCounts:
        return GridCounts(*(weight * value for value in astuple(self)))


def count_grids(grid: OccupancyGrid | None, truth: OccupancyGrid) -> GridCounts:
    """Returns the counts of one frame.

    Args:
        grid: what was published; None counts as unknown everywhere.
        truth: -1 where no ray has been, the vehicle in its middle; of the same cells.

    Raises:
        DatasetError: the two grids are not of the same frame and cells.
    """
    cells = np.full_like(truth.cells, UNKNOWN_CELL) if grid is None else _aligned(grid, truth)
    is_free, is_occupied = truth.cells == 0, truth.cells > 0
    says_unknown = cells == UNKNOWN_CELL
    says_free = ~says_unknown & (cells < OCCUPIED_PERCENT)
    says_occupied = cells >= OCCUPIED_PERCENT
    rows, columns = truth.cells.shape
    y, x = np.mgrid[:rows, :columns]
    away = np.hypot(x + 0.5 - columns / 2, y + 0.5 - rows / 2) * truth.resolution_m
    near = is_occupied & (away <= NEAR_M)
    side = 2 * CLEARANCE_CELLS + 1
    says_clear = cv2.erode(says_free.astype(np.uint8), np.ones((side, side), np.uint8)) > 0

    def both(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> int:
        return int((a & b).sum())

    return GridCounts(
        1,
        both(is_free, says_free),
        both(is_free, says_occupied),
        both(is_free, says_unknown),
        both(is_occupied, says_free),
        both(is_occupied, says_occupied),
        both(is_occupied, says_unknown),
        int(near.sum()),
        both(near, says_free),
        both(near, says_clear),
    )


def grid_metrics(drives: Sequence[GridCounts], weights: NDArray[np.int64]) -> dict[str, float]:
    """Returns `free_iou`, `occupied_iou`, `false_free` and its kin of all drives, in percent.

    Args:
        drives: counts of each drive.
        weights: (D,) how often each drive counts.
    """
    total = GridCounts()
    for drive, weight in zip(drives, weights, strict=True):
        total += drive * int(weight)
    occupied = total.occupied_free + total.occupied_occupied + total.occupied_unknown
    free = total.free_free + total.free_occupied + total.free_unknown
    shares = {
        "free_iou": (total.free_free, free + total.occupied_free),
        "occupied_iou": (total.occupied_occupied, occupied + total.free_occupied),
        "false_free": (total.occupied_free, occupied),
        "false_free_within_20m": (total.near_occupied_free, total.near_occupied),
        "false_clear_within_20m": (total.near_occupied_clear, total.near_occupied),
        "known_free": (total.free_free, free),
        "known_occupied": (total.occupied_occupied, occupied),
    }
    return {name: 100.0 * part / whole for name, (part, whole) in shares.items() if whole}


def _aligned(grid: OccupancyGrid, truth: OccupancyGrid) -> np.ndarray:
    moved = (truth.origin.translation - grid.origin.translation)[:2] / truth.resolution_m
    same = grid.header.frame_id == truth.header.frame_id and grid.cells.shape == truth.cells.shape
    if not same or np.abs(moved).max() > 1e-3 or abs(grid.resolution_m - truth.resolution_m) > 1e-6:
        raise DatasetError(
            f"the grid ({grid.header.frame_id}, {grid.cells.shape}, {grid.resolution_m} m) has"
            f" other cells than the truth ({truth.header.frame_id}, {truth.cells.shape},"
            f" {truth.resolution_m} m)"
        )
    return grid.cells
