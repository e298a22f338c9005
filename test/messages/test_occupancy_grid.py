"""nav_msgs/OccupancyGrid against its message."""

from __future__ import annotations

import numpy as np
import pytest
from rosbags.typesys.stores.ros2_jazzy import nav_msgs__msg__OccupancyGrid as RosGrid

from spatial_perception.core.examples import example_occupancy_grid
from spatial_perception.errors import DecodeError
from spatial_perception.messages import OCCUPANCY_GRID
from spatial_perception.messages.typestore import typestore

from .ros import to_bytes


def message() -> RosGrid:
    data = OCCUPANCY_GRID.encode(example_occupancy_grid())
    grid = typestore().deserialize_cdr(data, "nav_msgs/msg/OccupancyGrid")
    assert isinstance(grid, RosGrid)
    return grid


def test_cells_are_row_major_from_the_origin() -> None:
    grid = message()
    assert (grid.info.width, grid.info.height) == (3, 2)
    assert grid.data.tolist() == [-1, 0, 100, 50, -1, 0]
    assert (grid.info.origin.position.x, grid.info.origin.position.y) == (-1.0, -0.5)
    assert grid.info.resolution == pytest.approx(0.2)


def test_the_resolution_comes_back_as_the_decimal_it_was() -> None:
    again = OCCUPANCY_GRID.decode(OCCUPANCY_GRID.encode(example_occupancy_grid()))
    assert again.resolution_m == 0.2
    np.testing.assert_array_equal(again.cells, example_occupancy_grid().cells)


def test_a_size_that_does_not_fit_is_refused() -> None:
    grid = message()
    grid.info.width = 4
    with pytest.raises(DecodeError, match="4x2 cells do not fit 6 bytes"):
        OCCUPANCY_GRID.decode(to_bytes(grid))
