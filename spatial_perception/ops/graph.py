"""A scan as a pyramid of graphs, the input of the graph convolutional network.

Level 0 has one node for each occupied voxel; a node of the next level joins the up to eight of a
voxel twice as large. On each level edges run from the k nearest nodes within a radius. All tables
are indices into rows, so that a network needs nothing but gathers, and are padded to sizes fixed
at export.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from spatial_perception.config import option
from spatial_perception.ops.ground import GroundGrid
from spatial_perception.ops.nearest import nearest_within
from spatial_perception.ops.node_features import COLUMN_FEATURES, LEVEL_FEATURES, node_features
from spatial_perception.ops.shape_features import group_moments
from spatial_perception.ops.voxel_pyramid import Voxels, voxel_pyramid

CHILDREN = 8


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """How a scan becomes a pyramid of graphs."""

    voxel_m: float = option(0.4, help="voxel of level 0", unit="m", range=(0.05, 10.0))
    nodes: tuple[int, ...] = option(
        (12288, 6144, 2048, 768, 256), help="nodes of each level at most; sizes of padded tables"
    )
    neighbours: int = option(12, help="edges into a node at most", range=(1, 64))
    radius_voxels: float = option(
        3.0, help="longest edge in voxels of its level", range=(1.0, 100.0)
    )
    reach_m: float = option(
        100.0, help="points beyond it take part at that distance", unit="m", range=(5.0, 1000.0)
    )

    @property
    def features(self) -> int:
        """Number of features of a node."""
        return len(LEVEL_FEATURES) * len(self.nodes) + len(COLUMN_FEATURES)


@dataclass(frozen=True, slots=True, eq=False)
class PointGraph:
    """A pyramid of graphs; tables of level l have N_l rows.

    Args:
        features: (N_0, F) float32.
        neighbours: per level (N_l, k + 1) int32, the node itself first; unused places repeat it.
        weights: per level (N_l, k + 1) float32 entries of D^-1/2 (A + I) D^-1/2, 0 where unused.
        children: per level but the last (N_{l+1}, 8) int32 nodes of level l; repeated where fewer.
        parents: per level but the last (N_l,) int32 nodes of level l + 1.
        node_of_point: (P,) int32 node of level 0 of each point.
    """

    features: np.ndarray
    neighbours: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    children: tuple[np.ndarray, ...]
    parents: tuple[np.ndarray, ...]
    node_of_point: np.ndarray

    def inputs(self) -> dict[str, np.ndarray]:
        """The network's inputs by name."""
        tables = {"features": self.features}
        for level, (neighbours, weights) in enumerate(
            zip(self.neighbours, self.weights, strict=True)
        ):
            tables[f"neighbours_{level}"] = neighbours
            tables[f"weights_{level}"] = weights
        for level, (children, parents) in enumerate(zip(self.children, self.parents, strict=True)):
            tables[f"children_{level}"] = children
            tables[f"parents_{level}"] = parents
        return tables

    def padded(self, nodes: tuple[int, ...]) -> PointGraph:
        """Returns the same graph with `nodes[l]` rows on level l; added rows touch no other one."""

        def pad(table: np.ndarray, rows: int) -> np.ndarray:
            result = np.zeros((rows, *table.shape[1:]), table.dtype)
            result[: len(table)] = table
            return result

        levels = range(len(nodes) - 1)
        return PointGraph(
            pad(self.features, nodes[0]),
            tuple(pad(t, n) for t, n in zip(self.neighbours, nodes, strict=True)),
            tuple(pad(t, n) for t, n in zip(self.weights, nodes, strict=True)),
            tuple(pad(self.children[level], nodes[level + 1]) for level in levels),
            tuple(pad(self.parents[level], nodes[level]) for level in levels),
            self.node_of_point,
        )


def build_graph(points: np.ndarray, ground: GroundGrid, config: GraphConfig) -> PointGraph:
    """Returns the pyramid of a scan, not padded.

    Voxels grow in steps until every level has at most the configured number of nodes.

    Args:
        points: (P, 3) float32, metres, base_link, at least one point.
        ground: Ground under the scan.
        config: Sizes.
    """
    points = _within_reach(points, config.reach_m)
    heights = points[:, 2] - ground.height_at(points)
    levels, voxel_m = voxel_pyramid(points, heights, config.voxel_m, config.nodes)
    first = levels[0]
    moments = [group_moments([axis.take(first.order) for axis in points.T], first.starts)]
    for level in levels[1:]:
        moments.append(level.merged(np.add, moments[-1]))
    neighbours = _neighbours(moments, voxel_m, config)
    weights = tuple(normalized_adjacency(table) for table in neighbours)
    around = _around(moments[0], neighbours[0], weights[0])
    return PointGraph(
        node_features(heights, levels, moments, around),
        neighbours,
        weights,
        tuple(_children(level) for level in levels[1:]),
        tuple(level.group for level in levels[1:]),
        first.group,
    )


def normalized_adjacency(neighbours: np.ndarray) -> np.ndarray:
    """Returns (N, k + 1) float32 entries of D^-1/2 (A + I) D^-1/2 (Kipf and Welling, 2017).

    Args:
        neighbours: (N, k + 1) int32; the first column is the node itself, so are unused places.
    """
    used = neighbours != neighbours[:, :1]
    used[:, 0] = True
    # Sums down long columns are several times faster than sums of short rows.
    scale = 1.0 / np.sqrt(used.T.copy().sum(axis=0, dtype=np.float32))
    return used * scale[:, None] * scale.take(neighbours)


def _within_reach(points: np.ndarray, reach_m: float) -> np.ndarray:
    distance = np.sqrt(points[:, 0] ** 2 + points[:, 1] ** 2)
    if distance.max() < reach_m:
        return points
    near = points.copy()
    near[:, :2] *= np.minimum(1.0, 0.999 * reach_m / np.maximum(distance, 1e-3))[:, None]
    return near


def _neighbours(
    moments: list[np.ndarray], voxel_m: float, config: GraphConfig
) -> tuple[np.ndarray, ...]:
    """Returns per level (n, k + 1) int32."""
    tables = []
    for level, moment in enumerate(moments):
        centers = (moment[1:4] / moment[0]).T
        radius_m = config.radius_voxels * voxel_m * 2**level
        tables.append(nearest_within(centers, radius_m, config.neighbours))
    return tuple(tables)


def _around(moments: np.ndarray, neighbours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns (10, N): the moments of each node and its neighbours together."""
    count, width = neighbours.shape
    used = (weights > 0).astype(np.float64).ravel()
    starts = np.arange(0, count * width + 1, width)
    adjacency = csr_array((used, neighbours.ravel(), starts), shape=(count, count))
    return np.ascontiguousarray((adjacency @ np.ascontiguousarray(moments.T)).T)


def _children(level: Voxels) -> np.ndarray:
    """Returns (n, 8) int32 voxels of the level below that each voxel joins; the first fills up."""
    start = level.starts[:, None]
    end = np.append(level.starts[1:], len(level.order))[:, None]
    place = start + np.arange(CHILDREN)
    children: np.ndarray = level.order.take(np.where(place < end, place, start)).astype(np.int32)
    return children
