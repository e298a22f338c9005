"""The voxel cloud: what it says of occupied voxels, and the grid that comes back."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.core import POINT_LABELS, UNLABELED, VoxelGrid
from spatial_perception.core.examples import example_header
from spatial_perception.errors import DecodeError
from spatial_perception.messages import VOXELS
from spatial_perception.messages.point_fields import decode_columns

from .ros import cloud_bytes


def random_grid() -> VoxelGrid:
    rng = np.random.default_rng(3)
    labels = rng.choice([0, 3, 6, UNLABELED], (4, 12, 10), p=[0.1, 0.1, 0.1, 0.7]).astype(np.uint8)
    return VoxelGrid(
        example_header(),
        labels,
        rng.random(labels.shape).astype(np.float32),
        np.array([-51.2, -3.4, -2.0]),
        np.array([0.4, 0.4, 0.25]),
        POINT_LABELS,
    )


def test_the_cloud_has_one_point_an_occupied_voxel() -> None:
    grid = random_grid()
    columns = decode_columns(VOXELS.encode(grid))
    assert list(columns.columns) == ["x", "y", "z", "label", "probability", "rgb"]
    assert columns.count == int((grid.labels != UNLABELED).sum())
    np.testing.assert_array_equal(columns.stacked("x", "y", "z"), grid.occupied_centers())


def test_decode_finds_voxel_size_and_occupied_voxels() -> None:
    grid = random_grid()
    again = VOXELS.decode(VOXELS.encode(grid))
    np.testing.assert_allclose(again.voxel_size_m, grid.voxel_size_m, atol=1e-4)
    np.testing.assert_allclose(again.occupied_centers(), grid.occupied_centers(), atol=1e-3)
    occupied = grid.labels != UNLABELED
    np.testing.assert_array_equal(again.labels[again.labels != UNLABELED], grid.labels[occupied])
    np.testing.assert_array_equal(
        again.probability[again.labels != UNLABELED], grid.probability[occupied]
    )


def test_a_grid_without_occupied_voxels_comes_back_empty() -> None:
    grid = random_grid()
    free = VoxelGrid(
        grid.header,
        np.full_like(grid.labels, UNLABELED),
        grid.probability,
        grid.origin_m,
        grid.voxel_size_m,
        POINT_LABELS,
    )
    assert len(VOXELS.decode(VOXELS.encode(free)).occupied()) == 0


def test_points_off_any_grid_are_refused() -> None:
    kind = [(name, "<f4") for name in ("x", "y", "z", "probability")] + [("label", "<u1")]
    points = np.zeros(3, kind)
    points["x"] = [0.0, 0.4, 0.98]
    with pytest.raises(DecodeError, match="no centres of a voxel grid"):
        VOXELS.decode(cloud_bytes(points))
