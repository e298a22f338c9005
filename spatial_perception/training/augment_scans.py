"""Random changes of scans, their boxes and their complete voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option


@dataclass(frozen=True, slots=True, eq=False)
class PlaneMap:
    """x' = scale * R(yaw) * diag(1, mirror) * x about the z axis; z' = scale * z + lift."""

    yaw_rad: float
    mirror: float
    scale: float
    lift_m: float

    def points(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) float32 points, mapped."""
        flat = points[:, :2] @ self._matrix().T
        height = points[:, 2:] * self.scale + self.lift_m
        return np.concatenate([flat, height], axis=1).astype(np.float32)

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """(M, 7) float32 boxes, mapped."""
        centers = self.points(boxes[:, :3])
        yaws = self.mirror * boxes[:, 6:] + self.yaw_rad
        return np.concatenate([centers, boxes[:, 3:6] * self.scale, yaws], axis=1).astype(
            np.float32
        )

    def before(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) float32: what the map takes to `points`."""
        flat = points[:, :2] @ np.linalg.inv(self._matrix()).T
        height = (points[:, 2:] - self.lift_m) / self.scale
        return np.concatenate([flat, height], axis=1).astype(np.float32)

    def _matrix(self) -> np.ndarray:
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return self.scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([1.0, self.mirror])


@dataclass(frozen=True, slots=True)
class ScanAugmentation:
    """How far a scan may be changed."""

    rotation_deg: float = option(180.0, help="largest turn about z", unit="deg", range=(0.0, 180.0))
    flip: bool = option(True, help="mirror half of the scans left to right")
    scale: float = option(0.05, help="largest relative change of size", range=(0.0, 0.5))
    lift_m: float = option(0.15, help="largest change of height", unit="m", range=(0.0, 5.0))
    jitter_m: float = option(
        0.01, help="largest standard deviation of noise of a point", unit="m", range=(0.0, 0.5)
    )
    drop_points: float = option(0.4, help="largest share of points dropped", range=(0.0, 0.99))
    drop_rings: float = option(
        0.5, help="share of scans of which whole bands of elevation are dropped", range=(0.0, 1.0)
    )

    def map(self, generator: np.random.Generator) -> PlaneMap:
        """A random map of the plane."""
        return PlaneMap(
            np.deg2rad(generator.uniform(-1, 1) * self.rotation_deg),
            -1.0 if self.flip and generator.random() < 0.5 else 1.0,
            1.0 + generator.uniform(-1, 1) * self.scale,
            generator.uniform(-1, 1) * self.lift_m,
        )

    def kept(self, points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """(N,) bool: the points that stay, as if the sensor had lost some or had fewer beams."""
        share = 1.0 - generator.uniform(0.0, self.drop_points)
        kept = generator.random(len(points), np.float32) < share
        if generator.random() < self.drop_rings:
            fewer = kept & _without_bands(points, generator)
            if fewer.any():  # the bands may hold every beam of a sparse sensor
                return fewer
        return kept if kept.any() else np.ones_like(kept)

    def jitter(self, points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """(N, 3) float32 points with noise."""
        sigma = np.float32(generator.uniform(0.0, self.jitter_m))
        return points + sigma * generator.standard_normal(points.shape, np.float32)


def _without_bands(points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(N,) bool: every second or third beam-like band of elevation, seen from a roof, taken out."""
    height_m = generator.uniform(1.5, 2.0)
    distance = np.sqrt(points[:, 0] ** 2 + points[:, 1] ** 2)
    elevation = np.arctan2(points[:, 2] - height_m, np.maximum(distance, 0.1))
    spacing = np.deg2rad(generator.uniform(0.4, 1.2))
    band = np.floor(elevation / spacing + generator.random()).astype(np.int64)
    every = int(generator.integers(2, 4))
    return band % every != 0 if generator.random() < 0.7 else band % every == 0
