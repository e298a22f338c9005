"""Shape features against numpy's eigendecomposition of each group's covariance."""

import numpy as np
import pytest

from spatial_perception.ops.shape_features import (
    SHAPE_FEATURES,
    group_moments,
    shape_features,
)


def shape_of(points: np.ndarray) -> np.ndarray:
    return shape_features(group_moments(points.T, np.zeros(1, int)))[:, 0]


def test_features_equal_those_of_numpys_eigenvectors() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + rng.uniform(-50, 50, 3)
        found = shape_of(points)
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
    found = shape_of(points)
    assert found[SHAPE_FEATURES.index(feature)] > 0.9


def test_moments_are_sums_over_the_points_of_each_group() -> None:
    x, y, z = points = np.random.default_rng(2).normal(size=(3, 100))
    found = group_moments(points, np.array([0, 1, 60]))
    terms = np.stack([x**0, x, y, z, x * x, y * y, z * z, x * y, x * z, y * z])
    expected = [terms[:, :1].sum(axis=1), terms[:, 1:60].sum(axis=1), terms[:, 60:].sum(axis=1)]
    np.testing.assert_allclose(found.T, expected, atol=1e-12)


def test_groups_too_small_for_a_shape_have_none() -> None:
    points = np.array([[0.0, 0, 0], [1, 0, 0]])
    assert not shape_of(points).any()
