"""The vehicle's own motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.pose import Pose


@dataclass(frozen=True, slots=True, eq=False)
class Odometry:
    """Pose of `child_frame_id` in the header's frame, and its velocity in `child_frame_id`.

    Args:
        header: stamp and the fixed frame, usually odom.
        child_frame_id: the moving frame, usually base_link.
        pose: header frame from child frame.
        linear_velocity: (3,) float64, metres a second; NaN where not known.
        angular_velocity: (3,) float64, radians a second; likewise.
    """

    header: Header
    child_frame_id: str
    pose: Pose
    linear_velocity: np.ndarray
    angular_velocity: np.ndarray

    def __post_init__(self) -> None:
        check_array("linear_velocity", self.linear_velocity, (3,), np.float64)
        check_array("angular_velocity", self.angular_velocity, (3,), np.float64)
