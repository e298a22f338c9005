"""Where a vehicle can go from where it stands: ranges around it, and the outline they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header


@dataclass(frozen=True, slots=True, eq=False)
class RangeScan:
    """Distances to the nearest obstacles in directions around a frame's z axis (REP 117).

    Args:
        header: stamp and the frame in whose origin the beams start.
        angle_min_rad: direction of the first beam, from x over y.
        angle_step_rad: between beams.
        range_min_m: nearer ranges are no measurements.
        range_max_m: so far there was looked.
        ranges_m: (N,) float32; +inf nothing up to `range_max_m`, nan not known.
    """

    header: Header
    angle_min_rad: float
    angle_step_rad: float
    range_min_m: float
    range_max_m: float
    ranges_m: np.ndarray

    def __post_init__(self) -> None:
        check_array("ranges_m", self.ranges_m, (None,), np.float32)

    @property
    def angles_rad(self) -> np.ndarray:
        """(N,) float64 direction of each beam."""
        angles: np.ndarray = self.angle_min_rad + self.angle_step_rad * np.arange(
            len(self.ranges_m)
        )
        return angles


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """A closed outline.

    Args:
        header: stamp and frame.
        points_m: (N, 3) float32 corners in order, metres.
    """

    header: Header
    points_m: np.ndarray

    def __post_init__(self) -> None:
        check_array("points_m", self.points_m, (None, 3), np.float32)
