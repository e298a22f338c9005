"""The voxels around a scan as its neighbours show them, laid over one another by their poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.shards import FREE, VoxelTruth

ORIGIN_M = np.array([-51.2, -51.2, -1.8])
VOXEL_M = 0.4
SHAPE_ZYX = (16, 256, 320)

_STEP_M = 0.3
"""Between the places along a ray that are looked at."""
_SHY_M = 0.6
"""A ray frees nothing so near its end, where the surface that it hit begins."""


def overlaid_voxels(
    scans: Sequence[tuple[LabelledCloud, Pose]], base: Pose, origin_m: NDArray[np.float64]
) -> VoxelTruth:
    """Returns the class of most labelled points in a voxel, FREE where rays alone passed.

    Unknown, and not visible, is what no ray reached and what holds points without a class only.

    Args:
        scans: Clouds in base_link, with classes of `POINT_LABELS`, and the pose of base_link at
            each in one frame that does not move.
        base: The pose of base_link at the scan in whose frame the voxels are.
        origin_m: (3,) where the rays start, base_link.
    """
    classes, cells = len(POINT_LABELS), int(np.prod(SHAPE_ZYX))
    votes = np.zeros(cells * classes, np.int64)
    is_hit, is_crossed = np.zeros(cells, bool), np.zeros(cells, bool)
    for scan, pose in scans:
        base_from_scan = base.inverse() @ pose
        points = base_from_scan.apply(scan.cloud.points.astype(np.float64))
        cell, inside = _cells(points)
        is_hit[cell] = True
        labels = scan.labels[inside]
        known = labels != UNLABELED
        votes += np.bincount(cell[known] * classes + labels[known], minlength=len(votes))
        _cross(is_crossed, base_from_scan.apply(origin_m[None])[0], points)
    voted = votes.reshape(cells, classes)
    labels = np.full(cells, UNLABELED, np.uint8)
    labels[is_crossed & ~is_hit] = FREE
    has_class = voted.any(axis=1)
    labels[has_class] = voted[has_class].argmax(axis=1)
    grid = labels.reshape(SHAPE_ZYX)
    return VoxelTruth(grid, grid != UNLABELED, ORIGIN_M, np.full(3, VOXEL_M))


def _cells(points: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Flat indices of the voxels of the points that lie in the grid, and which do."""
    xyz = np.floor((points - ORIGIN_M) / VOXEL_M).astype(np.int64)
    depth, height, width = SHAPE_ZYX
    inside = np.all((xyz >= 0) & (xyz < (width, height, depth)), axis=1)
    x, y, z = xyz[inside].T
    return (z * height + y) * width + x, inside


def _cross(
    is_crossed: NDArray[np.bool_], start: NDArray[np.float64], ends: NDArray[np.float64]
) -> None:
    """Marks the voxels that rays pass before they end."""
    if not len(ends):
        return
    rays = ends - start
    length = np.linalg.norm(rays, axis=1)
    order = np.argsort(-length)
    rays, length = rays[order] / length[order, None], length[order]
    for reach in np.arange(_STEP_M, length[0] - _SHY_M, _STEP_M):
        going = rays[: np.searchsorted(-length, -(reach + _SHY_M))]
        is_crossed[_cells(start + reach * going)[0]] = True
