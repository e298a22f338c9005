"""Voxels over the ground, given out as a grid in base_link."""

import numpy as np
import pytest

from spatial_perception.core.header import Header
from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.ops.ground import GroundGrid, flat_ground
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig, decode_voxels

CONFIG = SemanticVoxelConfig((-1.6, 1.6), (-0.8, 0.8), (-1.0, 1.0), (-3.0, 3.0), 0.4)
LABELS = LabelSet(("road", "car"))
HEADER = Header(5, "base_link")


def logits_of(labels: np.ndarray) -> np.ndarray:
    """Logits that name `labels` (Z, Y, X) with odds of e^4; 2 is free."""
    return 4.0 * np.eye(3, dtype=np.float32)[labels].transpose(3, 0, 1, 2)[None]


def layered() -> np.ndarray:
    labels = np.full(CONFIG.shape, 2)
    labels[2] = 0  # road at the height of the ground
    labels[3:5, 1, 5] = 1
    return labels


def test_on_level_ground_voxels_keep_their_height() -> None:
    grid = decode_voxels(logits_of(layered()), flat_ground(), CONFIG, HEADER, LABELS)
    assert grid.labels.shape == (15, 4, 8)
    centers = grid.occupied_centers()
    road = centers[grid.labels[tuple(grid.occupied().T)] == 0]
    assert len(road) == 32
    assert road[:, 2] == pytest.approx(np.zeros(32), abs=1e-5)
    car = centers[grid.labels[tuple(grid.occupied().T)] == 1]
    assert car == pytest.approx(np.array([[0.6, -0.2, 0.4], [0.6, -0.2, 0.8]]), abs=1e-5)


def test_voxels_follow_the_ground() -> None:
    heights = np.array([[-0.8, 1.2], [-0.8, 1.2]], np.float32)
    slope = GroundGrid(heights, -4.0, 4.0)  # 0.5 m/m, height 0.2 at x = 0
    grid = decode_voxels(logits_of(layered()), slope, CONFIG, HEADER, LABELS)
    x, _, z = grid.centers_m(np.argwhere(grid.labels == 0)).T
    assert np.abs(z - (0.2 + 0.5 * x)).max() <= 0.2 + 1e-5
    assert len(x) == 32


def test_probability_is_that_of_not_being_free() -> None:
    grid = decode_voxels(logits_of(layered()), flat_ground(), CONFIG, HEADER, LABELS)
    occupied = grid.labels != UNLABELED
    expected = (np.e**4 + 1) / (np.e**4 + 2)
    assert grid.probability[occupied] == pytest.approx(np.full(occupied.sum(), expected), rel=1e-5)
    assert not grid.probability[~occupied].any()


def test_classes_that_share_a_voxel_are_occupied_together() -> None:
    shares = np.zeros((3, *CONFIG.shape), np.float32)
    shares[:] = np.array([0.1, 0.1, 0.8])[:, None, None, None]
    shares[:, 2, 1, 1] = 0.28, 0.32, 0.4  # occupied, as neither class says alone
    shares[:, 2, 1, 2] = 0.2, 0.28, 0.52
    shares[:, 2, 1, 3] = 0.1, 0.6, 0.3
    grid = decode_voxels(np.log(shares)[None], flat_ground(), CONFIG, HEADER, LABELS)
    columns = np.argwhere(grid.labels != UNLABELED)[:, 2]
    assert columns.tolist() == [1, 3]
    assert (grid.labels[grid.labels != UNLABELED] == 1).all()
    assert grid.probability[grid.labels != UNLABELED] == pytest.approx([0.6, 0.7], rel=1e-5)
