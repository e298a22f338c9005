#!/usr/bin/env python3
"""Where returns stay beside the vehicle's rectangle while it drives: mirrors, racks, loads.

    python scripts/own_returns.py BAG                # of a drive; a standing vehicle tells nothing
    python scripts/own_returns.py kitti_object       # or frames of KITTI's object benchmark

Places in base_link, to 0.1 m, that hold a return in nearly all scans taken far apart belong to the
vehicle. Prints how far they reach, and the `ego` parameters whose rectangle holds them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.core import TransformTree
from spatial_perception.datasets.kitti_object import kitti_frames, read_kitti_frame
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS
from spatial_perception.pipelines.ego_box import EgoBox

_POINTS_TOPIC = "/sensing/lidar/points"
_STEP_M, _NEAR_M, _HEIGHTS_M = 0.1, 1.0, (0.3, 2.5)
_SHARE = 0.85


def main() -> int:
    """Prints the rectangle; 0, or 1 where nothing stays."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--every", type=int, default=10, help="scans of a bag from one to the next")
    arguments = parser.parse_args()
    is_bag = (arguments.source / "metadata.yaml").exists()
    clouds = bag_points(arguments.source, arguments.every) if is_bag else kitti(arguments.source)
    scans, ego = list(clouds), EgoBox()
    hits: Counter[tuple[int, int, int]] = Counter()
    for points in scans:
        near = ego.holds(points, _NEAR_M)
        near &= (points[:, 2] > _HEIGHTS_M[0]) & (points[:, 2] < _HEIGHTS_M[1])
        hits.update(set(map(tuple, np.floor(points[near] / _STEP_M).astype(int).tolist())))
    stays = [place for place, count in hits.items() if count >= _SHARE * len(scans)]
    own = np.array(stays) * _STEP_M
    if not len(own):
        print(f"{len(scans)} scans: no return stays within {_NEAR_M} m of the vehicle's rectangle")
        return 1
    low, high = own.min(axis=0), own.max(axis=0) + _STEP_M
    spans = zip("xyz", low, high, strict=True)
    print(f"{len(scans)} scans:", ", ".join(f"{a} {lo:.1f} .. {hi:.1f} m" for a, lo, hi in spans))
    back = min(low[0], ego.ahead_m - ego.length_m / 2)
    front = max(high[0], ego.ahead_m + ego.length_m / 2)
    width_m = max(ego.width_m, 2 * max(-low[1], high[1]))
    print(f"ego.length_m {front - back:.1f}, ego.width_m {width_m:.1f},", end=" ")
    print(f"ego.ahead_m {(front + back) / 2:.1f}")
    return 0


def bag_points(bag: Path, every: int) -> Iterator[np.ndarray]:
    """(N, 3) points of some scans in base_link."""
    tree, count = TransformTree(max_age_s=1e9), 0
    with BagReader(bag) as reader:
        for message in reader.messages({"/tf_static", _POINTS_TOPIC}):
            if message.topic == "/tf_static":
                tree.add(TRANSFORMS.decode(message.data), static=True)
                continue
            count += 1
            if count % every == 1 % every:
                cloud = POINT_CLOUD.decode(message.data)
                stamp_ns, frame = cloud.header.stamp_ns, cloud.header.frame_id
                pose = tree.lookup("base_link", frame, stamp_ns)
                yield cloud.transformed(pose, "base_link").points


def kitti(root: Path) -> Iterator[np.ndarray]:
    """(N, 3) points of all frames in base_link."""
    for name in kitti_frames(root):
        yield read_kitti_frame(root, name).cloud.points


if __name__ == "__main__":
    raise SystemExit(main())
