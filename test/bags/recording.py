"""Small bags written by rosbags: interleaved latencies and clouds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from spatial_perception.bags import BagMessage
from spatial_perception.core import Latency, PointCloud
from spatial_perception.core.examples import example_header
from spatial_perception.messages import LATENCY, POINT_CLOUD
from spatial_perception.messages.typestore import typestore

START_NS = 1_700_000_000_000_000_000
STEP_NS = 10_000_000


def recorded(count: int = 40, points: int = 2000) -> list[BagMessage]:
    """Messages in log order, every fourth one a cloud of random points."""
    rng = np.random.default_rng(0)
    messages = []
    for index in range(count):
        if index % 4 == 0:
            cloud = PointCloud(example_header(), rng.random((points, 3)).astype(np.float32))
            topic, ros_type, data = "/points", POINT_CLOUD.ros_type, POINT_CLOUD.encode(cloud)
        else:
            topic, ros_type = "/latency_ms", LATENCY.ros_type
            data = LATENCY.encode(Latency(float(index)))
        messages.append(BagMessage(topic, ros_type, START_NS + index * STEP_NS, data))
    return messages


def write_reference(
    path: Path,
    messages: Sequence[BagMessage],
    storage: StoragePlugin = StoragePlugin.MCAP,
    compression: CompressionMode = CompressionMode.NONE,
) -> Path:
    """Writes messages in the given order with rosbags' own writer."""
    writer = Writer(path, version=9, storage_plugin=storage)
    writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        connections = {
            topic: writer.add_connection(topic, ros_type, typestore=typestore())
            for topic, ros_type in dict.fromkeys((m.topic, m.ros_type) for m in messages)
        }
        for message in messages:
            writer.write(connections[message.topic], message.log_time_ns, message.data)
    return path
