"""The cells that boxes stand on."""

from __future__ import annotations

import cv2
import numpy as np

_SHIFT = 4  # fixed-point places of OpenCV's corners
_CORNERS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2


def footprints(boxes_bev: np.ndarray, cells: int) -> np.ndarray:
    """Returns (cells, cells) bool, row = y, the cells that rectangles cover or touch.

    Args:
        boxes_bev: (N, 5) x y length width yaw, in cells from the grid's corner; no cell is marked
            for a box that reaches far out of the grid.
        cells: edge of the grid.
    """
    marked = np.zeros((cells, cells), np.uint8)
    cos, sin = np.cos(boxes_bev[:, 4]), np.sin(boxes_bev[:, 4])
    turns = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
    corners = boxes_bev[:, None, :2] + (_CORNERS * boxes_bev[:, None, 2:4]) @ turns
    for corner in corners[np.all(np.abs(corners) < 2 * cells, axis=(1, 2))]:
        # a cell's middle has whole numbers for OpenCV
        fixed = np.round((corner - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(marked, fixed, 1, shift=_SHIFT)
    return marked > 0
