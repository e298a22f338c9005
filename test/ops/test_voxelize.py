"""Voxelization against a slow loop over the points."""

import numpy as np

from spatial_perception.ops.ground import flat_ground
from spatial_perception.ops.voxelize import CHANNELS, VoxelConfig, voxelize

CONFIG = VoxelConfig((-2.0, 2.0), (-1.2, 1.2), (-0.6, 1.2), (0.4, 0.4, 0.6))


def slow_voxels(points: np.ndarray, ground_m: float, config: VoxelConfig) -> np.ndarray:
    voxels = np.zeros((CHANNELS, *config.shape))
    size = np.array(config.voxel_m) / 2
    for point in points:
        place = (point - np.array(config.origin_m) - [0, 0, ground_m]) / size
        ix, iy, iz = np.floor(place).astype(int)
        if min(ix, iy, iz) < 0:
            continue
        try:
            cell = (iz % 2 * 4 + iy % 2 * 2 + ix % 2, iz // 2, iy // 2, ix // 2)
            voxels[cell] = max(voxels[cell], 0.5 + 0.5 * (place[2] - iz))
        except IndexError:
            continue
    return voxels


def test_voxels_equal_those_of_a_loop_over_points() -> None:
    points = np.random.default_rng(0).uniform(-2.5, 2.5, (4000, 3)).astype(np.float32)
    voxels = voxelize(points, flat_ground(0.25), CONFIG)
    np.testing.assert_allclose(voxels, slow_voxels(points, 0.25, CONFIG), atol=1e-5)


def test_no_points_give_empty_voxels() -> None:
    voxels = voxelize(np.zeros((0, 3), np.float32), flat_ground(), CONFIG)
    assert voxels.shape == (8, 3, 6, 10)
    assert voxels.dtype == np.float32
    assert not voxels.any()


def test_points_outside_the_range_leave_no_trace() -> None:
    outside = np.array([[2.0, 0, 0], [-2.01, 0, 0], [0, 1.21, 0], [0, 0, 1.2], [0, 0, -0.61]])
    assert not voxelize(outside.astype(np.float32), flat_ground(), CONFIG).any()


def test_a_shift_by_one_voxel_shifts_the_grid_by_one() -> None:
    points = np.random.default_rng(1).uniform(-0.7, 0.7, (300, 3)).astype(np.float32)
    moved = points + np.array([0.4, 0, 0], np.float32)
    here, there = (voxelize(p, flat_ground(), CONFIG) for p in (points, moved))
    np.testing.assert_array_equal(here[..., :-1] > 0, there[..., 1:] > 0)
