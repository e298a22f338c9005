"""Rigid transforms: `base_from_lidar.apply(points_lidar)` gives `points_base`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from spatial_perception.core.checks import check_array


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A rotation and a translation, `target_from_source`.

    Args:
        rotation: (3, 3) float64, orthonormal, right-handed.
        translation: (3,) float64, metres.
    """

    rotation: np.ndarray
    translation: np.ndarray

    def __post_init__(self) -> None:
        check_array("rotation", self.rotation, (3, 3), np.float64)
        check_array("translation", self.translation, (3,), np.float64)

    @classmethod
    def identity(cls) -> Pose:
        """Returns the pose that changes nothing."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_quaternion(cls, quat_xyzw: np.ndarray, translation: np.ndarray) -> Pose:
        """Returns a pose from a quaternion (x, y, z, w), normalized here, and metres.

        Raises:
            ValueError: the quaternion is zero or not finite.
        """
        quat = np.asarray(quat_xyzw, np.float64)
        norm = float(np.linalg.norm(quat))
        if not np.isfinite(norm) or norm < 1e-6:
            raise ValueError(f"quaternion {quat.tolist()} has no direction")
        matrix = Rotation.from_quat(quat / norm).as_matrix()
        return cls(matrix, np.array(translation, np.float64))

    @classmethod
    def from_yaw(cls, yaw_rad: float, translation: np.ndarray) -> Pose:
        """Returns a pose that turns about z only."""
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return cls(matrix, np.array(translation, np.float64))

    @classmethod
    def from_rpy(cls, rpy_rad: np.ndarray, translation: np.ndarray) -> Pose:
        """Returns a pose from roll, pitch and yaw about the fixed x, y and z axes (REP 103)."""
        matrix = Rotation.from_euler("xyz", rpy_rad).as_matrix()
        return cls(matrix, np.array(translation, np.float64))

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Returns transformed points, (N, 3) of the input's dtype.

        Written out, since a matrix product would wake BLAS's threads: they spin on for some
        50 ms afterwards and take a core from the inference that follows.
        """
        rotation = self.rotation.astype(points.dtype)
        translation = self.translation.astype(points.dtype)
        moved = np.empty_like(points)
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        for axis, (of_x, of_y, of_z) in enumerate(rotation):
            moved[:, axis] = of_x * x + of_y * y + of_z * z + translation[axis]
        return moved

    def inverse(self) -> Pose:
        """Returns `source_from_target`."""
        transposed = np.ascontiguousarray(self.rotation.T)
        return Pose(transposed, -transposed @ self.translation)

    def __matmul__(self, other: Pose) -> Pose:
        """Returns `a_from_c` for `a_from_b @ b_from_c`."""
        return Pose(
            self.rotation @ other.rotation, self.rotation @ other.translation + self.translation
        )

    @property
    def quat_xyzw(self) -> np.ndarray:
        """(4,) float64 quaternion with w >= 0.

        Shepperd's method (1978) on plain numbers: messages hold many single poses, for which
        scipy's general one takes some twenty times as long.
        """
        (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = self.rotation.tolist()
        squares = (xx - yy - zz, yy - xx - zz, zz - xx - yy, xx + yy + zz)
        largest = max(range(4), key=squares.__getitem__)
        square = 1.0 + squares[largest]
        quat = (
            (square, yx + xy, zx + xz, zy - yz),
            (yx + xy, square, zy + yz, xz - zx),
            (zx + xz, zy + yz, square, yx - xy),
            (zy - yz, xz - zx, yx - xy, square),
        )[largest]
        norm = math.sqrt(sum(value * value for value in quat))
        return np.array(quat) / (-norm if quat[3] < 0.0 else norm)

    @property
    def yaw_rad(self) -> float:
        """The heading of the x axis in the x-y plane, radians in (-pi, pi]."""
        return float(np.arctan2(self.rotation[1, 0], self.rotation[0, 0]))


def interpolate(a: Pose, b: Pose, fraction: float) -> Pose:
    """Returns the pose between `a` (fraction 0) and `b` (1): slerp and linear translation."""
    rotations = Rotation.from_matrix(np.stack([a.rotation, b.rotation]))
    rotation = Slerp([0.0, 1.0], rotations)([fraction]).as_matrix()[0]
    return Pose(rotation, a.translation + fraction * (b.translation - a.translation))


def wrap_angle(angle_rad: np.ndarray) -> np.ndarray:
    """Returns angles wrapped into [-pi, pi)."""
    return (angle_rad + np.pi) % (2.0 * np.pi) - np.pi
