"""The rectangle that a box in space covers in a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR_M = 0.1
_RING = ((0, 1), (1, 2), (2, 3), (3, 0))
_EDGES = np.array([*_RING, *((a + 4, b + 4) for a, b in _RING), *((a, a + 4) for a in range(4))])


def image_boxes(
    corners_camera: NDArray[np.floating],
    projection: NDArray[np.float64],
    size_wh_px: tuple[int, int],
) -> NDArray[np.float64]:
    """(N, 4) left top right bottom of the visible part, pixels; all NaN where none is visible.

    What lies behind the camera is cut off along the edges of the box before it is projected.

    Args:
        corners_camera: (N, 8, 3) bottom four, then top four in the same order, metres, optical
            frame.
        projection: (3, 4) pixels from the optical frame.
        size_wh_px: Width and height of the picture.
    """
    boxes = np.full((len(corners_camera), 4), np.nan)
    for index, corners in enumerate(np.asarray(corners_camera, np.float64)):
        seen = _in_front(corners)
        if not len(seen):
            continue
        pixels = np.c_[seen, np.ones(len(seen))] @ projection.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        low = np.clip(pixels.min(axis=0), 0.0, size_wh_px)
        high = np.clip(pixels.max(axis=0), 0.0, size_wh_px)
        if np.all(high > low):
            boxes[index] = [*low, *high]
    return boxes


def _in_front(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, 3) the corners in front of the camera and where edges cross the near plane."""
    start, end = corners[_EDGES[:, 0]], corners[_EDGES[:, 1]]
    crossing = (start[:, 2] - NEAR_M) * (end[:, 2] - NEAR_M) < 0.0
    start, end = start[crossing], end[crossing]
    share = (NEAR_M - start[:, 2]) / (end[:, 2] - start[:, 2])
    return np.concatenate(
        [corners[corners[:, 2] >= NEAR_M], start + share[:, None] * (end - start)]
    )
