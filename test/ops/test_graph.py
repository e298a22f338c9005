"""The pyramid of graphs against brute force and torch-geometric's normalization."""

import numpy as np
import pytest

from spatial_perception.ops.graph import (
    CHILDREN,
    GraphConfig,
    PointGraph,
    build_graph,
    normalized_adjacency,
)
from spatial_perception.ops.ground import flat_ground

CONFIG = GraphConfig(voxel_m=0.5, nodes=(2400, 900, 300), neighbours=6)


def street(count: int = 3000) -> np.ndarray:
    rng = np.random.default_rng(0)
    road = np.column_stack([rng.uniform(-8, 8, (count, 2)), rng.normal(0, 0.02, count)])
    wall = np.column_stack(
        [rng.uniform(-8, 8, count), np.full(count, 5.0), rng.uniform(0, 3, count)]
    )
    return np.concatenate([road, wall]).astype(np.float32)


@pytest.fixture(scope="module")
def graph() -> PointGraph:
    return build_graph(street(), flat_ground(), CONFIG)


def centers_of(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.stack([points[group == g].mean(axis=0) for g in range(group.max() + 1)])


def test_points_of_a_node_share_a_voxel_and_every_node_has_points(graph: PointGraph) -> None:
    points = street()
    for node in np.unique(graph.node_of_point):
        extent = np.ptp(points[graph.node_of_point == node], axis=0)
        assert (extent <= 1.0).all()
    assert len(np.unique(graph.node_of_point)) == len(graph.features)


def test_neighbours_are_the_nearest_nodes_within_the_radius(graph: PointGraph) -> None:
    centers = centers_of(street(), graph.node_of_point)
    distance = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    for node, row in enumerate(graph.neighbours[0]):
        order = np.argsort(distance[node], kind="stable")[: CONFIG.neighbours + 1]
        near = order[distance[node, order] < CONFIG.radius_voxels * 0.5]
        assert row[0] == node
        assert distance[node, np.unique(row)].max() == pytest.approx(distance[node, near].max())


def test_every_parent_lists_its_children_and_nobody_else(graph: PointGraph) -> None:
    for parents, children in zip(graph.parents, graph.children, strict=True):
        for upper, row in enumerate(children):
            assert set(row) == set(np.flatnonzero(parents == upper))
            assert len(row) == CHILDREN


def test_weights_are_the_rows_of_the_normalized_adjacency() -> None:
    neighbours = np.array([[0, 1, 2], [1, 0, 1], [2, 2, 2]], np.int32)
    adjacency = np.array([[1.0, 1, 1], [1, 1, 0], [0, 0, 1]])
    scale = np.diag(adjacency.sum(axis=1) ** -0.5)
    dense = scale @ adjacency @ scale
    expected = [[dense[0, 0], dense[0, 1], dense[0, 2]], [dense[1, 1], dense[1, 0], 0], [1, 0, 0]]
    np.testing.assert_allclose(normalized_adjacency(neighbours), expected, rtol=1e-6)


def test_padding_adds_rows_that_touch_nothing(graph: PointGraph) -> None:
    padded = graph.padded(CONFIG.nodes)
    for level, count in enumerate(CONFIG.nodes):
        old, new = graph.neighbours[level], padded.neighbours[level]
        assert len(new) == len(padded.weights[level]) == count
        np.testing.assert_array_equal(new[: len(old)], old)
        assert not padded.weights[level][len(old) :].any()
    assert padded.features.shape == (2400, CONFIG.features)


def test_voxels_grow_until_the_nodes_fit() -> None:
    spread = np.random.default_rng(3).uniform(-40, 40, (9000, 3)).astype(np.float32)
    spread[:, 2] *= 0.05
    built = build_graph(spread, flat_ground(), CONFIG)
    for level, count in enumerate(CONFIG.nodes):
        assert len(built.neighbours[level]) <= count


def test_features_do_not_change_when_the_scene_shifts_by_whole_voxels() -> None:
    points = street()
    moved = points + np.array([8.0, -4.0, 0.0], np.float32)  # two voxels of the top level
    here, there = (build_graph(p, flat_ground(), CONFIG) for p in (points, moved))
    without_range = slice(0, CONFIG.features - 1)
    order = np.empty(len(here.features), int)
    order[here.node_of_point] = there.node_of_point
    np.testing.assert_allclose(
        here.features[:, without_range], there.features[order][:, without_range], atol=2e-3
    )


def test_one_point_is_a_graph_too() -> None:
    built = build_graph(np.array([[5.0, 1.0, 0.5]], np.float32), flat_ground(), CONFIG)
    assert built.features.shape == (1, CONFIG.features)
    assert np.isfinite(built.features).all()
    assert built.padded(CONFIG.nodes).features.shape == (2400, CONFIG.features)
