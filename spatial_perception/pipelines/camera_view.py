"""LiDAR objects and points as one camera sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core import Detections2D, Detections3D, PinholeCamera, Pose
from spatial_perception.core.boxes import iou_2d

_NEAR_M = 0.5
_GAP_M = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class CameraView:
    """One camera at the time of its boxes.

    Attributes:
        name: of the camera.
        camera: its calibration.
        boxes: what was found in its picture.
        camera_from_base: the camera at the time of its picture, from the vehicle at the time of
            the scan: mounting and the vehicle's motion in between.
    """

    name: str
    camera: PinholeCamera
    boxes: Detections2D
    camera_from_base: Pose


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Where LiDAR objects fall in a picture.

    Attributes:
        boxes_xyxy_px: (N, 4) float64, around each object's corners, cut at the picture's edges.
        is_seen: (N,) bool, enough of it lies in the picture.
        depths_m: (N,) float64, of the centres.
    """

    boxes_xyxy_px: np.ndarray
    is_seen: np.ndarray
    depths_m: np.ndarray


def project_objects(view: CameraView, objects: Detections3D, min_visible: float) -> Projection:
    """Returns the picture boxes of LiDAR objects.

    Args:
        view: the camera.
        objects: in the frame of the vehicle at the time of the scan.
        min_visible: share of a box's area that has to lie in the picture.
    """
    count = len(objects)
    corners = view.camera_from_base.apply(objects.corners().reshape(-1, 3).astype(np.float64))
    uv_px, depth_m = view.camera.project(corners)
    uv_px, depth_m = uv_px.reshape(count, 8, 2), depth_m.reshape(count, 8)
    in_front: np.ndarray = np.all((depth_m > _NEAR_M) & np.isfinite(uv_px[..., 0]), axis=1)
    uv_px = np.where(in_front[:, None, None], uv_px, 0.0)
    low, high = uv_px.min(axis=1), uv_px.max(axis=1)
    limit = np.array([view.camera.width, view.camera.height], np.float64)
    cut_low, cut_high = np.clip(low, 0.0, limit), np.clip(high, 0.0, limit)
    full = np.prod(np.maximum(high - low, 1e-6), axis=1)
    seen = np.prod(np.maximum(cut_high - cut_low, 0.0), axis=1) / full
    boxes = np.concatenate([cut_low, cut_high], axis=1)
    return Projection(boxes, in_front & (seen >= min_visible), depth_m.mean(axis=1))


def hidden_share(projection: Projection) -> np.ndarray:
    """Returns (N,) which share of each object's box nearer objects cover; at most 1."""
    boxes, depths = projection.boxes_xyxy_px, projection.depths_m
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=2)
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-6), axis=1)
    nearer = (depths[None, :] < depths[:, None] - 0.5) & projection.is_seen[None, :]
    hidden: np.ndarray = np.minimum((common / area[:, None] * nearer).sum(axis=1), 1.0)
    return hidden


def picture_overlap(projection: Projection, boxes: Detections2D) -> np.ndarray:
    """Returns (N, M) intersection over union of seen objects with the camera's boxes."""
    overlap = iou_2d(projection.boxes_xyxy_px, boxes.boxes_xyxy_px)
    overlap[~projection.is_seen] = 0.0
    return overlap


def stands_with(projection: Projection, boxes: Detections2D) -> np.ndarray:
    """Returns (N, M) bool: a camera's box mostly shares an object's area and stands where it does.

    The overlap of a rider and the bicycle below is small; that they share the ground is not chance.
    """
    objects, theirs = projection.boxes_xyxy_px, boxes.boxes_xyxy_px.astype(np.float64)
    low = np.maximum(objects[:, None, :2], theirs[None, :, :2])
    high = np.minimum(objects[:, None, 2:], theirs[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=2)
    sizes, their_sizes = objects[:, 2:] - objects[:, :2], theirs[:, 2:] - theirs[:, :2]
    smaller = np.minimum(sizes.prod(axis=1)[:, None], their_sizes.prod(axis=1)[None])
    height = np.maximum(sizes[:, 1:], 1.0)  # (N, 1)
    share = their_sizes[None, :, 1] / height
    same_ground = np.abs(theirs[None, :, 3] - objects[:, None, 3]) < 0.25 * height
    together: np.ndarray = (common > 0.5 * smaller) & same_ground & (share > 0.25) & (share < 1.25)
    return together & projection.is_seen[:, None]


def directions(view: CameraView) -> np.ndarray:
    """Returns (M, 3) float64 unit vectors to the middles of the camera's boxes, vehicle's frame."""
    boxes = view.boxes.boxes_xyxy_px.astype(np.float64)
    rays = view.camera.rays((boxes[:, :2] + boxes[:, 2:]) / 2)
    turned: np.ndarray = rays @ view.camera_from_base.rotation
    return turned


def box_depths(
    view: CameraView, points_base: np.ndarray, which: np.ndarray, heights_m: np.ndarray
) -> np.ndarray:
    """Returns (M,) depth of the LiDAR points on each camera box, NaN where there are none.

    Of the points in the middle of a box, those that lie together in depth and fit the size
    that a box of its class should have are taken, the largest group first.

    Args:
        view: the camera.
        points_base: (P, 3) float32, vehicle's frame.
        which: (M,) bool, which boxes are looked at.
        heights_m: (M,) usual height of the class; NaN where it says nothing.
    """
    depths = np.full(len(view.boxes), np.nan)
    if not which.any() or not len(points_base):
        return depths
    points = view.camera_from_base.apply(points_base)
    points = points[points[:, 2] > _NEAR_M]
    uv_px, depth_m = view.camera.project(points)
    inside = ((uv_px >= 0) & (uv_px < [view.camera.width, view.camera.height])).all(axis=1)
    uv_px, depth_m = uv_px[inside], depth_m[inside]
    focal_px = view.camera.matrix[1, 1]
    for index in np.flatnonzero(which):
        left, top, right, bottom = view.boxes.boxes_xyxy_px[index].astype(np.float64)
        margin_x, margin_y = 0.2 * (right - left), 0.15 * (bottom - top)
        chosen = (
            (uv_px[:, 0] > left + margin_x)
            & (uv_px[:, 0] < right - margin_x)
            & (uv_px[:, 1] > top + margin_y)
            & (uv_px[:, 1] < bottom - margin_y)
        )
        expected = heights_m[index] * focal_px / max(bottom - top, 1.0)
        depths[index] = _depth_of_group(np.sort(depth_m[chosen]), expected)
    return depths


def _depth_of_group(sorted_m: np.ndarray, expected_m: float) -> float:
    if len(sorted_m) < 3:
        return float("nan")
    groups = np.split(sorted_m, np.flatnonzero(np.diff(sorted_m) > _GAP_M) + 1)
    fitting = [
        group
        for group in groups
        if len(group) >= 3
        and (np.isnan(expected_m) or 0.65 < float(np.median(group)) / expected_m < 1.5)
    ]
    return float(np.median(max(fitting, key=len))) if fitting else float("nan")
