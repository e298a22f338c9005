#!/usr/bin/env python3
"""Draws a moment of a simulated drive: the picture, its classes and boxes, the scan from above.

python scripts/simulation_figure.py --seed 3 --scan 10 --figure docs/images/simulation.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import CAMVID_LABELS, POINT_LABELS
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.simulation.camera import boxes_2d
from spatial_perception.simulation.drive import Drive, DriveConfig, Moment
from spatial_perception.simulation.drive_bag import true_tracks
from spatial_perception.visualization.bev import BevStyle, draw_bev
from spatial_perception.visualization.bev_view import BevView
from spatial_perception.visualization.overlay import draw_overlay

_WIDTH_PX, _BEV_HEIGHT_PX = 932, 700
_HEADER = Header(0, "base_link")


def main() -> int:
    """Writes the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--scan", type=int, default=0, help="which of the drive")
    parser.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args()
    drive = Drive(DriveConfig(seconds=(arguments.scan + 1) / 10, seed=arguments.seed))
    moment = drive.moment(arguments.scan)
    parts = [*seen(moment), from_above(drive, moment)]
    sheet = np.concatenate([_fitted(part) for part in parts])
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(arguments.figure), bgr, [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(f"figure {arguments.figure}")
    return 0


def seen(moment: Moment) -> list[np.ndarray]:
    """The picture, and the same with its classes and boxes; (H, W, 3) uint8 RGB each."""
    picture = moment.picture
    if picture is None:
        return []
    image = CameraImage(_HEADER, picture.pixels)
    labels = LabelImage(_HEADER, picture.labels, CAMVID_LABELS)
    boxes = boxes_2d(picture, moment.looks, 0, _HEADER.frame_id)
    return [picture.pixels, draw_overlay(image, segmentation=labels, detections=boxes).pixels]


def from_above(drive: Drive, moment: Moment) -> np.ndarray:
    """The scan with the objects that it touches; (H, W, 3) uint8 RGB."""
    points = drive.rig.base_from_lidar.apply(moment.scan.points).astype(np.float32)
    cloud = LabelledCloud(PointCloud(_HEADER, points), moment.scan.labels, POINT_LABELS)
    objects = true_tracks(moment, moment.hits > 0, _HEADER.stamp_ns).detections()
    view = BevView(_WIDTH_PX, _BEV_HEIGHT_PX, back_m=20.0, ahead_m=55.0)
    style = BevStyle(legend=False)
    return draw_bev(cloud, objects=objects, view=view, style=style)


def _fitted(pixels: np.ndarray) -> np.ndarray:
    height = round(_WIDTH_PX * pixels.shape[0] / pixels.shape[1])
    return np.asarray(cv2.resize(pixels, (_WIDTH_PX, height), interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    raise SystemExit(main())
