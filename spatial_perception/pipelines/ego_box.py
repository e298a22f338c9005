"""What of a scan lies on the vehicle itself."""

from __future__ import annotations

import numpy as np


def on_vehicle(
    points: np.ndarray, length_m: float, width_m: float, ahead_m: float = 0.0
) -> np.ndarray:
    """Returns (N,) bool: which points lie over the vehicle's own rectangle, at any height.

    Args:
        points: (N, 2 or more) x y in metres, base_link.
        length_m: of the vehicle.
        width_m: of the vehicle.
        ahead_m: how far its middle lies ahead of base_link.
    """
    x, y = points[:, 0] - points.dtype.type(ahead_m), points[:, 1]
    inside: np.ndarray = np.abs(x) < points.dtype.type(length_m / 2)
    inside &= np.abs(y) < points.dtype.type(width_m / 2)
    return inside
