"""Shape features against numpy's eigendecomposition of each group's covariance."""

import numpy as np
import pytest

from spatial_perception.ops.shape_features import (
    SHAPE_FEATURES,
    group_moments,
    merged_moments,
    shape_features,
)


def test_features_equal_those_of_numpys_eigenvectors() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + rng.uniform(-50, 50, 3)
        found = shape_features(group_moments(points, np.zeros(50, int), 1))[0]
        (low, middle, high), vectors = np.linalg.eigh(np.cov(points.T, bias=True))
        expected = [
            (high - middle) / high,
            (middle - low) / high,
            low / high,
            vectors[2, 0] ** 2,
            vectors[2, 2] ** 2,
            np.sqrt(high),
        ]
        assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("spread", "feature"),
    [((0, 0, 1), "linearity"), ((0, 0, 1), "axis_z2"), ((1, 1, 0), "planarity"),
     ((1, 1, 0), "normal_z2"), ((1, 1, 1), "scattering")],
)  # fmt: skip
def test_a_pole_is_linear_and_upright_a_road_flat_a_bush_scattered(
    spread: tuple[float, ...], feature: str
) -> None:
    points = np.random.default_rng(1).uniform(-1, 1, (2000, 3)) * np.array(spread)
    found = shape_features(group_moments(points, np.zeros(2000, int), 1))[0]
    assert found[SHAPE_FEATURES.index(feature)] > 0.9


def test_moments_of_a_union_are_those_of_its_points() -> None:
    rng = np.random.default_rng(2)
    points, group = rng.normal(size=(100, 3)), rng.integers(0, 6, 100)
    union = np.array([0, 1, 0, 1, 0, 1])
    merged = merged_moments(group_moments(points, group, 6), union, 2)
    np.testing.assert_allclose(merged, group_moments(points, union[group], 2), atol=1e-12)


def test_groups_too_small_for_a_shape_have_none() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0]])
    assert not shape_features(group_moments(points, np.zeros(2, int), 2)).any()
