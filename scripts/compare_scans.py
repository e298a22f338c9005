#!/usr/bin/env python3
"""Draws simulated scans beside real ones as the sensor sees them: angles, coloured by class.

    python scripts/compare_scans.py --shards SHARDS/val --semantickitti ROOT \
        --range-images range_images_train.npz --figure docs/images/scans_compared.jpg

Pairs are a scan of SemanticKITTI and shards of hdl64, range images of nuScenes and shards of
beam32; what is missing is left out, with a note. Two scans of each are drawn, 120 degrees ahead.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud
from spatial_perception.datasets.shards import read_shard
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.point_scans import (
    PointScanSource,
    kitti_point_scans,
    range_image_scans,
)

_WIDTH_PX, _PX_PER_DEG = 1200, 10
_ELEVATION_DEG = (-22.0, 4.0)
_SENSOR_M = 1.75
_DOT_PX = {"hdl64": 2, "beam32": 4}


def main() -> int:
    """Writes the figure; 0 when all is there, 1 when something is missing, 2 when nothing is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, help="folder of shards", required=True)
    parser.add_argument("--semantickitti", type=Path, default=Path("-"))
    parser.add_argument("--range-images", type=Path, default=Path("-"))
    parser.add_argument("--figure", type=Path, required=True)
    parser.add_argument("--scans", type=int, default=2, help="of each kind")
    arguments = parser.parse_args()
    kitti = partial(kitti_point_scans, arguments.semantickitti, "all")
    nuscenes = partial(range_image_scans, arguments.range_images, "nuscenes")
    kinds = (
        ("SemanticKITTI (HDL-64)", "hdl64", partial(real, kitti)),
        ("simulated hdl64", "hdl64", partial(simulated, arguments.shards, "hdl64")),
        ("nuScenes (HDL-32)", "beam32", partial(real, nuscenes)),
        ("simulated beam32", "beam32", partial(simulated, arguments.shards, "beam32")),
    )
    strips, complete = [], True
    for title, sensor, scans in kinds:
        try:
            drawn = [strip(scan, _DOT_PX[sensor]) for scan in islice(scans(), arguments.scans)]
        except DatasetError as error:
            print(f"{title}: left out ({error})")
            complete = False
            continue
        strips += [titled(picture, title if not i else "") for i, picture in enumerate(drawn)]
    if not strips:
        return 2
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    sheet = cv2.cvtColor(np.concatenate(strips), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(arguments.figure), sheet, [cv2.IMWRITE_JPEG_QUALITY, 60])
    print(f"figure {arguments.figure}")
    return 0 if complete else 1


def real(listed: Callable[[], list[PointScanSource]]) -> Iterator[LabelledCloud]:
    """Two labelled scans of a data set, the first and one from its middle."""
    sources = listed()
    for source in sources[:: max(1, len(sources) // 2)]:
        yield source.read()


def simulated(folder: Path, sensor: str) -> Iterator[LabelledCloud]:
    """The shards of a sensor in the order of their seeds."""
    paths = sorted(folder.glob(f"{sensor}_*.npz"))
    if not paths:
        raise DatasetError(f"{folder}: holds no shards {sensor}_*.npz")
    for path in paths:
        yield read_shard(path, with_voxels=False).cloud()


def strip(scan: LabelledCloud, dot_px: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB: azimuth to the right, elevation upwards, near points over far ones."""
    x, y, z = scan.cloud.points.astype(np.float64).T
    distance = np.hypot(x, y)
    azimuth = -np.degrees(np.arctan2(y, x))
    elevation = np.degrees(np.arctan2(z - _SENSOR_M, distance))
    low, high = _ELEVATION_DEG
    column = np.round(_WIDTH_PX / 2 + azimuth * _PX_PER_DEG).astype(int)
    row = np.round((high - elevation) * _PX_PER_DEG).astype(int)
    height = round((high - low) * _PX_PER_DEG)
    inside = (column >= 0) & (column < _WIDTH_PX - dot_px) & (row >= 0) & (row < height - dot_px)
    order = np.flatnonzero(inside)[np.argsort(-distance[inside])]
    colors = np.full((256, 3), 90, np.uint8)
    colors[: len(scan.label_set)] = scan.label_set.colors
    colors[UNLABELED] = 110
    shade = np.clip(1.15 - distance / 90, 0.35, 1.0)[:, None]
    rgb = (colors[scan.labels] * shade).astype(np.uint8)
    picture = np.full((height, _WIDTH_PX, 3), 12, np.uint8)
    for down in range(dot_px):
        for right in range(min(dot_px, 3)):
            picture[row[order] + down, column[order] + right] = rgb[order]
    return picture


def titled(picture: np.ndarray, title: str) -> np.ndarray:
    """The picture below a line of text, or below a thin gap."""
    bar = np.full((22 if title else 4, picture.shape[1], 3), 255, np.uint8)
    if title:
        cv2.putText(
            bar, title, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA
        )
    return np.concatenate([bar, picture])


if __name__ == "__main__":
    raise SystemExit(main())
