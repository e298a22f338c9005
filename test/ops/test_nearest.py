"""The neighbour search against scipy's k-d tree."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from spatial_perception.ops.nearest import nearest_within


def clouds() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "street": rng.normal(size=(1500, 3)) * (20.0, 6.0, 0.4) - (0.0, 90.0, 0.0),
        "tower": rng.uniform(size=(700, 3)) * (2.0, 2.0, 60.0),
        "wider than the raster": rng.uniform(-800, 800, (900, 3)) * (1.0, 0.002, 0.002),
        "apart": np.arange(30.0).reshape(10, 3) * 5.0,
        "one": np.array([[7.0, -3.0, 1.0]]),
    }


@pytest.mark.parametrize("name", clouds())
@pytest.mark.parametrize(("radius", "count"), [(1.2, 12), (3.0, 5)])
def test_it_finds_what_a_k_d_tree_finds(name: str, radius: float, count: int) -> None:
    points = clouds()[name]
    tree = cKDTree(points)
    distance, index = tree.query(points, count + 1, distance_upper_bound=radius)
    own = np.arange(len(points))[:, None]
    expected = np.where(np.isfinite(distance), index, own)
    found = nearest_within(points, radius, count)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


def test_of_two_points_in_one_place_each_is_the_others_nearest() -> None:
    points = np.array([[0.0, 0, 0], [0, 0, 0], [0.5, 0, 0]])
    assert nearest_within(points, 1.0, 2).tolist() == [[0, 1, 2], [1, 0, 2], [2, 0, 1]]
