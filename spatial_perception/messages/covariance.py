"""Covariances as geometry_msgs has them: 6 x 6, row by row, x y z and turns about x y z."""

from __future__ import annotations

import numpy as np

_PLANE = np.array([0, 1, 5])  # x, y and the turn about z


def encode_plane(covariance: np.ndarray | None) -> np.ndarray:
    """Returns (36,) float64; what is not in the plane is zero, as everything is for None.

    Args:
        covariance: (3, 3) of x, y and the turn about z, or of their velocities.
    """
    full = np.zeros((6, 6))
    if covariance is not None:
        full[np.ix_(_PLANE, _PLANE)] = covariance
    return full.ravel()
