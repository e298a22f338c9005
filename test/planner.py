"""A planner of a few lines, as a user of the suite would write it: A* over a grid's free cells."""

import heapq

import numpy as np
from scipy import ndimage

from spatial_perception.core import OccupancyGrid

SQRT_2 = float(np.sqrt(2.0))
NEIGHBOURS = [
    (1, 0, 1.0), (-1, 0, 1.0), (0, 1, 1.0), (0, -1, 1.0),
    (1, 1, SQRT_2), (1, -1, SQRT_2), (-1, 1, SQRT_2), (-1, -1, SQRT_2),
]  # fmt: skip


def passable(grid: OccupancyGrid, radius_m: float) -> np.ndarray:
    """Returns the cells that are free, with no occupied cell within the vehicle's radius."""
    distance_m = ndimage.distance_transform_edt(grid.cells < 50) * grid.resolution_m
    return (distance_m > radius_m) & (grid.cells >= 0)


def cell_of(grid: OccupancyGrid, place_m: np.ndarray) -> tuple[int, int]:
    """Returns row and column of an (x, y) place in the grid's frame."""
    local = grid.origin.inverse().apply(np.array([[*place_m, 0.0]]))[0, :2] / grid.resolution_m
    return int(np.floor(local[1])), int(np.floor(local[0]))


def plan(
    free: np.ndarray, start: tuple[int, int], goal: tuple[int, int]
) -> list[tuple[int, int]] | None:
    """Returns the shortest way over free cells, None where there is none."""
    if not (free[start] and free[goal]):
        return None
    cost, parent = {start: 0.0}, {start: start}
    queue = [(0.0, start)]
    while queue:
        _, cell = heapq.heappop(queue)
        if cell == goal:
            way = [goal]
            while way[-1] != start:
                way.append(parent[way[-1]])
            return way[::-1]
        for rows, columns, length in NEIGHBOURS:
            beside = cell[0] + rows, cell[1] + columns
            inside = 0 <= beside[0] < free.shape[0] and 0 <= beside[1] < free.shape[1]
            if not inside or not free[beside] or cost[cell] + length >= cost.get(beside, np.inf):
                continue
            cost[beside], parent[beside] = cost[cell] + length, cell
            ahead = np.hypot(beside[0] - goal[0], beside[1] - goal[1])
            heapq.heappush(queue, (cost[beside] + float(ahead), beside))
    return None
