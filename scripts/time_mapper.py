#!/usr/bin/env python3
"""Milliseconds a scan of the occupancy mapper on one core, over the clouds of a bag.

    python scripts/time_mapper.py kitti_raw_clip --passes 15

Reads and turns the clouds first and times the mapper alone, without networks. Where /tf does not
lead to odom the vehicle is taken to stand, so that the grid's memory is at work. Prints the median
over all scans, and the mean over the scans of the least of the passes, which is what it takes when
nothing else runs: other processes on the machine only add to it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.core import PointCloud, Pose, TransformTree
from spatial_perception.errors import TransformError
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS
from spatial_perception.pipelines.occupancy_mapper import OccupancyMapper, OccupancyMapperConfig

_POINTS_TOPIC = "/sensing/lidar/points"
_WARM_SCANS = 3


def main() -> int:
    """Prints the number of points and the times; 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--passes", type=int, default=15)
    parser.add_argument("--scans", type=int, default=20)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    scans = read(arguments.bag, arguments.scans)
    times_ms = np.array([one_pass(scans) for _ in range(arguments.passes)])[:, _WARM_SCANS:]
    points = np.mean([len(cloud) for cloud, _, _ in scans])
    print(
        f"{len(scans)} scans of {points:,.0f} points: median {np.median(times_ms):.1f} ms,"
        f" mean over scans of the least {times_ms.min(axis=0).mean():.1f} ms"
    )
    return 0


def read(bag: Path, count: int) -> list[tuple[PointCloud, np.ndarray, Pose]]:
    """Clouds in base_link, where their rays start, and the vehicle's poses."""
    tree, clouds = TransformTree(max_age_s=1e9), []
    with BagReader(bag) as reader:
        topics = {"/tf", "/tf_static", _POINTS_TOPIC} & reader.topics.keys()
        for message in reader.messages(topics):
            if message.topic == _POINTS_TOPIC:
                clouds.append(POINT_CLOUD.decode(message.data))
            else:
                is_static = message.topic == "/tf_static"
                tree.add(TRANSFORMS.decode(message.data), static=is_static)
    scans = []
    for cloud in clouds[:count]:
        mount = tree.lookup("base_link", cloud.header.frame_id, cloud.header.stamp_ns)
        try:
            pose = tree.lookup("odom", "base_link", cloud.header.stamp_ns)
        except TransformError:
            pose = Pose.identity()
        scans.append((cloud.transformed(mount, "base_link"), mount.translation, pose))
    return scans


def one_pass(scans: list[tuple[PointCloud, np.ndarray, Pose]]) -> list[float]:
    """Processor time of each scan, milliseconds."""
    mapper, times_ms = OccupancyMapper(OccupancyMapperConfig()), []
    for cloud, origin_m, pose in scans:
        start = time.process_time()
        mapper(cloud, origin_m, pose)
        times_ms.append(1e3 * (time.process_time() - start))
    return times_ms


if __name__ == "__main__":
    raise SystemExit(main())
