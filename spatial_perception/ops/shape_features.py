"""Shape of groups of points from their moments: how linear, flat, scattered and upright."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SHAPE_FEATURES = ("linearity", "planarity", "scattering", "normal_z2", "axis_z2", "extent")
_PRODUCTS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
MOMENTS = 4 + len(_PRODUCTS)


def group_moments(points: Sequence[np.ndarray], starts: np.ndarray) -> np.ndarray:
    """Returns (10, G) float64: number, sums of x y z, sums of xx yy zz xy xz yz of each group.

    Args:
        points: x, y and z of N points, metres, group after group.
        starts: (G,) where each group begins.
    """
    moments = np.empty((MOMENTS, len(starts)))
    moments[0] = np.diff(starts, append=len(points[0]))
    for row, axis in enumerate(points, start=1):
        np.add.reduceat(axis, starts, dtype=np.float64, out=moments[row])
    for row, (a, b) in enumerate(_PRODUCTS, start=4):
        np.add.reduceat(points[a] * points[b], starts, dtype=np.float64, out=moments[row])
    return moments


def shape_features(moments: np.ndarray) -> np.ndarray:
    """Returns (6, G) float32, see `SHAPE_FEATURES`, zero for groups of less than three points.

    From the eigenvalues a <= b <= c of the covariance (Weinmann et al., 2015): linearity
    (c - b) / c, planarity (b - a) / c, scattering a / c; squared vertical part of the normal (the
    eigenvector of a) and of the main axis (that of c); extent sqrt(c) in metres.

    Args:
        moments: (10, G) of `group_moments`.
    """
    means = moments[1:] / np.maximum(moments[0], 1.0)
    xx, yy, zz, xy, xz, yz = (
        product - means[a] * means[b] for product, (a, b) in zip(means[3:], _PRODUCTS, strict=True)
    )
    low, middle, high = _eigenvalues(xx, yy, zz, xy, xz, yz)
    largest = np.maximum(high, 1e-6)
    # Vertical part of an eigenvector from eigenvalues alone (Denton et al., 2022).
    normal = ((low - xx) * (low - yy) - xy**2) / np.maximum((middle - low) * (high - low), 1e-9)
    axis = ((high - xx) * (high - yy) - xy**2) / np.maximum((high - low) * (high - middle), 1e-9)
    features = np.empty((len(SHAPE_FEATURES), len(largest)), np.float32)
    features[0] = (high - middle) / largest
    features[1] = (middle - low) / largest
    features[2] = low / largest
    features[3] = np.clip(normal, 0.0, 1.0)
    features[4] = np.clip(axis, 0.0, 1.0)
    features[5] = np.sqrt(largest)
    features[:, moments[0] < 3] = 0.0
    return features


def _eigenvalues(
    xx: np.ndarray, yy: np.ndarray, zz: np.ndarray, xy: np.ndarray, xz: np.ndarray, yz: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the eigenvalues of symmetric 3x3 matrices, ascending (Smith's closed form)."""
    mean = (xx + yy + zz) / 3.0
    a, b, c = xx - mean, yy - mean, zz - mean
    xy2, xz2, yz2 = xy * xy, xz * xz, yz * yz
    square = np.maximum((a * a + b * b + c * c + 2.0 * (xy2 + xz2 + yz2)) / 6.0, 1e-18)
    scale = np.sqrt(square)
    half_determinant = 0.5 * (a * (b * c - yz2) - c * xy2 - b * xz2) + xy * xz * yz
    cosine = np.cos(np.arccos(np.clip(half_determinant / (square * scale), -1.0, 1.0)) / 3.0)
    sine = np.sqrt(1.0 - cosine * cosine)
    high = mean + 2.0 * scale * cosine
    low = mean - scale * (cosine + np.sqrt(3.0) * sine)
    return np.maximum(low, 0.0), np.maximum(3.0 * mean - high - low, 0.0), high
