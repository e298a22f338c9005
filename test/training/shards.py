"""Tiny shards of a made-up street, for tests of the LiDAR tasks."""

from pathlib import Path

import numpy as np


def write_street(path: Path, seed: int) -> Path:
    """A flat road with a box-shaped car, a person and a wall, and its complete voxels."""
    rng = np.random.default_rng(seed)
    yaw = rng.uniform(-np.pi, np.pi)
    x, y = rng.uniform(6, 12), rng.uniform(-4, 4)
    boxes = np.array([[x, y, 0.8, 4, 1.8, 1.6, yaw], [x - 3, -7, 0.9, 0.6, 0.6, 1.8, 0.0],
                      [-10, 6, 0.8, 4, 1.8, 1.6, 0.0]])  # fmt: skip
    road = np.column_stack([rng.uniform(-16, 16, (6000, 2)), rng.normal(0, 0.01, 6000)])
    wall = np.column_stack([rng.uniform(-16, 16, 2000), np.full(2000, 9), rng.uniform(0, 3, 2000)])
    car, person = (_inside(box, count, rng) for box, count in zip(boxes, (600, 80), strict=False))
    parts = [road, wall, car, person]
    labels = np.repeat(np.array([0, 3, 6, 7], np.uint8), [len(part) for part in parts])
    instance = np.repeat(np.array([0, 0, 1, 2], np.uint16), [len(part) for part in parts])
    points = np.column_stack([np.concatenate(parts), np.zeros(len(labels))])
    voxels = np.full((16, 80, 80), 254, np.uint8)
    voxels[4] = 0  # the layer around height 0
    voxels[:4] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        points=points.astype(np.float32),
        labels=labels,
        instance=instance,
        boxes=boxes.astype(np.float32),
        box_labels=np.array([0, 2, 0], np.uint8),
        box_hits=np.array([600, 80, 0], np.int32),
        voxel_labels=voxels,
        voxel_visible=voxels != 255,
        voxel_origin_m=np.array([-16, -16, -1.8]),
        voxel_size_m=np.full(3, 0.4),
    )
    return path


def _inside(box: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    local = rng.uniform(-0.5, 0.5, (count, 3)) * box[3:6]
    cos, sin = np.cos(box[6]), np.sin(box[6])
    turned = local[:, :2] @ np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([turned, local[:, 2]]) + box[:3]
