"""Small bags to play."""

from __future__ import annotations

from pathlib import Path

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.core import Transforms
from spatial_perception.core.examples import example_transforms
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS
from test.replay.test_run import GRID, START_NS, STEP_NS, cloud_bytes

POINTS, STATIC = "/sensing/lidar/points", "/tf_static"

__all__ = ["GRID", "POINTS", "START_NS", "STATIC", "STEP_NS", "cloud_bytes", "contents", "drive"]


def drive(
    path: Path, count: int = 15, step_ns: int = STEP_NS, transforms: Transforms | None = None
) -> Path:
    """Writes static transforms and clouds."""
    with BagWriter(path) as writer:
        data = TRANSFORMS.encode(transforms or example_transforms())
        writer.write(STATIC, TRANSFORMS.ros_type, START_NS, data)
        for index in range(count):
            stamp_ns = START_NS + index * step_ns
            writer.write(POINTS, POINT_CLOUD.ros_type, stamp_ns, cloud_bytes(index))
    return path


def contents(path: Path) -> dict[str, list[bytes]]:
    """Returns the messages by topic as they look after DDS, which fills up words with zeros."""
    found: dict[str, list[bytes]] = {}
    with BagReader(path) as reader:
        for message in reader.messages():
            data = bytes(message.data)
            found.setdefault(message.topic, []).append(data + bytes(-len(data) % 4))
    return found
