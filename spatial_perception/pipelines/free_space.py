"""Free distances around the vehicle, read from an occupancy grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import Header, OccupancyGrid, Polygon, Pose, RangeScan
from spatial_perception.core.occupancy import UNKNOWN_CELL
from spatial_perception.pipelines.ego_box import EgoBox

OCCUPIED_PERCENT = 50
_STEP_SHARE = 0.7
"""Of a cell, between two looks along a beam: corners of cells are not stepped over by much."""


@dataclass(frozen=True, slots=True)
class FreeSpaceConfig:
    """Beams around the vehicle."""

    beams: int = option(360, help="directions around the vehicle", range=(4, 36_000))
    range_m: float = option(40.0, help="so far beams look", unit="m", range=(1.0, 1000.0))
    blind_m: float = option(
        5.0,
        help="sensors are blind beside the vehicle: what is unknown so near ends no beam",
        unit="m",
        range=(0.0, 50.0),
    )
    corridor_m: float = option(
        2.2, help="width of the way straight ahead that must be free", unit="m", range=(0.1, 20.0)
    )


@dataclass(frozen=True, slots=True, eq=False)
class FreeSpace:
    """What is free around a vehicle, in base_link.

    Args:
        outline: the free area that is seen from the vehicle; what is unknown is not free.
        scan: distances to obstacles.
        ahead_m: up to what distance from base_link the way ahead of the vehicle's front is free,
            over its whole width; what stands beside the vehicle is not in it.
    """

    outline: Polygon
    scan: RangeScan
    ahead_m: float


class FreeSpaceReader:
    """Follows beams through a grid until they meet something that is not free.

    Args:
        config: how many beams and how far.
        ego: the vehicle, at whose front the way ahead begins.
    """

    def __init__(self, config: FreeSpaceConfig, ego: EgoBox | None = None) -> None:
        self._config = config
        self._front_m = 0.0 if ego is None else max(0.0, ego.ahead_m + ego.length_m / 2)
        angles = -np.pi + 2 * np.pi / config.beams * np.arange(config.beams)
        self._ahead = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def __call__(self, grid: OccupancyGrid, grid_from_base: Pose, base_frame: str) -> FreeSpace:
        """Returns what is free around the vehicle.

        Args:
            grid: the grid.
            grid_from_base: where the vehicle is in the grid's frame.
            base_frame: name of the vehicle's frame.
        """
        config = self._config
        cells_from_base = grid.origin.inverse() @ grid_from_base
        step_m = np.float32(min(_STEP_SHARE * grid.resolution_m, config.range_m / 2))
        way_m = np.arange(step_m, config.range_m, step_m, dtype=np.float32)
        places = self._ahead[:, None, :] * way_m[None, :, None]
        values = _values(grid, cells_from_base, places)
        stops = self._stops(values, way_m)
        first = np.argmax(stops, axis=1)
        beam = np.arange(config.beams)
        is_stopped = stops[beam, first]
        is_known = values[beam, first] != UNKNOWN_CELL
        free_m = np.where(is_stopped, way_m[first] - step_m / 2, np.float32(config.range_m))
        ranges_m = np.where(is_stopped, np.where(is_known, way_m[first], np.nan), np.inf)
        header = Header(grid.header.stamp_ns, base_frame)
        corners = np.zeros((config.beams, 3), np.float32)
        corners[:, :2] = self._ahead * free_m[:, None]
        scan = RangeScan(
            header,
            -np.pi,
            2 * np.pi / config.beams,
            0.0,
            config.range_m,
            ranges_m.astype(np.float32),
        )
        return FreeSpace(Polygon(header, corners), scan, self._free_ahead(grid, cells_from_base))

    def _free_ahead(self, grid: OccupancyGrid, cells_from_base: Pose) -> float:
        step_m, half_m = 0.5 * grid.resolution_m, self._config.corridor_m / 2
        way_m = np.arange(self._front_m, self._config.range_m, step_m)
        across_m = np.linspace(-half_m, half_m, max(2, int(np.ceil(2 * half_m / step_m)) + 1))
        places = np.stack(np.meshgrid(way_m, across_m, indexing="ij"), axis=-1)
        values = _values(grid, cells_from_base, places.astype(np.float32))
        stops = self._stops(values.T, way_m).any(axis=0)
        return float(way_m[np.argmax(stops)]) if stops.any() else self._config.range_m

    def _stops(self, values: np.ndarray, way_m: np.ndarray) -> np.ndarray:
        """Returns which of (A, B) cells end a way, at (B,) distances."""
        is_unknown = (values == UNKNOWN_CELL) & (way_m > self._config.blind_m)
        return np.asarray((values >= OCCUPIED_PERCENT) | is_unknown)


def _values(grid: OccupancyGrid, cells_from_base: Pose, places_m: np.ndarray) -> np.ndarray:
    """Returns (A, B) int8 the cells at (A, B, 2) places in base_link, -1 outside of the grid."""
    turn = cells_from_base.rotation.astype(np.float32) / np.float32(grid.resolution_m)
    start = (cells_from_base.translation / grid.resolution_m).astype(np.float32)
    x, y = places_m[..., 0], places_m[..., 1]
    column, row = (turn[k, 0] * x + turn[k, 1] * y + start[k] for k in (0, 1))
    rows, columns = grid.cells.shape
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    flat = np.where(inside, row.astype(np.int32) * columns + column.astype(np.int32), 0)
    values: np.ndarray = np.where(inside, grid.cells.ravel().take(flat), np.int8(UNKNOWN_CELL))
    return values
