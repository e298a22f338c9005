"""What has arrived hides as much as a body of its width may cover."""

import numpy as np

from spatial_perception.pipelines.arrived_bodies import covered

CELLS, RESOLUTION_M = 200, 0.2


def hidden_m(half_m: float, away_m: float = 10.0, longest_m: float = 8.0) -> float:
    """How far behind the middle of a face across the x axis cells are covered."""
    y = np.linspace(-half_m, half_m, 401).astype(np.float32)
    x = np.full_like(y, away_m)
    marked = covered(x, y, (100.5, 50.5), CELLS, RESOLUTION_M, longest_m)
    assert not marked[:, : 50 + int(away_m / RESOLUTION_M)].any(), "nothing before it"
    return float(marked[100].sum() * RESOLUTION_M)


def test_a_body_is_at_most_three_times_as_deep_as_it_looks_wide() -> None:
    assert abs(hidden_m(0.9) - 5.4) < 0.5
    assert abs(hidden_m(0.05) - 1.0) < 0.5
    assert abs(hidden_m(5.0) - 8.0) < 0.5
    assert abs(hidden_m(5.0, longest_m=4.0) - 4.0) < 0.5


def test_two_bodies_apart_are_not_one_wide_one() -> None:
    y = np.concatenate([np.linspace(-2.3, -1.7, 21), np.linspace(1.7, 2.3, 21)]).astype(np.float32)
    marked = covered(np.full_like(y, 10.0), y, (100.5, 50.5), CELLS, RESOLUTION_M, 8.0)
    assert not marked[100].any(), "between them one sees"
    assert not marked[:, 111:].any(), "each is 0.6 m wide"
    assert marked[90, 101]
    assert marked[110, 101]


def test_of_several_ends_in_a_direction_the_nearest_counts() -> None:
    x, y = np.array([10.0, 14.0], np.float32), np.zeros(2, np.float32)
    marked = covered(x, y, (100.5, 50.5), CELLS, RESOLUTION_M, 8.0)
    columns = np.flatnonzero(marked.any(axis=0))
    assert columns.min() >= 100
    assert columns.max() <= 106
