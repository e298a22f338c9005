"""Features of the nodes of a pyramid of graphs: each node's own, and those of what contains it."""

from __future__ import annotations

import numpy as np

from spatial_perception.ops.shape_features import SHAPE_FEATURES, shape_features
from spatial_perception.ops.voxel_pyramid import Voxels

LEVEL_FEATURES = ("height", "lowest", "highest", "log_count", *SHAPE_FEATURES)
COLUMN_FEATURES = ("column_low", "column_high", "range")
_LEAST, _MOST = -2.0, 10.0


def node_features(
    heights: np.ndarray, levels: list[Voxels], moments: list[np.ndarray], around: np.ndarray
) -> np.ndarray:
    """Returns (N, F) float32: `LEVEL_FEATURES` of a node and of its voxels, `COLUMN_FEATURES`.

    Args:
        heights: (P,) float32 of the points over the ground, metres.
        levels: The pyramid of their voxels; the N of level 0 are the nodes.
        moments: Of the voxels of each level.
        around: (10, N) moments of each node and its neighbours together, which give its shape.
    """
    ends = np.cumsum([len(level) for level in levels])
    shapes = shape_features(np.concatenate([around, *moments[1:]], axis=1))
    width = len(LEVEL_FEATURES)
    features = np.empty((ends[0], width * len(levels) + len(COLUMN_FEATURES)), np.float32)
    node = np.arange(ends[0])
    total, low, high = heights.astype(np.float64), heights, heights
    lows, highs = [], []
    for index, (level, shape) in enumerate(
        zip(levels, np.split(shapes, ends[:-1], axis=1), strict=True)
    ):
        node = level.group.take(node) if index else node
        number = moments[index][0]
        total = level.merged(np.add, total)
        low, high = level.merged(np.minimum, low), level.merged(np.maximum, high)
        lows.append(low)
        highs.append(high)
        block = np.stack([total / number, low, high, np.log(number), *shape], axis=1, dtype=np.float32, casting="same_kind")
        np.clip(block, _LEAST, _MOST, out=block)
        features[:, index * width : (index + 1) * width] = block.take(node, axis=0)
    wide = levels[0].cells >> 1
    wide[2] = 0
    column = Voxels.of(wide)
    number, x, y = moments[0][:3]
    tail = features[:, -len(COLUMN_FEATURES) :]
    tail[:, 0] = column.merged(np.minimum, lows[0]).take(column.group)
    tail[:, 1] = column.merged(np.maximum, highs[0]).take(column.group)
    tail[:, 2] = np.sqrt(x * x + y * y) / (25.0 * number)
    np.clip(tail, _LEAST, _MOST, out=tail)
    return features
