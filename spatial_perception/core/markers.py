"""Shapes for RViz and Foxglove, as visualization_msgs has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.pose import Pose


class MarkerShape(IntEnum):
    """The numbers of visualization_msgs/Marker."""

    ARROW = 0
    CUBE = 1
    SPHERE = 2
    CYLINDER = 3
    LINE_STRIP = 4
    LINE_LIST = 5
    POINTS = 8
    TEXT = 9


@dataclass(frozen=True, slots=True, eq=False)
class Marker:
    """One shape; (namespace, id) names it for as long as it lives.

    Args:
        header: stamp and frame.
        namespace: group of the marker.
        id: unique within the namespace.
        shape: what is drawn.
        pose: header frame from marker frame.
        scale_m: x y z, metres (line width in x, text height in z).
        color_rgba: 0..1.
        points: (N, 3) float32 for lines and points, metres, marker frame.
        text: for `MarkerShape.TEXT`.
        lifetime_s: seconds until a viewer drops it by itself; 0 = never.
    """

    header: Header
    namespace: str
    id: int
    shape: MarkerShape
    pose: Pose
    scale_m: tuple[float, float, float]
    color_rgba: tuple[float, float, float, float]
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    text: str = ""
    lifetime_s: float = 0.5

    def __post_init__(self) -> None:
        check_array("points", self.points, (None, 3), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class MarkerArray:
    """All shapes of one frame; they replace the ones of the frame before."""

    header: Header
    markers: tuple[Marker, ...]
