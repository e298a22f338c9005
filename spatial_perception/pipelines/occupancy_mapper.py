"""An occupancy grid from the rays of one scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import OccupancyGrid, PointCloud, Pose
from spatial_perception.core.occupancy import UNKNOWN_CELL
from spatial_perception.ops.ground import GroundConfig, estimate_ground


@dataclass(frozen=True, slots=True)
class OccupancyMapperConfig:
    """Size of the grid and how evidence counts."""

    size_m: float = option(100.0, help="edge of the square grid", unit="m", range=(1.0, 1000.0))
    resolution_m: float = option(0.2, help="edge of a cell", unit="m", range=(0.02, 5.0))
    min_height_m: float = option(0.3, help="lower points are ground", unit="m", range=(-5.0, 5.0))
    max_height_m: float = option(
        2.5, help="higher points are overhead, the vehicle passes below", unit="m", range=(0, 20)
    )
    ego_radius_m: float = option(
        2.0, help="returns nearer than this are the vehicle's own", unit="m", range=(0.0, 20.0)
    )
    azimuth_bins: int = option(1800, help="rays around the sensor", range=(36, 36_000))
    hit_log_odds: float = option(0.9, help="what one obstacle point adds", range=(0.0, 20.0))
    miss_log_odds: float = option(-1.5, help="what a ray that crosses adds", range=(-20.0, 0.0))
    limit_log_odds: float = option(4.6, help="where evidence saturates", range=(0.1, 20.0))
    ground: GroundConfig = option(default_factory=GroundConfig, help="ground estimate")


class OccupancyMapper:
    """Marks where obstacles are and what lies free before them, in the frame of the cloud.

    Around the sensor each azimuth bin keeps its nearest obstacle and its farthest return. A cell
    is free where the rays of its bin cross it on their way, never behind the nearest obstacle:
    a ray that passes over a low obstacle says nothing of the ground behind it. Behind it, only
    returns from the ground itself clear the cell they lie in. Log-odds as in Elfes (1989).

    Args:
        config: size of the grid and weights of the evidence.
    """

    def __init__(self, config: OccupancyMapperConfig) -> None:
        self._config = config
        self._cells = round(config.size_m / config.resolution_m)
        edge = -config.size_m / 2
        centers = edge + (np.arange(self._cells, dtype=np.float32) + 0.5) * config.resolution_m
        self._center_x, self._center_y = np.meshgrid(centers, centers)
        self._corner = Pose.from_yaw(0.0, np.array([edge, edge, 0.0]))
        self._polar_origin: np.ndarray | None = None
        self._cell_bin = np.zeros(0, np.int64)
        self._cell_range = np.zeros(0, np.float32)

    def __call__(self, cloud: PointCloud, sensor_origin_m: np.ndarray) -> OccupancyGrid:
        """Returns the grid around the origin of the cloud's frame.

        Args:
            cloud: points in the grid's frame: x forward, z up, on the ground under the vehicle.
            sensor_origin_m: (3,) where the rays start, metres, same frame.
        """
        config = self._config
        self._prepare_polar(sensor_origin_m)
        outside = np.hypot(cloud.points[:, 0], cloud.points[:, 1]) > config.ego_radius_m
        points = cloud.points[outside]
        height = points[:, 2] - estimate_ground(points, config.ground).height_at(points[:, :2])
        is_obstacle = (height > config.min_height_m) & (height < config.max_height_m)
        is_ground = height <= config.min_height_m

        bins, ranges = self._polar(points[:, 0], points[:, 1], sensor_origin_m)
        nearest = np.full(config.azimuth_bins, np.inf, np.float32)
        np.minimum.at(nearest, bins[is_obstacle], ranges[is_obstacle])
        farthest = np.zeros(config.azimuth_bins, np.float32)
        np.maximum.at(farthest, bins[is_ground], ranges[is_ground])
        free_range = np.where(
            np.isfinite(nearest), nearest - config.resolution_m, farthest
        )  # an obstacle proves the ray up to it, ground proves it up to the last return

        hits = self._count(points[is_obstacle])
        crossed = self._cell_range < free_range[self._cell_bin]
        cleared = crossed.reshape(hits.shape) | (self._count(points[is_ground]) > 0)
        log_odds = hits * config.hit_log_odds + (cleared & (hits == 0)) * config.miss_log_odds
        return self._grid(log_odds, known=cleared | (hits > 0), cloud=cloud)

    def _grid(self, log_odds: np.ndarray, known: np.ndarray, cloud: PointCloud) -> OccupancyGrid:
        limit = self._config.limit_log_odds
        probability = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -limit, limit)))
        percent = np.round(100.0 * probability).astype(np.int8)
        cells = np.where(known, percent, np.int8(UNKNOWN_CELL))
        return OccupancyGrid(cloud.header, cells, self._config.resolution_m, self._corner)

    def _count(self, points: np.ndarray) -> np.ndarray:
        """Returns (H, W) how many points lie over each cell."""
        edge = self._config.size_m / 2
        column, row = np.floor((points[:, :2] + edge) / self._config.resolution_m).astype(int).T
        inside = (column >= 0) & (column < self._cells) & (row >= 0) & (row < self._cells)
        flat = row[inside] * self._cells + column[inside]
        return np.bincount(flat, minlength=self._cells**2).reshape(self._cells, self._cells)

    def _polar(
        self, x: np.ndarray, y: np.ndarray, origin: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns azimuth bins and horizontal ranges, metres, as the sensor sees places."""
        dx, dy = x - np.float32(origin[0]), y - np.float32(origin[1])
        turn = np.arctan2(dy, dx) / (2 * np.pi) + 0.5
        bins = (turn * self._config.azimuth_bins).astype(np.int64) % self._config.azimuth_bins
        return bins, np.hypot(dx, dy)

    def _prepare_polar(self, origin: np.ndarray) -> None:
        """Computes bin and range of every cell once for each place of the sensor."""
        if self._polar_origin is not None and np.array_equal(self._polar_origin, origin):
            return
        self._polar_origin = np.array(origin)
        bins, ranges = self._polar(self._center_x, self._center_y, origin)
        self._cell_bin, self._cell_range = bins.ravel(), ranges.ravel()
