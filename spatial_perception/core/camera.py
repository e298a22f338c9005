"""The pinhole camera of sensor_msgs/CameraInfo."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header

_EQUIDISTANT = "equidistant"
_MODELS = ("plumb_bob", "rational_polynomial", _EQUIDISTANT)
_WIDEST = np.linspace(0.0, 10.0, 2001)  # tangents of the angle to the optical axis, to 84 degrees
_ANGLES = np.linspace(0.0, np.radians(120.0), 1001)  # of a fisheye's rays to the optical axis


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
        if not (np.isfinite(self.matrix).all() and np.isfinite(self.distortion).all()):
            return "badly calibrated (its K or D is not finite)"
        if not (self.width and self.height):
            return "without a size (its width or height is 0)"
        if np.any(self.distortion) and self.distortion_model not in _MODELS:
            return (
                f"unknown distortion model '{self.distortion_model}'; known: {', '.join(_MODELS)}"
            )
        return ""

    def misfit(self, width: int, height: int) -> str:
        """Returns how pictures of a size are not those it is calibrated for, empty where they are.

        A pixel more or less is what drivers round differently.
        """
        if abs(self.width - width) <= 1 and abs(self.height - height) <= 1:
            return ""
        return f"is for pictures of {self.width}x{self.height}, these have {width}x{height}"

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
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            distorted = self._distort(points[:, :2] / depth_m[:, None])
            uv_px = distorted @ self.matrix[:2, :2].T + self.matrix[:2, 2]
        uv_px[depth_m <= 1e-3] = np.nan
        return uv_px, depth_m

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Returns (N, 3) float64 unit vectors, optical frame, of what falls on pixels.

        The way back of `project`, lens included. Pixels farther out than the polynomial of a lens
        reaches get its outermost ray on their side.

        Args:
            pixels: (N, 2), of the raw picture.

        Raises:
            ValueError: as `project`.
        """
        if self.flaw:
            raise ValueError(f"camera '{self.header.frame_id}': {self.flaw}")
        centered = np.asarray(pixels, np.float64) - self.matrix[:2, 2]
        distorted = centered @ np.linalg.inv(self.matrix[:2, :2]).T
        if self.distortion_model == _EQUIDISTANT:
            return _rays_equidistant(distorted, self.distortion)
        flat = distorted
        if np.any(self.distortion):
            flat = _undistort_polynomial(distorted, self.distortion)
        rays = np.column_stack([flat, np.ones(len(flat))])
        unit: np.ndarray = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        return unit

    def _distort(self, normalized: np.ndarray) -> np.ndarray:
        if self.distortion_model == _EQUIDISTANT:  # without coefficients, too
            return _distort_equidistant(normalized, self.distortion)
        if not np.any(self.distortion):
            return normalized
        return _distort_polynomial(normalized, self.distortion)


def _distort_polynomial(normalized: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Brown-Conrady with OpenCV's rational extension: k1 k2 p1 p2 k3 k4 k5 k6."""
    r2 = (normalized**2).sum(axis=1)
    radial = _radial(r2, coefficients)
    reach = _reach(coefficients)
    if len(reach) < len(_WIDEST):
        radial[r2 > reach[-1] ** 2] = np.nan
    return normalized * radial[:, None] + _tangential(normalized, coefficients)


def _undistort_polynomial(distorted: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The inverse: the radial part by its table, the small tangential part by iteration."""
    table = _reach(coefficients)
    shrunk = table * _radial(table**2, coefficients)
    found = distorted
    for _ in range(10):
        centered = distorted - _tangential(found, coefficients)
        radius = np.hypot(centered[:, 0], centered[:, 1])
        scale = np.interp(radius, shrunk, table) / np.maximum(radius, 1e-9)
        found = centered * scale[:, None]
    return found


def _radial(r2: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """How much farther out, as a factor, at squared radii."""
    k1, k2, _, _, k3, k4, k5, k6 = np.pad(coefficients, (0, 8))[:8]
    above = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    below: np.ndarray = 1 + r2 * (k4 + r2 * (k5 + r2 * k6))
    return above / below


def _reach(coefficients: np.ndarray) -> np.ndarray:
    """The radii of `_WIDEST` up to where the polynomial turns back."""
    turns_back = np.flatnonzero(np.diff(_WIDEST * _radial(_WIDEST**2, coefficients)) <= 0.0)
    return _WIDEST[: turns_back[0] + 1] if len(turns_back) else _WIDEST


def _tangential(normalized: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    p1, p2 = np.pad(coefficients, (0, 4))[2:4]
    x, y = normalized[:, 0], normalized[:, 1]
    r2 = x * x + y * y
    aside = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    return np.stack([aside, p1 * (r2 + 2 * y * y) + 2 * p2 * x * y], axis=1)


def _distort_equidistant(normalized: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Kannala-Brandt fisheye."""
    radius = np.hypot(normalized[:, 0], normalized[:, 1])
    theta_d = _bent(np.arctan(radius), coefficients)
    scale = np.where(radius > 1e-9, theta_d / np.maximum(radius, 1e-9), 1.0)
    return normalized * scale[:, None]


def _rays_equidistant(distorted: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The way back, beyond 90 degrees to the axis too, by a table that ends where it turns back."""
    bent = _bent(_ANGLES, coefficients)
    turns_back = np.flatnonzero(np.diff(bent) <= 0.0)
    last = turns_back[0] + 1 if len(turns_back) else len(bent)
    radius = np.hypot(distorted[:, 0], distorted[:, 1])
    theta = np.interp(radius, bent[:last], _ANGLES[:last])
    aside = distorted * (np.sin(theta) / np.maximum(radius, 1e-9))[:, None]
    return np.column_stack([aside, np.cos(theta)])


def _bent(theta: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """theta (1 + k1 t2 + k2 t4 + k3 t6 + k4 t8) of angles to the optical axis, radians."""
    k1, k2, k3, k4 = np.pad(coefficients, (0, 4))[:4]
    t2 = theta * theta
    bent: np.ndarray = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
    return bent
