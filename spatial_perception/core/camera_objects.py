"""What a camera sees, placed in space as far as it goes: a bearing always, a range where known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet


@dataclass(frozen=True, slots=True, eq=False)
class CameraObjects:
    """Objects of one camera in the frame of the vehicle.

    Args:
        header: stamp and the frame of positions and bearings.
        positions_m: (N, 3) float32, centres, metres; NaN where only the bearing is known.
        azimuths_rad: (N,) float32, bearing from the camera about z, radians, left positive.
        elevations_rad: (N,) float32, bearing from the camera over the horizon, radians.
        ranges_m: (N,) float32, distance from the camera, metres; NaN where unknown.
        scores: (N,) float32 in 0..1.
        labels: (N,) int32, index in `label_set`.
        label_set: the camera's classes.
    """

    header: Header
    positions_m: np.ndarray
    azimuths_rad: np.ndarray
    elevations_rad: np.ndarray
    ranges_m: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    label_set: LabelSet

    def __post_init__(self) -> None:
        count = len(self.positions_m)
        check_array("positions_m", self.positions_m, (None, 3), np.float32)
        for name in ("azimuths_rad", "elevations_rad", "ranges_m", "scores"):
            check_array(name, getattr(self, name), (count,), np.float32)
        check_array("labels", self.labels, (count,), np.int32)

    def __len__(self) -> int:
        return len(self.scores)
