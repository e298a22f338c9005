"""Where the vehicle has moved to, from its LiDAR scans alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import Header, Odometry, PointCloud, Pose
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.errors import EngineError


@dataclass(frozen=True, slots=True)
class ScanMatcherConfig:
    """How scans are matched."""

    max_range_m: float = option(80.0, help="farther points are left out", unit="m", range=(5, 500))
    min_range_m: float = option(2.0, help="nearer points are left out", unit="m", range=(0, 50))
    voxel_m: float = option(0.8, help="grain of the local map", unit="m", range=(0.05, 10.0))
    threads: int = option(1, help="processor threads, 0 for all cores", range=(0, 256))


class ScanMatcher:
    """Matches each scan with a local map of those before: KISS-ICP (Vizzo et al., 2023).

    The first scan's pose is the origin. Scans are taken as measured at one moment.

    Args:
        config: how scans are matched.
    """

    def __init__(self, config: ScanMatcherConfig) -> None:
        self._config = config
        self._matcher: Any = None
        self._last: tuple[int, Pose] | None = None

    def load(self) -> None:
        """Makes the matcher.

        Raises:
            EngineError: the package kiss-icp is not installed.
        """
        self._matcher = self._make()

    def reset(self) -> None:
        """Starts a new map; the next scan is the origin again."""
        self._matcher, self._last = None, None

    def __call__(self, cloud: PointCloud, fixed_frame: str) -> Odometry:
        """Returns pose and velocity of the cloud's frame at the scan.

        Args:
            cloud: in the vehicle's frame, base_link.
            fixed_frame: what the frame of the first scan is to be called.

        Raises:
            EngineError: the package kiss-icp is not installed.
        """
        if self._matcher is None:
            self.load()
        points = cloud.points.astype(np.float64)
        if len(points):
            self._matcher.register_frame(points, np.zeros(0))
        matrix = np.asarray(self._matcher.last_pose, np.float64)
        pose = Pose(matrix[:3, :3].copy(), matrix[:3, 3].copy())
        linear, angular = self._velocity(cloud.header.stamp_ns, pose)
        self._last = (cloud.header.stamp_ns, pose)
        header = Header(cloud.header.stamp_ns, fixed_frame)
        return Odometry(header, cloud.header.frame_id, pose, linear, angular)

    def _velocity(self, stamp_ns: int, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
        """Returns the mean velocities since the last scan, in the vehicle's frame."""
        if self._last is None or stamp_ns <= self._last[0]:
            return np.zeros(3), np.zeros(3)
        elapsed_s = (stamp_ns - self._last[0]) / NS_PER_S
        moved = self._last[1].inverse() @ pose
        turn = moved.rotation
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        return moved.translation / elapsed_s, axis / (2 * elapsed_s)

    def _make(self) -> Any:
        try:
            from kiss_icp.config import KISSConfig
            from kiss_icp.kiss_icp import KissICP
        except ImportError as error:
            raise EngineError(
                f"scan matching needs the package kiss-icp ({error}):"
                " pip install 'spatial_perception[scan-matching]'"
            ) from error
        config = KISSConfig()
        config.data.deskew = False
        config.data.max_range = self._config.max_range_m
        config.data.min_range = self._config.min_range_m
        config.mapping.voxel_size = self._config.voxel_m
        config.registration.max_num_threads = self._config.threads
        return KissICP(config)
