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
_MIDDLE, _LOWEST = 1 << 15, 16
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
    voxel_m = config.voxel_m
    while True:
        levels = _pyramid(points, heights, voxel_m, config.nodes)
        excess = max(len(v.cells) / n for v, n in zip(levels, config.nodes, strict=False))
        if excess <= 1.0:
            break
        voxel_m *= max(1.03, min(excess, 8.0) ** 0.8)
    moments = [group_moments(points, levels[0].group, len(levels[0].cells))]
    for level in levels[1:]:
        moments.append(merged_moments(moments[-1], level.group, len(level.cells)))
    neighbours = tuple(
        _nearest(m[:, 1:4] / m[:, :1], config, voxel_m * 2**level)
        for level, m in enumerate(moments)
    )
    weights = tuple(normalized_adjacency(table) for table in neighbours)
    around = _around(moments[0], neighbours[0], weights[0])
    return PointGraph(
        _features(heights, levels, moments, around),
        neighbours,
        weights,
        tuple(_children(level) for level in levels[1:]),
        tuple(level.group for level in levels[1:]),
        levels[0].group,
    )


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


@dataclass(frozen=True, slots=True, eq=False)
class _Voxels:
    """The occupied voxels of a level.

    Args:
        cells: (n, 3) int32 x y z.
        group: (m,) int32 voxel of each point, or of each voxel of the level below.
        order: (m,) those sorted by voxel.
        starts: (n,) where each voxel begins in `order`.
    """

    cells: np.ndarray
    group: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, cells: np.ndarray) -> _Voxels:
        key = (cells[:, 0] << 16 | cells[:, 1]).astype(np.int64) << 8 | cells[:, 2]
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        begins = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        group = np.empty(len(key), np.int32)
        group[order] = np.cumsum(begins, dtype=np.int32) - 1
        starts = np.flatnonzero(begins)
        return cls(cells[order[starts]], group, order, starts)

    def lowest(self, values: np.ndarray) -> np.ndarray:
        """(n,) smallest value in each voxel."""
        return np.asarray(np.minimum.reduceat(values[self.order], self.starts))

    def highest(self, values: np.ndarray) -> np.ndarray:
        """(n,) largest value in each voxel."""
        return np.asarray(np.maximum.reduceat(values[self.order], self.starts))


def _pyramid(
    points: np.ndarray, heights: np.ndarray, voxel_m: float, limits: tuple[int, ...]
) -> list[_Voxels]:
    """Returns the voxels of each level, as far as they are within the limits.

    A voxel's lower face lies half a voxel below the ground, so that the lowest layer is ground
    and what stands on it begins in the next.
    """
    flat = np.floor(points[:, :2] * np.float32(1.0 / voxel_m)) + _MIDDLE
    layer = np.floor(heights * np.float32(1.0 / voxel_m) + np.float32(0.5)) + _LOWEST
    levels = [_Voxels.of(np.column_stack([flat, np.clip(layer, 0, 127)]).astype(np.int32))]
    for limit in limits[:-1]:
        if len(levels[-1].cells) > limit:
            break
        levels.append(_Voxels.of(levels[-1].cells >> 1))
    return levels


def _nearest(centers: np.ndarray, config: GraphConfig, voxel_m: float) -> np.ndarray:
    """Returns (N, k + 1) int32: the node, then its nearest nodes within the radius, then itself."""
    count = len(centers)
    reach = config.radius_voxels * voxel_m
    tree = cKDTree(centers, balanced_tree=False)
    _, index = tree.query(
        centers, config.neighbours + 1, distance_upper_bound=reach, workers=config.workers
    )
    index = index.reshape(count, -1)
    own = np.arange(count)[:, None]
    table: np.ndarray = np.where(index < count, index, own).astype(np.int32)
    return table


def _around(moments: np.ndarray, neighbours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns (N, 10): the moments of each node and its neighbours together."""
    count, width = neighbours.shape
    used = (weights > 0).astype(np.float64).ravel()
    starts = np.arange(0, count * width + 1, width)
    adjacency = csr_array((used, neighbours.ravel(), starts), shape=(count, count))
    return np.asarray(adjacency @ moments)


def _children(level: _Voxels) -> np.ndarray:
    """Returns (n, 8) int32 voxels of the level below that each voxel joins; the first fills up."""
    first = level.order[level.starts]
    table = np.repeat(first[:, None], CHILDREN, axis=1).astype(np.int32)
    parent = level.group[level.order]
    table[parent, np.arange(len(parent)) - level.starts[parent]] = level.order
    return table


def _features(
    heights: np.ndarray, levels: list[_Voxels], moments: list[np.ndarray], around: np.ndarray
) -> np.ndarray:
    """Returns (N, F) float32: each node's own shape and those of the voxels that contain it."""
    nodes = len(levels[0].cells)
    node, blocks = np.arange(nodes), []
    total: np.ndarray = heights
    low, high = heights, heights
    for index, (level, moment) in enumerate(zip(levels, moments, strict=True)):
        total = np.bincount(level.group, total)
        low, high = level.lowest(low), level.highest(high)
        node = level.group[node] if index else node
        shapes = shape_features(moment if index else around)
        number = moment[:, 0]
        block = np.column_stack([total / number, low, high, np.log(number), shapes])
        blocks.append(block[node])
    distance = np.hypot(moments[0][:, 1], moments[0][:, 2]) / moments[0][:, 0]
    wide = levels[0].cells >> 1
    wide[:, 2] = 0
    column = _Voxels.of(wide)
    lowest, highest = (column.lowest(blocks[0][:, 1]), column.highest(blocks[0][:, 2]))
    columns = np.column_stack([lowest[column.group], highest[column.group], distance / 25.0])
    features: np.ndarray = np.clip(np.concatenate([*blocks, columns], axis=1), -2.0, 10.0)
    return features.astype(np.float32)
