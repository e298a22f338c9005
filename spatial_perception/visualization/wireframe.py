"""Boxes in space as wire frames in a camera's picture."""

from __future__ import annotations

import cv2
import numpy as np

from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.detections import Detections3D
from spatial_perception.core.pose import Pose
from spatial_perception.visualization.theme import Rgb, RgbImage, rgb, shaded

# Corners as core.boxes.box_corners orders them: front left, rear left, rear right, front
# right of the bottom, then of the top.
_EDGES = np.array(
    [[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]]
)
_FRONT_EDGES = frozenset({3, 7, 8, 11})
_FRONT_FACE = [0, 3, 7, 4]
_NEAR_M = 0.2
_MAX_VIEW_ANGLE_TAN = 3.0
_SUBPIXEL_BITS = 4
_REACH_PX = 1 << 14


def draw_wireframes(
    image: RgbImage, objects: Detections3D, camera: PinholeCamera, camera_from_objects: Pose
) -> None:
    """Draws the boxes that lie in front of the camera, far ones first.

    Args:
        image: (H, W, 3) uint8, written in place.
        objects: Boxes in any frame.
        camera: A calibrated camera.
        camera_from_objects: Its optical frame from the frame of the boxes.
    """
    if not len(objects):
        return
    corners_m = objects.corners().astype(np.float64)
    corners_camera = camera_from_objects.apply(corners_m.reshape(-1, 3)).reshape(-1, 8, 3)
    depth_m = corners_camera[:, :, 2].mean(axis=1)
    lut = objects.label_set.color_lut
    for index in np.argsort(-depth_m):
        if depth_m[index] > _NEAR_M:
            color = rgb(lut[int(objects.labels[index])])
            _draw_wireframe(image, corners_camera[index], camera, color)


def visible_edges(
    corners_camera: np.ndarray, camera: PinholeCamera
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the box's edges in the picture, cut where they pass behind the camera.

    Args:
        corners_camera: (8, 3) corners in the optical frame, metres, bottom before top.
        camera: A calibrated camera.

    Returns:
        (E, 2, 2) pixels of the ends, and (E,) which of the twelve edges each one is.
    """
    ends = corners_camera[_EDGES]
    near, far = ends[:, 0].copy(), ends[:, 1].copy()
    for one, other in ((near, far), (far, near)):
        behind = (one[:, 2] < _NEAR_M) & (other[:, 2] > _NEAR_M)
        share = (_NEAR_M - one[behind, 2]) / (other[behind, 2] - one[behind, 2])
        one[behind] += share[:, None] * (other[behind] - one[behind])
    ends = np.stack([near, far], axis=1)
    sideways = np.abs(ends[:, :, :2]) > _MAX_VIEW_ANGLE_TAN * np.maximum(ends[:, :, 2:], _NEAR_M)
    # Lens distortion is a polynomial that folds back far outside the picture.
    kept = (ends[:, :, 2] >= _NEAR_M).all(axis=1) & ~sideways.any(axis=(1, 2))
    pixels, _ = camera.project(ends[kept].reshape(-1, 3))
    return pixels.reshape(-1, 2, 2), np.flatnonzero(kept)


def _draw_wireframe(
    image: RgbImage, corners_camera: np.ndarray, camera: PinholeCamera, color: Rgb
) -> None:
    edges_px, names = visible_edges(corners_camera, camera)
    if not len(names) or not np.isfinite(edges_px).all() or _outside(edges_px, image):
        return
    if len(names) == len(_EDGES):
        face_px, _ = camera.project(corners_camera[_FRONT_FACE])
        _tint(image, face_px, color)
    fixed = np.rint(edges_px * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    for name, (start, end) in zip(names, fixed, strict=True):
        is_front = int(name) in _FRONT_EDGES
        stroke = shaded(color, 1.4) if is_front else color
        points = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
        cv2.line(image, *points, stroke, 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _outside(edges_px: np.ndarray, image: RgbImage) -> bool:
    low, high = edges_px.min(axis=(0, 1)), edges_px.max(axis=(0, 1))
    beyond = bool((high < 0).any()) or low[0] >= image.shape[1] or low[1] >= image.shape[0]
    return beyond or bool((np.abs(edges_px) > _REACH_PX).any())


def _tint(image: RgbImage, face_px: np.ndarray, color: Rgb) -> None:
    """Lays a translucent colour over a face."""
    low = np.maximum(np.floor(face_px.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(face_px.max(axis=0)).astype(int) + 1, image.shape[1::-1])
    if (high <= low).any():
        return
    patch = image[low[1] : high[1], low[0] : high[0]]
    filled = patch.copy()
    local = np.rint((face_px - low) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillConvexPoly(filled, local, color, cv2.LINE_AA, _SUBPIXEL_BITS)
    patch[:] = cv2.addWeighted(filled, 0.25, patch, 0.75, 0)
