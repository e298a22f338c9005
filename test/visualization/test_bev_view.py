"""The mapping from metres to pixels of a bird's-eye picture."""

import numpy as np
import pytest

from spatial_perception.core.header import Header
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.pose import Pose
from spatial_perception.visualization.bev_view import BevView, draw_grid

VIEW = BevView(width_px=400, height_px=200, back_m=5.0, ahead_m=15.0)  # 10 pixels a metre


def test_forward_is_up_and_left_is_left() -> None:
    points = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 3.0]])
    assert VIEW.to_px(points) == pytest.approx(np.array([[200, 150], [200, 50], [170, 150]]))


@pytest.mark.parametrize("fields", [{"width_px": 3}, {"back_m": -20.0}])
def test_an_impossible_view_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        BevView(**{"width_px": 400, "height_px": 200, "back_m": 5.0, "ahead_m": 15.0, **fields})


def grid_with(cells: np.ndarray, origin: Pose) -> OccupancyGrid:
    return OccupancyGrid(Header(0, "base_link"), cells, 1.0, origin)


def test_a_grid_cell_covers_exactly_its_square_metre() -> None:
    cells = np.full((6, 8), -1, np.int8)
    cells[4, 7] = 100  # x 7..8 and y 4..5 of the grid, 5..6 and 1..2 of base_link
    image = VIEW.blank()
    draw_grid(image, VIEW, grid_with(cells, Pose.from_yaw(0.0, np.array([-2.0, -3.0, 0.0]))))
    rows, columns = np.nonzero((image != VIEW.blank()).any(axis=2))
    assert (columns.min(), columns.max()) == (180, 189)  # y 2 .. 1
    assert (rows.min(), rows.max()) == (90, 99)  # x 6 .. 5


def test_a_turned_grid_is_turned_on_the_picture() -> None:
    cells = np.full((1, 5), -1, np.int8)
    cells[0, 4] = 0  # free, 4.5 m along the grid's x axis, which points left
    image = VIEW.blank()
    draw_grid(image, VIEW, grid_with(cells, Pose.from_yaw(np.pi / 2, np.zeros(3))))
    rows, columns = np.nonzero((image != VIEW.blank()).any(axis=2))
    assert columns.mean() == pytest.approx(200 - 45, abs=1)
    assert rows.mean() == pytest.approx(150 + 5, abs=1)


def test_unknown_cells_leave_the_picture_alone_and_free_differs_from_occupied() -> None:
    cells = np.array([[-1, 0, 100]], np.int8)
    image = VIEW.blank()
    draw_grid(image, VIEW, grid_with(cells, Pose.identity()))
    unknown, free, occupied = (image[145 - 10 * cell, 195] for cell in range(3))
    assert (unknown == VIEW.blank()[0, 0]).all()
    assert int(occupied.max()) - int(free.max()) > 100


def test_a_grid_without_cells_leaves_the_picture_alone() -> None:
    image = VIEW.blank()
    draw_grid(image, VIEW, grid_with(np.zeros((0, 0), np.int8), Pose.identity()))
    np.testing.assert_array_equal(image, VIEW.blank())
