"""A real recording, from bytes to geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.core import TransformTree
from spatial_perception.messages import CAMERA_INFO, COMPRESSED_IMAGE, POINT_CLOUD, TRANSFORMS

POINTS = "/sensing/lidar/points"
IMAGE = "/sensing/camera/front/image/compressed"
CAMERA = "/sensing/camera/front/camera_info"


def test_the_drive_has_twenty_frames_in_log_order(drive_bag: Path) -> None:
    with BagReader(drive_bag) as bag:
        counts = {topic: info.count for topic, info in bag.topics.items()}
        times = [message.log_time_ns for message in bag.messages()]
        clouds = [POINT_CLOUD.decode(message.data) for message in bag.messages([POINTS])]
    assert counts == {POINTS: 20, IMAGE: 20, CAMERA: 20, "/tf_static": 1}
    assert times == sorted(times)
    assert all(100_000 < len(cloud) < 130_000 for cloud in clouds)
    assert {cloud.header.frame_id for cloud in clouds} == {"velodyne"}
    steps_ns = np.diff([cloud.header.stamp_ns for cloud in clouds])
    np.testing.assert_array_equal(steps_ns, 100_000_000)


def test_the_road_lies_below_the_lidar_and_in_the_lower_half_of_the_image(drive_bag: Path) -> None:
    tree = TransformTree()
    with BagReader(drive_bag) as bag:
        first = {}
        for message in bag.messages():
            first.setdefault(message.topic, message.data)
    tree.add(TRANSFORMS.decode(first["/tf_static"]), static=True)
    cloud = POINT_CLOUD.decode(first[POINTS])
    image, camera = COMPRESSED_IMAGE.decode(first[IMAGE]), CAMERA_INFO.decode(first[CAMERA])
    assert (image.width, image.height) == (camera.width, camera.height) == (1242, 375)

    stamp_ns = cloud.header.stamp_ns
    points_base = tree.lookup("base_link", "velodyne", stamp_ns).apply(cloud.points)
    x, y, z = points_base.T
    road = (x > 8) & (x < 20) & (np.abs(y) < 2) & (z < 0.5)
    assert abs(np.median(z[road])) < 0.2

    camera_from_lidar = tree.lookup(camera.header.frame_id, "velodyne", stamp_ns)
    uv_px, depth_m = camera.project(camera_from_lidar.apply(cloud.points))
    inside = (depth_m > 0) & (uv_px >= 0).all(axis=1) & (uv_px < [1242, 375]).all(axis=1)
    assert 10_000 < inside.sum() < 40_000
    assert (uv_px[road & inside, 1] > camera.matrix[1, 2]).all()
    left = inside & (y > 3)
    assert np.median(uv_px[left, 0]) < camera.matrix[0, 2]
