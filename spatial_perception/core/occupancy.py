"""The flat map that planners take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.pose import Pose

UNKNOWN_CELL = -1


@dataclass(frozen=True, slots=True, eq=False)
class OccupancyGrid:
    """Occupancy of the ground plane, as nav_msgs/OccupancyGrid has it.

    Args:
        header: stamp and frame.
        cells: (H, W) int8, row = y, column = x: -1 unknown, 0 free .. 100 occupied.
        resolution_m: edge of a cell, metres.
        origin: pose of the corner of cell (0, 0) in the header's frame.
    """

    header: Header
    cells: np.ndarray
    resolution_m: float
    origin: Pose

    def __post_init__(self) -> None:
        check_array("cells", self.cells, (None, None), np.int8)
        if self.resolution_m <= 0:
            raise ValueError(f"resolution_m: expected more than 0, got {self.resolution_m}")
