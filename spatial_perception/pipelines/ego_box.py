"""What of a scan lies on the vehicle itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option


@dataclass(frozen=True, slots=True)
class EgoBox:
    """The vehicle's own rectangle on the ground; a length or width of 0 is none."""

    length_m: float = option(
        4.8,
        help="of the vehicle, whose returns are unused; 0 for none",
        unit="m",
        range=(0.0, 30.0),
    )
    width_m: float = option(2.0, help="of the vehicle", unit="m", range=(0.0, 10.0))
    ahead_m: float = option(
        0.0, help="how far its middle lies ahead of base_link", unit="m", range=(-15.0, 15.0)
    )

    def reach_m(self, place_m: np.ndarray) -> float:
        """Returns how far the rectangle's farthest corner is from a place in base_link, metres."""
        ahead_m = self.length_m / 2 + abs(self.ahead_m - place_m[0])
        return float(np.hypot(ahead_m, self.width_m / 2 + abs(place_m[1])))

    def holds(self, points: np.ndarray, margin_m: float = 0.0) -> np.ndarray:
        """Returns (N,) bool: which points lie over the rectangle, at any height.

        Args:
            points: (N, 2 or more) x y in metres, base_link.
            margin_m: by how much the rectangle grows on each side.
        """
        if not (self.length_m and self.width_m):
            return np.zeros(len(points), bool)
        number = points.dtype.type
        inside: np.ndarray = np.abs(points[:, 0] - number(self.ahead_m)) < number(
            self.length_m / 2 + margin_m
        )
        inside &= np.abs(points[:, 1]) < number(self.width_m / 2 + margin_m)
        return inside
