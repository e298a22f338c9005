"""Edges of boxes in the picture."""

import itertools

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.boxes import box_corners
from spatial_perception.visualization.wireframe import visible_edges

CORNERS_BASE = box_corners(np.array([[0.0, 0.0, 0.0, 4.0, 2.0, 1.5, 0.0]]))[0]
CAMERA_FROM_BASE = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def corners_at(distance_m: float) -> np.ndarray:
    return CORNERS_BASE @ CAMERA_FROM_BASE.T + (0.0, 0.0, distance_m)


def test_a_box_ahead_shows_twelve_edges() -> None:
    edges_px, names = visible_edges(corners_at(12.0), examples.example_camera())
    assert edges_px.shape == (12, 2, 2)
    assert names.tolist() == list(range(12))


def test_edges_join_the_corners_that_differ_along_one_axis() -> None:
    camera = examples.example_camera()
    edges_px, _ = visible_edges(corners_at(12.0), camera)
    drawn = {frozenset(map(tuple, edge.round(3).tolist())) for edge in edges_px}
    places = camera.project(corners_at(12.0))[0].round(3).tolist()
    expected = {
        frozenset({tuple(places[a]), tuple(places[b])})
        for a, b in itertools.combinations(range(8), 2)
        if (CORNERS_BASE[a] != CORNERS_BASE[b]).sum() == 1
    }
    assert drawn == expected


def test_a_box_behind_shows_none() -> None:
    edges_px, _ = visible_edges(corners_at(-12.0), examples.example_camera())
    assert len(edges_px) == 0


def test_edges_that_pass_behind_the_camera_are_cut_not_mirrored() -> None:
    edges_px, names = visible_edges(corners_at(1.0), examples.example_camera())
    assert 0 < len(names) < 12
    assert np.isfinite(edges_px).all()


def test_front_edges_are_those_at_the_heading() -> None:
    far_depth = corners_at(12.0)[[0, 3, 4, 7], 2]
    assert far_depth == pytest.approx(14.0)
