"""The pinhole camera of sensor_msgs/CameraInfo."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header

_EQUIDISTANT = "equidistant"
_MODELS = ("plumb_bob", "rational_polynomial", _EQUIDISTANT)
_WIDEST = np.linspace(0.0, 10.0, 501)  # tangents of the angle to the optical axis, up to 84 degrees


@dataclass(frozen=True, slots=True, eq=False)
class PinholeCamera:
    """A calibrated camera in its optical frame (z forward, x right, y down).

    Args:
        header: stamp and optical frame.
        width: columns of the picture, pixels.
        height: rows of the picture, pixels.
        matrix: (3, 3) float64 K of the raw picture, pixels; all zero when uncalibrated.
        distortion: (D,) float64 coefficients of `distortion_model` (4, 5 or 8).
        distortion_model: 'plumb_bob', 'rational_polynomial', 'equidistant' or ''.
        rectification: (3, 3) float64 R.
        projection: (3, 4) float64 P of the rectified picture.
    """

    header: Header
    width: int
    height: int
    matrix: np.ndarray
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(0))
    distortion_model: str = "plumb_bob"
    rectification: np.ndarray = field(default_factory=lambda: np.eye(3))
    projection: np.ndarray = field(default_factory=lambda: np.zeros((3, 4)))

    def __post_init__(self) -> None:
        check_array("matrix", self.matrix, (3, 3), np.float64)
        check_array("distortion", self.distortion, (None,), np.float64)
        check_array("rectification", self.rectification, (3, 3), np.float64)
        check_array("projection", self.projection, (3, 4), np.float64)

    @property
    def is_calibrated(self) -> bool:
        """False for the all-zero K that sensor_msgs/CameraInfo uses for 'not calibrated'."""
        return bool(self.matrix[0, 0] > 0.0 and self.matrix[1, 1] > 0.0)

    @property
    def flaw(self) -> str:
        """Why it cannot project, empty where it can."""
        if not self.is_calibrated:
            return "not calibrated (K is zero)"
        if np.any(self.distortion) and self.distortion_model not in _MODELS:
            return (
                f"unknown distortion model '{self.distortion_model}'; known: {', '.join(_MODELS)}"
            )
        return ""

    def project(self, points_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns where points fall in the raw picture.

        Args:
            points_camera: (N, 3) metres, optical frame.

        Returns:
            (N, 2) float64 pixels, NaN for points not in front of the camera or so far aside that
            the polynomial of its lens brings them back into the picture; (N,) depth, metres.

        Raises:
            ValueError: the camera is not calibrated or its distortion model is unknown.
        """
        if self.flaw:
            raise ValueError(f"camera '{self.header.frame_id}': {self.flaw}")
        points = np.asarray(points_camera, np.float64)
        depth_m = points[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            normalized = points[:, :2] / depth_m[:, None]
        distorted = self._distort(normalized)
        uv_px = distorted @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        uv_px[depth_m <= 1e-3] = np.nan
        return uv_px, depth_m

    def _distort(self, normalized: np.ndarray) -> np.ndarray:
        if self.distortion_model == _EQUIDISTANT:  # without coefficients, too
            return _distort_equidistant(normalized, self.distortion)
        if not np.any(self.distortion):
            return normalized
        return _distort_polynomial(normalized, self.distortion)


def _distort_polynomial(normalized: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Brown-Conrady with OpenCV's rational extension: k1 k2 p1 p2 k3 k4 k5 k6."""
    k1, k2, p1, p2, k3, k4, k5, k6 = np.pad(coefficients, (0, 8))[:8]

    def radial_at(r2: np.ndarray) -> np.ndarray:
        above = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        below: np.ndarray = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
        return above / below

    turns_back = np.flatnonzero(np.diff(_WIDEST * radial_at(_WIDEST**2)) <= 0.0)
    x, y = normalized[:, 0], normalized[:, 1]
    r2 = x * x + y * y
    radial = radial_at(r2)
    if len(turns_back):
        radial[r2 > _WIDEST[turns_back[0]] ** 2] = np.nan
    x_out = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    y_out = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([x_out, y_out], axis=1)


def _distort_equidistant(normalized: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Kannala-Brandt fisheye: theta_d = theta (1 + k1 t2 + k2 t4 + k3 t6 + k4 t8)."""
    k1, k2, k3, k4 = np.pad(coefficients, (0, 4))[:4]
    radius = np.hypot(normalized[:, 0], normalized[:, 1])
    theta = np.arctan(radius)
    t2 = theta * theta
    theta_d = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
    scale = np.where(radius > 1e-9, theta_d / np.maximum(radius, 1e-9), 1.0)
    return normalized * scale[:, None]
