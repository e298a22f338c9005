"""Where a scan was taken, seen from a grid whose axes do not turn with the vehicle."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core import Pose


@dataclass(frozen=True, slots=True, eq=False)
class ScanView:
    """The sensor on a vehicle.

    Args:
        grid_from_base: the vehicle in the frame of the grid.
        origin_m: (3,) the sensor in base_link, metres.
    """

    grid_from_base: Pose
    origin_m: np.ndarray

    @property
    def sensor_m(self) -> np.ndarray:
        """(2,) float64 x and y of the sensor in the frame of the grid, metres."""
        place: np.ndarray = self.grid_from_base.apply(self.origin_m[None])[0, :2]
        return place

    def turned(self, points: np.ndarray) -> np.ndarray:
        """Returns (3, N) float32: x and y from the sensor in the axes of the grid, z as it was.

        Args:
            points: (N, 3) metres, base_link.
        """
        if not len(points):  # which OpenCV refuses
            return np.zeros((3, 0), np.float32)
        turn = np.eye(3, 4, dtype=np.float32)
        turn[:2, :3] = self.grid_from_base.rotation[:2]
        turn[:2, 3] = -self.grid_from_base.rotation[:2] @ self.origin_m
        return cv2.transpose(cv2.transform(np.ascontiguousarray(points, np.float32)[None], turn)[0])
