#!/usr/bin/env python3
"""Milliseconds a scan of the LiDAR segmenter's graph, over the clouds of a bag.

    python scripts/time_graph.py kitti_raw_clip --passes 10

Ground and graph with the default sizes, padded as the network takes them, without the network.
Prints means over the scans of the least of the passes, which is what it takes when nothing else
runs: by the clock, and processor time of all threads together.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from time_mapper import read

from spatial_perception.ops.graph import GraphConfig, build_graph
from spatial_perception.ops.ground import estimate_ground


def main() -> int:
    """Prints the number of points and the times; 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--passes", type=int, default=10)
    parser.add_argument("--scans", type=int, default=20)
    arguments = parser.parse_args()
    config = GraphConfig()
    scans = [cloud.points for cloud, _, _ in read(arguments.bag, arguments.scans)]
    times_ms = np.array(
        [[graph_times_ms(points, config) for points in scans] for _ in range(arguments.passes)]
    )
    clock_ms, processor_ms = times_ms.min(axis=0).mean(axis=0)
    print(
        f"{len(scans)} scans of {np.mean([len(s) for s in scans]):,.0f} points:"
        f" {clock_ms:.1f} ms, processor {processor_ms:.1f} ms"
    )
    return 0


def graph_times_ms(points: np.ndarray, config: GraphConfig) -> tuple[float, float]:
    """By the clock and of the processor."""
    start, used = time.perf_counter(), time.process_time()
    graph = build_graph(points, estimate_ground(points), config)
    graph.padded(config.nodes).inputs()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - used)


if __name__ == "__main__":
    raise SystemExit(main())
