"""What is beside and behind a return, and what stands below a box."""

import numpy as np
import pytest

from spatial_perception.pipelines.footprints import footprints
from spatial_perception.pipelines.obstacle_guard import ObstacleGuard

CELLS = 50


def guarded(row: int, column: int, beside: int = 1, behind: int = 2) -> set[tuple[int, int]]:
    """Cells guarded for one return, as offsets from it; the sensor is in the middle."""
    hit = np.array([row * CELLS + column])
    found = ObstacleGuard(CELLS, beside, behind).around(hit, 25.5, 25.5)
    return {(int(r) - row, int(c) - column) for r, c in np.argwhere(found)}


def test_cells_beside_and_behind_are_guarded_but_none_before_and_not_the_return_itself() -> None:
    ahead = {(across, along) for across in (-1, 0, 1) for along in (0, 1, 2)} - {(0, 0)}
    assert guarded(25, 35) == ahead
    assert guarded(25, 15) == {(across, -along) for across, along in ahead}
    assert guarded(35, 25) == {(along, across) for across, along in ahead}


def test_guarded_cells_are_where_a_turned_rectangle_is() -> None:
    row, column = 37, 40
    way = np.array([row - 25.0, column - 25.0])
    way /= np.linalg.norm(way)
    for off in guarded(row, column):
        along, across = way @ off, way @ [off[1], -off[0]]
        assert -0.8 < along < 2.8, "a cell's half diagonal about 0 .. 2"
        assert abs(across) < 1.8


@pytest.mark.parametrize(("row", "column"), [(0, 0), (49, 49), (25, 25)])
def test_at_the_edge_and_below_the_sensor_nothing_leaves_the_grid(row: int, column: int) -> None:
    assert (0, 0) not in guarded(row, column)


def test_without_reach_nothing_is_guarded() -> None:
    assert guarded(30, 30, beside=0, behind=0) == set()


def test_footprints_are_the_cells_whose_middle_lies_in_a_box() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        box = np.array([*rng.uniform(10, 40, 2), *rng.uniform(4, 14, 2), rng.uniform(-4, 4)])
        rows, columns = np.mgrid[:CELLS, :CELLS] + 0.5
        dx, dy, cos, sin = columns - box[0], rows - box[1], np.cos(box[4]), np.sin(box[4])
        off = np.stack([np.abs(cos * dx + sin * dy), np.abs(cos * dy - sin * dx)], axis=-1)
        found = footprints(box[None], CELLS)
        assert found[(off < box[2:4] / 2).all(axis=-1)].all()
        assert not found[(off > box[2:4] / 2 + 0.75).any(axis=-1)].any()


def test_boxes_may_reach_out_of_the_grid() -> None:
    boxes = np.array([[-1.0, 25.0, 6.0, 4.0, 0.0], [1e9, 0.0, 4.0, 2.0, 0.0]])
    found = footprints(boxes, CELLS)
    assert found[25, :2].all()
    assert not found[:, 3:].any()
    assert not footprints(np.zeros((0, 5)), CELLS).any()
