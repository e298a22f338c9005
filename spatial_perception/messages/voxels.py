"""VoxelGrid as a cloud of its occupied voxels' centres, which RViz and Foxglove draw as boxes."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.labels import POINT_LABELS, UNLABELED, LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.point_cloud import packed_rgb
from spatial_perception.messages.point_fields import POINT_CLOUD2, decode_columns, encode_columns

_MAX_VOXELS = 1 << 27
_SAME_POSITION_M = 1e-3


def encode_voxels(grid: VoxelGrid) -> bytes:
    """Returns a PointCloud2 of x y z label probability rgb, one point an occupied voxel."""
    coords_zyx = grid.occupied()
    centers = grid.centers_m(coords_zyx)
    at = tuple(coords_zyx.T)
    labels = grid.labels[at]
    columns = {
        "x": centers[:, 0],
        "y": centers[:, 1],
        "z": centers[:, 2],
        "label": labels,
        "probability": grid.probability[at],
        "rgb": packed_rgb(labels, grid.label_set),
    }
    return encode_columns(grid.header, columns)


def decode_voxels(data: bytes | memoryview, label_set: LabelSet = POINT_LABELS) -> VoxelGrid:
    """Returns the smallest grid that holds the centres in the bytes of a PointCloud2.

    The message carries neither the size of a voxel nor what is free: the size is the smallest
    distance of two centres along each axis (of all axes where one has a single layer), and every
    voxel without a point has label 255 and probability 0.

    Raises:
        DecodeError: No such cloud, its points lie on no grid, or a label is no class.
    """
    columns = decode_columns(data)
    columns.require("x", "y", "z", "label", "probability")
    centers = columns.stacked("x", "y", "z").astype(np.float64)
    size = _voxel_size_m(centers)
    low = centers.min(axis=0) if len(centers) else np.zeros(3)
    cells = (centers - low) / size
    coords = np.round(cells)
    shape_xyz = coords.max(axis=0) + 1 if len(coords) else np.zeros(3)
    off_grid = np.abs(cells - coords).max(initial=0.0)
    if not off_grid < 0.25 or not np.prod(shape_xyz) <= _MAX_VOXELS:
        raise DecodeError(f"{POINT_CLOUD2}: the points are no centres of a voxel grid")
    shape_zyx = tuple(int(n) for n in shape_xyz[::-1])
    labels = np.full(shape_zyx, UNLABELED, np.uint8)
    probability = np.zeros(shape_zyx, np.float32)
    at = tuple(coords[:, ::-1].astype(np.int64).T)
    labels[at] = columns.labels(len(label_set))
    probability[at] = columns.columns["probability"].reshape(-1).astype(np.float32)
    return VoxelGrid(columns.header, labels, probability, low - size / 2, size, label_set)


def _voxel_size_m(centers: np.ndarray) -> np.ndarray:
    sizes = np.full(3, np.inf)
    for axis in range(3):
        steps = np.diff(np.unique(centers[:, axis]))
        steps = steps[steps > _SAME_POSITION_M]
        if len(steps):
            sizes[axis] = steps.min()
    smallest = sizes.min()
    return np.where(np.isfinite(sizes), sizes, smallest if np.isfinite(smallest) else 1.0)


VOXELS: Codec[VoxelGrid] = make_codec(POINT_CLOUD2, VoxelGrid, decode_voxels, encode_voxels)
