"""Pictures of the grid and of voxels."""

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.header import Header
from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.visualization.bev_view import BevView
from spatial_perception.visualization.occupancy import VoxelView, draw_occupancy, draw_voxels

VIEW = VoxelView(width_px=400, height_px=300, center_m=(10.0, 0.0, 0.0), across_m=40.0)


def voxels(*entries: tuple[int, int, int, int]) -> VoxelGrid:
    """Returns a grid of 1 m voxels with its corner at (5, -5, 0): z, y, x, label of each entry."""
    labels = np.full((6, 10, 10), UNLABELED, np.uint8)
    for z, y, x, label in entries:
        labels[z, y, x] = label
    probability = np.where(labels == UNLABELED, 0.0, 1.0).astype(np.float32)
    corner, size = np.array([5.0, -5.0, 0.0]), np.ones(3)
    return VoxelGrid(Header(0, "base_link"), labels, probability, corner, size, POINT_LABELS)


def pixels_of(image: np.ndarray, label: int) -> np.ndarray:
    """Returns where the fully lit colour of a class shows, (N, 2) row and column."""
    return np.argwhere((image == POINT_LABELS.colors[label]).all(axis=2))


def test_occupancy_picture_has_the_size_of_the_view() -> None:
    image = draw_occupancy(examples.example_occupancy_grid(), BevView(320, 200))
    assert image.shape == (200, 320, 3)


def test_forward_runs_up_and_left_runs_left() -> None:
    origin, ahead, left = VIEW.to_px(np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0]]))
    assert ahead[1] < origin[1]
    assert left[0] < origin[0]


def test_axes_are_those_of_a_turned_camera() -> None:
    right, down = VIEW.axes_px.T / (VIEW.width_px / VIEW.across_m)
    assert np.linalg.norm(right) == pytest.approx(1.0)
    assert np.linalg.norm(down) == pytest.approx(1.0)
    assert np.cross(right, down) == pytest.approx(VIEW.forward)


def test_a_voxel_shows_its_lit_top_in_the_colour_of_its_class() -> None:
    found = pixels_of(draw_voxels(voxels((0, 5, 5, 3)), VIEW, legend=False), 3)
    expected = VIEW.to_px(np.array([[10.5, 0.5, 1.0]]))[0]
    assert found.mean(axis=0) == pytest.approx(expected[::-1], abs=1.5)


def test_the_nearer_voxel_covers_the_farther_one() -> None:
    far_alone = len(pixels_of(draw_voxels(voxels((0, 5, 6, 3)), VIEW, legend=False), 3))
    tower = [(z, 5, 5, 6) for z in range(4)]
    behind = draw_voxels(voxels((0, 5, 6, 3), *tower), VIEW, legend=False, max_height_m=9)
    assert far_alone > 20
    assert len(pixels_of(behind, 3)) < far_alone / 4


def test_high_voxels_are_left_out() -> None:
    image = draw_voxels(voxels((5, 5, 5, 3)), VIEW, legend=False, max_height_m=4.0)
    assert len(pixels_of(image, 3)) == 0


def test_an_empty_grid_gives_an_empty_picture() -> None:
    assert draw_voxels(voxels(), VIEW).shape == (300, 400, 3)
