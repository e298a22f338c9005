"""Indices of cells against the floor of each place, one by one."""

import math

import numpy as np

from spatial_perception.ops.cells import cell_at


def test_places_outside_count_in_the_nearest_cell() -> None:
    rng, rows, columns = np.random.default_rng(0), 5, 7
    x, y = rng.uniform(-4.0, 4.0, (2, 200)).astype(np.float32)
    found = cell_at(x, y, (-1.5, 0.25), 0.5, (rows, columns))
    for x_m, y_m, index in zip(x.tolist(), y.tolist(), found.tolist(), strict=True):
        row = min(max(math.floor((y_m - 0.25) / 0.5), 0), rows - 1)
        column = min(max(math.floor((x_m + 1.5) / 0.5), 0), columns - 1)
        assert index == row * columns + column
