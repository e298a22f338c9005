"""Features of the nodes of a pyramid of graphs: their own and those of the voxels around them."""

from __future__ import annotations

import numpy as np

from spatial_perception.ops.shape_features import SHAPE_FEATURES, shape_features
from spatial_perception.ops.voxel_pyramid import Voxels

LEVEL_FEATURES = ("height", "lowest", "highest", "log_count", *SHAPE_FEATURES)
COLUMN_FEATURES = ("column_low", "column_high", "range")
_LEAST, _MOST = -2.0, 10.0
_RANGE_M = 25.0


def node_features(
    heights: np.ndarray, levels: list[Voxels], moments: list[np.ndarray], around: np.ndarray
) -> np.ndarray:
    """Returns (N, F) float32: `LEVEL_FEATURES` on each level, then `COLUMN_FEATURES`.

    Args:
        heights: (P,) float32 of the points over the ground, metres.
        levels: The pyramid of their voxels; the N of level 0 are the nodes.
        moments: Per level (10, n), see `group_moments`.
        around: (10, N) moments of each node and its neighbours together, which give its shape.
    """
    ends = np.cumsum([len(level) for level in levels])
    shapes = shape_features(np.concatenate([around, *moments[1:]], axis=1))  # at once: less calls
    width = len(LEVEL_FEATURES)
    features = np.empty((ends[0], width * len(levels) + len(COLUMN_FEATURES)), np.float32)
    node = np.arange(ends[0])
    total, low, high = heights.astype(np.float64), heights, heights
    for index, shape in enumerate(np.split(shapes, ends[:-1], axis=1)):
        level, number = levels[index], moments[index][0]
        node = level.group.take(node) if index else node
        total = level.merged(np.add, total)
        low, high = level.merged(np.minimum, low), level.merged(np.maximum, high)
        block = np.stack([total / number, low, high, np.log(number), *shape], axis=1)
        block = np.clip(block, _LEAST, _MOST, dtype=np.float32, casting="same_kind")
        features[:, index * width : (index + 1) * width] = block.take(node, axis=0)
    features[:, -len(COLUMN_FEATURES) :] = _column_features(features, levels[0], moments[0])
    return features


def _column_features(features: np.ndarray, voxels: Voxels, moments: np.ndarray) -> np.ndarray:
    """Returns (N, 3): lowest and highest in a column two voxels wide, and the distance."""
    wide = voxels.cells >> 1
    wide[2] = 0
    column = Voxels.of(wide)
    low = column.merged(np.minimum, features[:, LEVEL_FEATURES.index("lowest")])
    high = column.merged(np.maximum, features[:, LEVEL_FEATURES.index("highest")])
    number, x, y = moments[:3]
    distance = np.sqrt(x * x + y * y) / (_RANGE_M * number)
    return np.stack(
        [low.take(column.group), high.take(column.group), np.minimum(distance, _MOST)], axis=1
    )
