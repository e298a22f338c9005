#!/usr/bin/env python3
"""Milliseconds a scan of the tracker, by the number of objects.

    python scripts/time_tracker.py --objects 100 300

Objects of all classes, 9 m apart, drive at 1 m/s; each is detected in every scan, 0.1 m off. The
first scans, in which tracks are born, do not count.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from spatial_perception.core import OBJECT_LABELS, Detections3D, Header
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.pipelines.object_tracker import ObjectTracker, ObjectTrackerConfig

_BORN = 5
_SPACE_M, _NOISE_M, _SPEED_MPS, _STEP_S = 9.0, 0.1, 1.0, 0.1
_SIZES_LWH_M = np.array([[4.2, 1.8, 1.5], [9.0, 2.5, 3.2], [0.7, 0.7, 1.75], [1.8, 0.7, 1.75]])


def main() -> int:
    """Prints a line for each number of objects; 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--scans", type=int, default=60)
    arguments = parser.parse_args()
    for count in arguments.objects:
        rng = np.random.default_rng(0)
        tracker = ObjectTracker(ObjectTrackerConfig())
        times_ms = []
        for scan in range(_BORN + arguments.scans):
            found = detections(count, scan * _STEP_S, rng)
            start = time.perf_counter()
            tracks = tracker(found)
            times_ms.append(1e3 * (time.perf_counter() - start))
        p50, p99 = np.percentile(times_ms[_BORN:], [50, 99])
        print(f"{count} objects, {len(tracks)} tracks: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    return 0


def detections(count: int, time_s: float, rng: np.random.Generator) -> Detections3D:
    """What a perfect detector with noise sees of the objects at a time."""
    side = int(np.ceil(np.sqrt(count)))
    index = np.arange(count)
    labels = index % len(OBJECT_LABELS)
    sizes = _SIZES_LWH_M[labels]
    places = _SPACE_M * np.stack([index % side, index // side], axis=1)
    places = places + rng.normal(0.0, _NOISE_M, places.shape)
    places[:, 0] += _SPEED_MPS * time_s
    return Detections3D(
        Header(round(time_s * NS_PER_S), "base_link"),
        np.column_stack([places, sizes[:, 2] / 2]).astype(np.float32),
        sizes.astype(np.float32),
        np.zeros(count, np.float32),
        np.full(count, 0.7, np.float32),
        labels.astype(np.int32),
        OBJECT_LABELS,
    )


if __name__ == "__main__":
    raise SystemExit(main())
