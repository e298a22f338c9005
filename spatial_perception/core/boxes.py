"""Box geometry: corners, overlap and non-maximum suppression.

Box layouts: 2D (N, 4) left top right bottom; BEV (N, 5) x y l w yaw; 3D (N, 7) x y z l w h yaw.
"""

from __future__ import annotations

import numpy as np

_CORNER_SIGNS = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float64)  # counter-clockwise


def bev_corners(boxes: np.ndarray) -> np.ndarray:
    """Returns (N, 4, 2) corners of (N, 5) x y l w yaw boxes, counter-clockwise."""
    half = boxes[:, None, 2:4] * 0.5 * _CORNER_SIGNS.astype(boxes.dtype)
    cos, sin = np.cos(boxes[:, 4:5]), np.sin(boxes[:, 4:5])
    x = half[..., 0] * cos - half[..., 1] * sin + boxes[:, 0:1]
    y = half[..., 0] * sin + half[..., 1] * cos + boxes[:, 1:2]
    return np.stack([x, y], axis=2)


def box_corners(boxes: np.ndarray) -> np.ndarray:
    """Returns (N, 8, 3) corners of (N, 7) boxes: four of the bottom, then four of the top."""
    flat = bev_corners(boxes[:, [0, 1, 3, 4, 6]])
    half_height = boxes[:, 5] * 0.5
    levels = []
    for z in (boxes[:, 2] - half_height, boxes[:, 2] + half_height):
        levels.append(np.concatenate([flat, np.repeat(z[:, None, None], 4, axis=1)], axis=2))
    return np.concatenate(levels, axis=1)


def points_in_boxes(points: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns (N, M) bool: which of (N, 3) points lie in which of (M, 7) boxes."""
    inside = np.zeros((len(points), len(boxes)), bool)
    for column, (x, y, z, length, width, height, yaw) in enumerate(boxes):
        dx, dy = points[:, 0] - x, points[:, 1] - y
        along = dx * np.cos(yaw) + dy * np.sin(yaw)
        across = dy * np.cos(yaw) - dx * np.sin(yaw)
        inside[:, column] = (
            (np.abs(along) <= length / 2)
            & (np.abs(across) <= width / 2)
            & (np.abs(points[:, 2] - z) <= height / 2)
        )
    return inside


def iou_2d(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (N, M) float64 intersection over union of axis-aligned (., 4) boxes."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left, 0.0, None), axis=2)
    area_a = np.prod(np.clip(a[:, 2:] - a[:, :2], 0.0, None), axis=1)
    area_b = np.prod(np.clip(b[:, 2:] - b[:, :2], 0.0, None), axis=1)
    union = area_a[:, None] + area_b[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def iou_bev(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (N, M) float64 exact overlap of rotated (., 5) x y l w yaw boxes."""
    overlap = _rotated_overlap(np.asarray(a, np.float64), np.asarray(b, np.float64))
    union = (a[:, 2] * a[:, 3])[:, None] + (b[:, 2] * b[:, 3])[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def paired_overlap_bev(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (N,) float64 areas that (N, 5) x y l w yaw boxes share, the first with the first."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return _clip_quads(bev_corners(a), bev_corners(b)) if len(a) else np.zeros(0)


def iou_3d(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (N, M) float64 exact overlap of upright (., 7) x y z l w h yaw boxes."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    flat = [0, 1, 3, 4, 6]
    overlap = _rotated_overlap(a[:, flat], b[:, flat])
    top = np.minimum((a[:, 2] + a[:, 5] / 2)[:, None], (b[:, 2] + b[:, 5] / 2)[None, :])
    bottom = np.maximum((a[:, 2] - a[:, 5] / 2)[:, None], (b[:, 2] - b[:, 5] / 2)[None, :])
    overlap = overlap * np.clip(top - bottom, 0.0, None)
    union = np.prod(a[:, 3:6], axis=1)[:, None] + np.prod(b[:, 3:6], axis=1)[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def nms_2d(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float
) -> np.ndarray:
    """Returns the indices that survive, best first; boxes suppress only their own class.

    Args:
        boxes: (N, 4) pixels.
        scores: (N,).
        labels: (N,) integer class.
        iou_threshold: an overlap above it suppresses the lower score.
    """
    return _suppress(iou_2d(boxes, boxes), scores, labels, iou_threshold)


def nms_bev(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float
) -> np.ndarray:
    """Returns the indices of (N, 5) BEV boxes that survive within their class, best first."""
    return _suppress(iou_bev(boxes, boxes), scores, labels, iou_threshold)


def _suppress(
    iou: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float
) -> np.ndarray:
    order = np.argsort(-scores, kind="stable")
    rivals = (iou > iou_threshold) & (labels[:, None] == labels[None, :])
    alive = np.ones(len(scores), bool)
    kept = []
    for index in order:
        if alive[index]:
            kept.append(index)
            alive &= ~rivals[index]
    return np.array(kept, np.int64)


def _rotated_overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns (N, M) areas of overlap; only pairs whose circumscribed circles meet are clipped."""
    areas = np.zeros((len(a), len(b)))
    if not len(a) or not len(b):
        return areas
    reach = np.hypot(a[:, 2], a[:, 3])[:, None] / 2 + np.hypot(b[:, 2], b[:, 3])[None, :] / 2
    distance = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    rows, columns = np.nonzero(distance < reach)
    if len(rows):
        areas[rows, columns] = _clip_quads(bev_corners(a)[rows], bev_corners(b)[columns])
    return areas


def _clip_quads(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Returns (K,) areas common to convex quads p[i] and q[i], each (K, 4, 2) counter-clockwise.

    The overlap of two convex polygons is the convex hull of the corners of each inside the other
    and of the crossings of their edges; sorted by angle about their mean, the shoelace formula
    gives its area.
    """
    origin = p.mean(axis=1, keepdims=True)  # near zero: products stay exact in float64
    p, q = p - origin, q - origin
    crossings, crossing_valid = _edge_crossings(p, q)
    points = np.concatenate([p, q, crossings], axis=1)  # (K, 24, 2)
    valid = np.concatenate([_inside(p, q), _inside(q, p), crossing_valid], axis=1)
    count = np.maximum(valid.sum(axis=1), 1)[:, None]
    center = (points * valid[..., None]).sum(axis=1) / count
    offsets = points - center[:, None]
    angles = np.where(valid, np.arctan2(offsets[..., 1], offsets[..., 0]), np.inf)
    order = np.argsort(angles, axis=1)
    ring = np.take_along_axis(offsets, order[..., None], axis=1)
    ring_valid = np.take_along_axis(valid, order, axis=1)
    ring = np.where(ring_valid[..., None], ring, ring[:, :1])  # repeat the first: adds no area
    following = np.roll(ring, -1, axis=1)
    cross = ring[..., 0] * following[..., 1] - ring[..., 1] * following[..., 0]
    areas: np.ndarray = np.where(valid.sum(axis=1) >= 3, np.abs(cross.sum(axis=1)) / 2, 0.0)
    return areas


def _inside(points: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Returns (K, P) bool: points (K, P, 2) within counter-clockwise quads (K, 4, 2)."""
    edges = np.roll(quads, -1, axis=1) - quads
    offsets = points[:, :, None] - quads[:, None]  # (K, P, 4, 2)
    cross = edges[:, None, :, 0] * offsets[..., 1] - edges[:, None, :, 1] * offsets[..., 0]
    inside: np.ndarray = np.all(cross >= -1e-9, axis=2)
    return inside


def _edge_crossings(p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (K, 16, 2) crossings of all edge pairs and (K, 16) whether they exist."""
    p_edge = (np.roll(p, -1, axis=1) - p)[:, :, None]  # (K, 4, 1, 2)
    q_edge = (np.roll(q, -1, axis=1) - q)[:, None]  # (K, 1, 4, 2)
    between = q[:, None] - p[:, :, None]  # (K, 4, 4, 2)
    denominator = p_edge[..., 0] * q_edge[..., 1] - p_edge[..., 1] * q_edge[..., 0]
    parallel = np.abs(denominator) < 1e-12
    safe = np.where(parallel, 1.0, denominator)
    t = (between[..., 0] * q_edge[..., 1] - between[..., 1] * q_edge[..., 0]) / safe
    s = (between[..., 0] * p_edge[..., 1] - between[..., 1] * p_edge[..., 0]) / safe
    valid = ~parallel & (t >= 0) & (t <= 1) & (s >= 0) & (s <= 1)
    points = p[:, :, None] + t[..., None] * p_edge
    return points.reshape(len(p), 16, 2), valid.reshape(len(p), 16)
