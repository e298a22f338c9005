#!/usr/bin/env python3
"""Prints statistics of simulated and real scans of an HDL-64 side by side: Markdown table.

    python scripts/scan_statistics.py --shards SHARDS/val [--kitti ROOT] [--semantickitti ROOT]

Rays lost come from the beams of `hdl64` and its 2,083 firings a turn: what a band of elevation
holds fewer points than rays. Elevations are seen from the mount's mean height, so that bands
narrower than a few degrees say little of shards, whose mount and tilt vary; real beams are not as
evenly spaced as the table has them, so that a band may hold more points than rays.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.datasets.kitti_object import kitti_frames, read_kitti_frame
from spatial_perception.datasets.shards import read_shard
from spatial_perception.errors import DatasetError, PerceptionError
from spatial_perception.evaluation.point_scans import kitti_point_scans
from spatial_perception.simulation.lidar_models import lidar_model

Values = dict[str, np.ndarray]

_SENSOR = lidar_model("hdl64")
_RANGE_M = (0.0, 10.0, 20.0, 30.0, 50.0, 80.0)
_HEIGHT_M = (-np.inf, -0.3, 0.3, 1.0, 2.0, 3.0, np.inf)
_ELEVATION_DEG = (-25.0, -20.0, -15.0, -10.0, -7.0, -4.0, -2.0, 0.0, 3.0)
_ROWS = {
    "points a scan": "",
    "range": "0-10, 10-20, 20-30, 30-50, 50-80 m",
    "height": "under -0.3, to 0.3, to 1, to 2, to 3, over 3 m",
    "rays lost": "elevation -25..-20, -20..-15, -15..-10, -10..-7, -7..-4, -4..-2, -2..0, 0..3",
    "intensity": "10th, 50th, 90th percentile, in hundredths",
    "intensity 0": "",
}


def main() -> int:
    """Prints the table; 0, or 2 where a data set cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, required=True, help="folder of shards")
    parser.add_argument("--kitti", type=Path, help="object benchmark")
    parser.add_argument("--semantickitti", type=Path)
    arguments = parser.parse_args()
    columns = {"simulated": simulated(arguments.shards)}
    if arguments.kitti:
        columns["KITTI"] = kitti(arguments.kitti)
    if arguments.semantickitti:
        columns["SemanticKITTI"] = semantickitti(arguments.semantickitti)
    try:
        found = {title: mean_of(scans) for title, scans in columns.items()}
    except PerceptionError as error:
        print(error)
        return 2
    print(f"| | {' | '.join(found)} |")
    print(f"|---|{'---|' * len(found)}")
    for row, bands in _ROWS.items():
        cells = [", ".join(f"{value:.0f}" for value in values[row]) for values in found.values()]
        print(f"| {row}{f' ({bands})' if bands else ''} | {' | '.join(cells)} |")
    return 0


def simulated(folder: Path) -> Iterator[PointCloud]:
    """The shards of hdl64."""
    for path in sorted(folder.glob("hdl64_*.npz")):
        yield read_shard(path, with_voxels=False).cloud().cloud


def kitti(root: Path) -> Iterator[PointCloud]:
    """The frames of the object benchmark."""
    for name in kitti_frames(root):
        yield read_kitti_frame(root, name).cloud


def semantickitti(root: Path) -> Iterator[PointCloud]:
    """The labelled scans."""
    for source in kitti_point_scans(root, "all"):
        yield source.read().cloud


def mean_of(scans: Iterator[PointCloud]) -> Values:
    """Means over scans of what `statistics` finds.

    Raises:
        DatasetError: there are no scans, or one cannot be read.
    """
    found = [statistics(scan) for scan in scans]
    if not found:
        raise DatasetError("no scans of an HDL-64 there")
    return {name: np.mean([one[name] for one in found], axis=0) for name in found[0]}


def statistics(scan: PointCloud) -> Values:
    """Number of points, and percent of points or, of rays lost, of rays fired."""
    points = scan.points
    intensity = np.zeros(len(points)) if scan.intensity is None else scan.intensity
    distance = np.hypot(points[:, 0], points[:, 1])
    elevation = np.degrees(np.arctan2(points[:, 2] - _SENSOR.mount_z_m, distance))
    fired = np.histogram(_SENSOR.elevations_deg, _ELEVATION_DEG)[0] * _SENSOR.columns
    returned = np.histogram(elevation, _ELEVATION_DEG)[0]
    return {
        "points a scan": np.array([len(points)]),
        "range": 100.0 * np.histogram(distance, _RANGE_M)[0] / len(points),
        "height": 100.0 * np.histogram(points[:, 2], _HEIGHT_M)[0] / len(points),
        "rays lost": 100.0 * (1.0 - returned / fired),
        "intensity": 100.0 * np.percentile(intensity, (10, 50, 90)),
        "intensity 0": np.array([100.0 * np.mean(intensity == 0)]),
    }


if __name__ == "__main__":
    raise SystemExit(main())
