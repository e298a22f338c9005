"""Grid metrics on cells that are counted by hand."""

import numpy as np
import pytest

from spatial_perception.core import Header, OccupancyGrid, Pose
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.grids import GridCounts, count_grids, grid_metrics


def grid(cells: np.ndarray, frame: str = "odom") -> OccupancyGrid:
    return OccupancyGrid(Header(0, frame), cells.astype(np.int8), 0.2, Pose.identity())


def truth_cells() -> np.ndarray:
    """5 x 8: 4 unseen, 30 free, 6 occupied."""
    cells = np.zeros((5, 8))
    cells[0, :4] = -1
    cells[2, 1:7] = 100
    return cells


def test_counts_and_metrics_are_those_counted_by_hand() -> None:
    said = np.full((5, 8), 10)
    said[2, 1:4] = 90  # 3 hits, 3 misses that are called free
    said[4, :5] = -1
    said[0, :4] = 90  # does not count
    said[1, 0] = 50  # a false alarm
    counts = count_grids(grid(said), grid(truth_cells()))
    assert counts == GridCounts(1, 24, 1, 5, 3, 3, 0, 6, 3, 0)
    metrics = grid_metrics([counts], np.ones(1, np.int64))
    assert metrics["free_iou"] == pytest.approx(100 * 24 / 33)
    assert metrics["occupied_iou"] == pytest.approx(100 * 3 / 7)
    assert metrics["false_free_within_20m"] == pytest.approx(50)
    assert metrics["false_clear_within_20m"] == 0, "a planner with a margin stays away"


def test_only_what_is_free_all_around_is_clear() -> None:
    truth = np.zeros((41, 41))
    truth[20, 20] = truth[3, 3] = 100
    counts = count_grids(grid(np.zeros((41, 41))), grid(truth))
    assert (counts.near_occupied, counts.near_occupied_clear) == (2, 2)


def test_what_lies_beyond_20_m_is_not_near() -> None:
    truth = np.zeros((300, 300))
    truth[150, 249] = truth[150, 252] = 100  # 19.9 m and 20.5 m ahead
    assert count_grids(grid(truth), grid(truth)).near_occupied == 1


def test_a_missing_grid_is_unknown_everywhere() -> None:
    counts = count_grids(None, grid(truth_cells()))
    assert counts == GridCounts(1, 0, 0, 30, 0, 0, 6, 6, 0, 0)


def test_weights_count_drives_more_often() -> None:
    a, b = GridCounts(1, free_free=1), GridCounts(1, free_unknown=1)
    assert grid_metrics([a, b], np.array([3, 1]))["free_iou"] == 75


def test_grids_of_other_cells_are_refused() -> None:
    with pytest.raises(DatasetError, match="other cells"):
        count_grids(grid(truth_cells(), "map"), grid(truth_cells()))
