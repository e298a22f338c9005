"""Shape of groups of points from their moments: how linear, flat, scattered and upright."""

from __future__ import annotations

import numpy as np

SHAPE_FEATURES = ("linearity", "planarity", "scattering", "normal_z2", "axis_z2", "extent")
_PRODUCTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
MOMENTS = 4 + len(_PRODUCTS)


def group_moments(points: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Returns (groups, 10) float64: number, sums of x y z, sums of xx yy zz xy xz yz of each group.

    Args:
        points: (N, 3) metres.
        group: (N,) group of each point.
        groups: Number of groups.
    """
    moments = np.empty((MOMENTS, groups))
    moments[0] = np.bincount(group, minlength=groups)
    for axis in range(3):
        moments[1 + axis] = np.bincount(group, points[:, axis], minlength=groups)
    for row, (a, b) in enumerate(_PRODUCTS, start=4):
        moments[row] = np.bincount(group, points[:, a] * points[:, b], minlength=groups)
    return np.ascontiguousarray(moments.T)


def merged_moments(moments: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Returns (groups, 10): the moments of unions of groups."""
    columns = [np.bincount(group, column, minlength=groups) for column in moments.T]
    return np.stack(columns, axis=1)


def shape_features(moments: np.ndarray) -> np.ndarray:
    """Returns (G, 6) float32, see `SHAPE_FEATURES`, zero for groups of less than three points.

    From the eigenvalues a <= b <= c of the covariance (Weinmann et al., 2015): linearity
    (c - b) / c, planarity (b - a) / c, scattering a / c; squared vertical part of the normal (the
    eigenvector of a) and of the main axis (that of c); extent sqrt(c) in metres.

    Args:
        moments: (G, 10) of `group_moments`.
    """
    number = np.maximum(moments[:, 0], 1.0)[:, None]
    mean = moments[:, 1:4] / number
    products = np.stack([mean[:, a] * mean[:, b] for a, b in _PRODUCTS], axis=1)
    xx, yy, zz, xy, xz, yz = (moments[:, 4:] / number - products).T
    low, middle, high = _eigenvalues(xx, yy, zz, xy, xz, yz)
    largest = np.maximum(high, 1e-6)
    # Vertical part of an eigenvector from eigenvalues alone (Denton et al., 2022).
    normal = ((low - xx) * (low - yy) - xy**2) / np.maximum((middle - low) * (high - low), 1e-9)
    axis = ((high - xx) * (high - yy) - xy**2) / np.maximum((high - low) * (high - middle), 1e-9)
    features = np.stack(
        [
            (high - middle) / largest,
            (middle - low) / largest,
            low / largest,
            np.clip(normal, 0.0, 1.0),
            np.clip(axis, 0.0, 1.0),
            np.sqrt(largest),
        ],
        axis=1,
    )
    features[moments[:, 0] < 3] = 0.0
    return features.astype(np.float32)


def _eigenvalues(
    xx: np.ndarray, yy: np.ndarray, zz: np.ndarray, xy: np.ndarray, xz: np.ndarray, yz: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the eigenvalues of symmetric 3x3 matrices, ascending (Smith's closed form)."""
    mean = (xx + yy + zz) / 3.0
    a, b, c = xx - mean, yy - mean, zz - mean
    scale = np.sqrt(np.maximum((a**2 + b**2 + c**2 + 2 * (xy**2 + xz**2 + yz**2)) / 6.0, 1e-18))
    half_determinant = 0.5 * (
        a * (b * c - yz**2) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    )
    angle = np.arccos(np.clip(half_determinant / scale**3, -1.0, 1.0)) / 3.0
    high = mean + 2.0 * scale * np.cos(angle)
    low = mean + 2.0 * scale * np.cos(angle + 2.0 * np.pi / 3.0)
    return np.maximum(low, 0.0), np.maximum(3.0 * mean - high - low, 0.0), high
