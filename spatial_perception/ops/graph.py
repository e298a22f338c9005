"""A scan as a pyramid of graphs, the input of the graph convolutional network.

Level 0 has one node for each occupied voxel; a node of the next level joins the up to eight of a voxel twice
as large. On each level edges run from the k nearest nodes within a radius. All tables are indices into
rows, so that a network needs nothing but gathers, and are padded to sizes fixed at export.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from spatial_perception.config import option
from spatial_perception.ops.ground import GroundGrid
from spatial_perception.ops.shape_features import (
    SHAPE_FEATURES,
    group_moments,
    merged_moments,
    shape_features,
)

CHILDREN = 8
LEVEL_FEATURES = ("height", "lowest", "highest", "log_count", *SHAPE_FEATURES)
COLUMN_FEATURES = ("column_low", "column_high", "range")


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
    workers: int = option(2, help="threads of the neighbour search", range=(1, 64))

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
        weights: per level (N_l, k + 1) float32, the entries of D^-1/2 (A + I) D^-1/2; 0 where unused.
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
        """Returns the same graph with `nodes[l]` rows on level l; added nodes touch no other one."""

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
    voxel_m = config.voxel_m
    while True:
        cells, parents = _pyramid(points, heights, voxel_m, len(config.nodes))
        excess = max(len(c) / n for c, n in zip(cells, config.nodes, strict=True))
        if excess <= 1.0:
            break
        voxel_m *= max(1.05, min(excess, 8.0) ** 0.6)
    node_of_point, parents = parents[0], parents[1:]
    moments = [group_moments(points, node_of_point, len(cells[0]))]
    for parent, upper in zip(parents, cells[1:], strict=True):
        moments.append(merged_moments(moments[-1], parent, len(upper)))
    neighbours = tuple(
        _nearest(m[:, 1:4] / m[:, :1], config, voxel_m * 2**level)
        for level, m in enumerate(moments)
    )
    features = _features(points, heights, node_of_point, cells[0], parents, moments, neighbours[0])
    children = tuple(_children(p, len(upper)) for p, upper in zip(parents, cells[1:], strict=True))
    weights = tuple(normalized_adjacency(table) for table in neighbours)
    return PointGraph(features, neighbours, weights, children, tuple(parents), node_of_point)


def normalized_adjacency(neighbours: np.ndarray) -> np.ndarray:
    """Returns (N, k + 1) float32 entries of D^-1/2 (A + I) D^-1/2 (Kipf and Welling, 2017).

    Args:
        neighbours: (N, k + 1) int32; the first column is the node itself, so are unused places.
    """
    used = neighbours != neighbours[:, :1]
    used[:, 0] = True
    scale = 1.0 / np.sqrt(used.sum(axis=1, dtype=np.float32))
    return used * scale[:, None] * scale[neighbours]


def _within_reach(points: np.ndarray, reach_m: float) -> np.ndarray:
    distance = np.sqrt(points[:, 0] ** 2 + points[:, 1] ** 2)
    if distance.max() < reach_m:
        return points
    near = points.copy()
    near[:, :2] *= np.minimum(1.0, 0.999 * reach_m / np.maximum(distance, 1e-3))[:, None]
    return near


def _pyramid(
    points: np.ndarray, heights: np.ndarray, voxel_m: float, levels: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Returns the (n, 3) int voxels of each level, and what belongs to which: points, then levels.

    A voxel's lower face lies half a voxel below the ground, so that the lowest layer is ground
    and what stands on it begins in the next.
    """
    x, y = (points[:, :2].T * np.float32(1.0 / voxel_m)).astype(np.int32) + 4096 * 8
    z = np.clip(heights / np.float32(voxel_m) + 0.5, -16, 111).astype(np.int32) + 16
    cells, parents = [], []
    current = np.stack([x, y, z], axis=1)
    for _ in range(levels):
        key = (current[:, 0] << 16 | current[:, 1]).astype(np.int64) << 8 | current[:, 2]
        unique, first, group = np.unique(key, return_index=True, return_inverse=True)
        cells.append(current[first])
        parents.append(group.astype(np.int32))
        current = cells[-1] >> 1
    return cells, parents


def _nearest(centers: np.ndarray, config: GraphConfig, voxel_m: float) -> np.ndarray:
    """Returns (N, k + 1) int32: the node, then its nearest nodes within the radius, then itself."""
    count = len(centers)
    reach = config.radius_voxels * voxel_m
    tree = cKDTree(centers, balanced_tree=False, compact_nodes=False)
    _, index = tree.query(
        centers, config.neighbours + 1, distance_upper_bound=reach, workers=config.workers
    )
    index = index.reshape(count, -1)
    own = np.arange(count)[:, None]
    table: np.ndarray = np.where(index < count, index, own).astype(np.int32)
    return table


def _children(parent: np.ndarray, count: int) -> np.ndarray:
    """Returns (count, 8) int32 rows of `parent` that name each node, the first repeated to fill."""
    order = np.argsort(parent, kind="stable")
    sorted_parent = parent[order]
    start = np.searchsorted(sorted_parent, np.arange(count))
    table = np.repeat(order[start][:, None], CHILDREN, axis=1).astype(np.int32)
    table[sorted_parent, np.arange(len(parent)) - start[sorted_parent]] = order
    return table


def _features(
    points: np.ndarray,
    heights: np.ndarray,
    node_of_point: np.ndarray,
    cells: np.ndarray,
    parents: list[np.ndarray],
    moments: list[np.ndarray],
    neighbours: np.ndarray,
) -> np.ndarray:
    """Returns (N, F) float32: each node's own shape and those of the voxels that contain it."""
    count = len(cells)
    total = np.bincount(node_of_point, heights, minlength=count)
    low, high = np.full(count, np.inf, np.float32), np.full(count, -np.inf, np.float32)
    np.minimum.at(low, node_of_point, heights)
    np.maximum.at(high, node_of_point, heights)
    column_low, column_high = _column_extent(cells, low, high)
    node, blocks = np.arange(count), []
    for level, moment in enumerate(moments):
        if level:
            parent, groups = parents[level - 1], len(moment)
            total = np.bincount(parent, total, minlength=groups)
            child_low, child_high = low, high
            low, high = np.full(groups, np.inf, np.float32), np.full(groups, -np.inf, np.float32)
            np.minimum.at(low, parent, child_low)
            np.maximum.at(high, parent, child_high)
            node = parent[node]
        number = moment[:, 0]
        around = moment if level else moment[neighbours].sum(axis=1)
        block = np.column_stack([total / number, low, high, np.log(number), shape_features(around)])
        blocks.append(block[node])
    distance = np.hypot(moments[0][:, 1], moments[0][:, 2]) / moments[0][:, 0]
    columns = np.column_stack([column_low, column_high, distance / 25.0])
    features: np.ndarray = np.clip(np.concatenate([*blocks, columns], axis=1), -2.0, 10.0)
    return features.astype(np.float32)


def _column_extent(
    cells: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns, for each node, the lowest and highest point in its column of two by two voxels."""
    wide = cells[:, :2] >> 1
    _, column = np.unique(wide[:, 0].astype(np.int64) << 16 | wide[:, 1], return_inverse=True)
    groups = int(column.max()) + 1
    lowest, highest = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(lowest, column, low)
    np.maximum.at(highest, column, high)
    return lowest[column], highest[column]
