"""A planner of a few lines, as a user of the suite would write it: A* over a grid's free cells."""

import heapq

import cv2
import numpy as np

from spatial_perception.core import OccupancyGrid
from spatial_perception.core.occupancy import UNKNOWN_CELL

OCCUPIED_PERCENT = 50
BLIND_M = 5.0
"""Sensors are blind beside the vehicle: what is unknown so near is no obstacle."""
RADIUS_M = 1.1
"""Of the vehicle across its way, with some room."""
ROOM_M = 2.0
"""So far from obstacles a way costs nothing extra."""
_ROOM_WEIGHT = 4.0
_SQRT_2 = float(np.sqrt(2.0))
_NEIGHBOURS = [
    (1, 0, 1.0), (-1, 0, 1.0), (0, 1, 1.0), (0, -1, 1.0),
    (1, 1, _SQRT_2), (1, -1, _SQRT_2), (-1, 1, _SQRT_2), (-1, -1, _SQRT_2),
]  # fmt: skip

Cell = tuple[int, int]


def cells_of(grid: OccupancyGrid, places_m: np.ndarray) -> np.ndarray:
    """Returns (..., 2) rows and columns of (..., 2) x, y places in the grid's frame."""
    local = places_m - grid.origin.translation[:2]  # the axes of a grid in odom do not turn
    return np.floor(local[..., ::-1] / grid.resolution_m).astype(int)


def places_of(grid: OccupancyGrid, cells: np.ndarray) -> np.ndarray:
    """Returns (..., 2) x, y in the grid's frame of the middles of (..., 2) cells."""
    return (cells[..., ::-1] + 0.5) * grid.resolution_m + grid.origin.translation[:2]


def blocked(grid: OccupancyGrid, ego_m: np.ndarray) -> np.ndarray:
    """Returns (H, W) bool: occupied, or unknown and not close to the vehicle at (2,) x, y."""
    row, column = np.indices(grid.cells.shape, sparse=True)
    ego_row, ego_column = cells_of(grid, ego_m)
    near = np.hypot(row - ego_row, column - ego_column) * grid.resolution_m < BLIND_M
    return (grid.cells >= OCCUPIED_PERCENT) | ((grid.cells == UNKNOWN_CELL) & ~near)


def distance_m(is_free: np.ndarray, resolution_m: float) -> np.ndarray:
    """Returns (H, W) how far each cell is from the next that is not free."""
    cells = cv2.distanceTransform(is_free.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return cells * resolution_m


def costs(is_blocked: np.ndarray, is_lane: np.ndarray, resolution_m: float) -> np.ndarray:
    """Returns (H, W) what a step costs for its length: more near obstacles, inf where none goes."""
    room_m = distance_m(~is_blocked, resolution_m)
    cost = 1.0 + _ROOM_WEIGHT * np.clip((ROOM_M - room_m) / (ROOM_M - RADIUS_M), 0.0, 1.0)
    cost[(room_m < RADIUS_M) | ~is_lane] = np.inf
    return cost


def plan(cost: np.ndarray, start: Cell, goal: Cell) -> list[Cell]:
    """Returns the cheapest way to a cell, or to what can be reached that is nearest to it."""

    def ahead(cell: Cell) -> float:
        return float(np.hypot(cell[0] - goal[0], cell[1] - goal[1]))

    spent, parent, done = {start: 0.0}, {start: start}, set()
    queue, best = [(ahead(start), start)], start
    while queue and best != goal:
        _, cell = heapq.heappop(queue)
        if cell in done:
            continue
        done.add(cell)
        best = min(best, cell, key=ahead)
        for rows, columns, length in _NEIGHBOURS:
            beside = cell[0] + rows, cell[1] + columns
            inside = 0 <= beside[0] < cost.shape[0] and 0 <= beside[1] < cost.shape[1]
            total = spent[cell] + length * cost[beside] if inside else np.inf
            if total < spent.get(beside, np.inf):
                spent[beside], parent[beside] = total, cell
                heapq.heappush(queue, (total + ahead(beside), beside))
    way = [best]
    while way[-1] != start:
        way.append(parent[way[-1]])
    return way[::-1]
