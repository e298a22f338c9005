#!/usr/bin/env python3
"""Makes the pictures of docs/lidar.md: real scans with boxes, classes and voxels, each scan alone.

python scripts/lidar_pictures.py --data data --output docs/images

`data` holds what is there of kitti_object (KITTI's object benchmark), kitti_raw_clip (a bag) and
nuscenes_keyframe (a *__LIDAR_TOP__*.pcd.bin); what is missing is left out, with a note. The weights
are those of models/; boxes from a score of 0.3 on are shown, as everywhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.core import CameraImage, Header, PinholeCamera, PointCloud, Pose
from spatial_perception.core.transforms import TransformTree
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import read_kitti_frame
from spatial_perception.messages import CAMERA_INFO, COMPRESSED_IMAGE, POINT_CLOUD, TRANSFORMS
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig
from spatial_perception.pipelines.lidar_segmenter import LidarSegmenter, LidarSegmenterConfig
from spatial_perception.visualization.composition import Layout, compose
from spatial_perception.visualization.scene import Scene

KITTI_FRAMES = ("000000", "000007")
CLIP_FRAME = 10
_NUSCENES_LIDAR_HEIGHT_M = 1.84
_JPEG_QUALITY = 72
_CAMERA = "/sensing/camera/front"


def main() -> int:
    """Writes the pictures; 0 when all are made, 1 when data is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    arguments = parser.parse_args()
    detector = LidarDetector(LidarDetectorConfig())
    segmenter = LidarSegmenter(LidarSegmenterConfig())
    arguments.output.mkdir(parents=True, exist_ok=True)
    complete = True
    for name, folder, scenes in (
        ("kitti", "kitti_object", kitti_scenes),
        ("clip", "kitti_raw_clip", clip_scenes),
        ("nuscenes", "nuscenes_keyframe", nuscenes_scenes),
    ):
        root = arguments.data / folder
        if not root.is_dir():
            print(f"{root}: not there, left out")
            complete = False
            continue
        for label, scene in scenes(root):
            assert isinstance(scene.cloud, PointCloud)
            objects, voxels = detector(scene.cloud)
            seen = replace(scene, objects=objects, voxels=voxels, cloud=segmenter(scene.cloud))
            stem = "_".join(part for part in ("lidar", name, label) if part)
            path = arguments.output / f"{stem}.jpg"
            write(path, seen, f"{name} {label}".strip())
            print(f"{path}: {len(objects)} boxes")
    return 0 if complete else 1


def write(path: Path, scene: Scene, title: str) -> None:
    """Writes one sheet: camera, view from above, voxels."""
    size = None if scene.image is None else (scene.image.width, scene.image.height)
    layout = Layout.for_recording(size, has_bev=True, has_voxels=True, has_grid=False)
    sheet = compose(scene, layout, title, "one scan, LiDAR alone")
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), quality)


def kitti_scenes(root: Path) -> Iterator[tuple[str, Scene]]:
    """Scans of KITTI's object benchmark with the left colour picture."""
    for name in KITTI_FRAMES:
        frame = read_kitti_frame(root, name)
        pixels = read_rgb(frame.image_path)
        projection = frame.calibration.projection
        matrix = np.ascontiguousarray(projection[:, :3])
        # The fourth column is where the colour camera stands beside the rectified one.
        beside = Pose.from_yaw(0.0, np.linalg.solve(matrix, projection[:, 3]))
        header = Header(0, "camera")
        camera = PinholeCamera(header, pixels.shape[1], pixels.shape[0], matrix)
        yield (
            name,
            Scene(
                0,
                image=CameraImage(header, pixels),
                camera=camera,
                camera_from_base=beside @ frame.calibration.camera_from_base,
                cloud=frame.cloud,
            ),
        )


def clip_scenes(root: Path) -> Iterator[tuple[str, Scene]]:
    """One scan of the real drive with the picture that belongs to it."""
    topics = ("/sensing/lidar/points", f"{_CAMERA}/image/compressed", f"{_CAMERA}/camera_info")
    messages: dict[str, list[bytes]] = {topic: [] for topic in (*topics, "/tf_static")}
    with BagReader(root) as bag:
        for message in bag.messages(list(messages)):
            messages[message.topic].append(bytes(message.data))
    cloud = POINT_CLOUD.decode(messages[topics[0]][CLIP_FRAME])
    image = COMPRESSED_IMAGE.decode(messages[topics[1]][CLIP_FRAME])
    camera = CAMERA_INFO.decode(messages[topics[2]][CLIP_FRAME])
    tree = TransformTree()
    for data in messages["/tf_static"]:
        tree.add(TRANSFORMS.decode(data), static=True)
    stamp_ns = cloud.header.stamp_ns
    base_from_lidar = tree.lookup("base_link", cloud.header.frame_id, stamp_ns)
    yield (
        "",
        Scene(
            stamp_ns,
            image=image,
            camera=camera,
            camera_from_base=tree.lookup(image.header.frame_id, "base_link", stamp_ns),
            cloud=PointCloud(
                Header(stamp_ns, "base_link"), base_from_lidar.apply(cloud.points), cloud.intensity
            ),
        ),
    )


def nuscenes_scenes(root: Path) -> Iterator[tuple[str, Scene]]:
    """The key frame's scan; nuScenes' LiDAR looks along its y axis."""
    for path in sorted(root.glob("*__LIDAR_TOP__*.pcd.bin")):
        values = np.fromfile(path, np.float32).reshape(-1, 5)
        points = np.stack(
            [values[:, 1], -values[:, 0], values[:, 2] + _NUSCENES_LIDAR_HEIGHT_M], axis=1
        )
        intensity = values[:, 3] / np.float32(255.0)
        yield "", Scene(0, cloud=PointCloud(Header(0, "base_link"), points, intensity))


if __name__ == "__main__":
    sys.exit(main())
