"""The pyramid of voxels against numpy's unique."""

import numpy as np
import pytest

from spatial_perception.ops.voxel_pyramid import Voxels, voxel_pyramid


def scan(count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 3)).astype(np.float32) * np.float32(6.0)
    return points, np.abs(points[:, 2])


def test_voxels_are_the_different_cells_in_order() -> None:
    cells = np.random.default_rng(1).integers(0, 9, (3, 500))
    voxels = Voxels.of(cells)
    expected, group = np.unique(cells, axis=1, return_inverse=True)
    np.testing.assert_array_equal(voxels.cells, expected)
    np.testing.assert_array_equal(voxels.group, group)


def test_values_are_merged_voxel_by_voxel() -> None:
    rng = np.random.default_rng(2)
    voxels, values = Voxels.of(rng.integers(0, 3, (3, 200))), rng.normal(size=(2, 200))
    merged = voxels.merged(np.maximum, values)
    for index in range(len(voxels)):
        np.testing.assert_array_equal(
            merged[:, index], values[:, voxels.group == index].max(axis=1)
        )


def test_a_voxel_holds_the_up_to_eight_of_half_its_size() -> None:
    points, heights = scan()
    fine, coarse = voxel_pyramid(points, heights, 0.8, (4000, 4000))[0]
    np.testing.assert_array_equal(coarse.cells[:, coarse.group], fine.cells // 2)


def test_the_lowest_layer_is_half_a_voxel_above_and_below_the_ground() -> None:
    heights = np.array([-0.19, 0.19, 0.21, 0.59, 0.61], np.float32)
    points = np.zeros((5, 3), np.float32)
    (voxels,), _ = voxel_pyramid(points, heights, 0.4, (100,))
    assert voxels.group.tolist() == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("limits", [(500, 500, 500), (4000, 100, 500), (4000, 4000, 40)])
def test_voxels_grow_until_every_level_is_within_its_limit(limits: tuple[int, ...]) -> None:
    levels, voxel_m = voxel_pyramid(*scan(), 0.4, limits)
    assert voxel_m > 0.4
    assert all(len(level) <= limit for level, limit in zip(levels, limits, strict=True))
