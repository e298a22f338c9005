"""A drive in KITTI's raw layout, with the calibration published for 2011-09-26."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.bags import BagMessage, BagReader
from spatial_perception.bags.kitti_raw import convert_kitti_raw
from spatial_perception.core import TransformTree
from spatial_perception.errors import DatasetError
from spatial_perception.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    ODOMETRY,
    POINT_CLOUD,
    TRANSFORMS,
)

CAM_TO_CAM = """calib_time: 09-Jan-2012 13:57:47
corner_dist: 9.950000e-02
R_rect_00: 9.999239e-01 9.837760e-03 -7.445048e-03 -9.869795e-03 9.999421e-01 -4.278459e-03 \
7.402527e-03 4.351614e-03 9.999631e-01
P_rect_02: 7.215377e+02 0.000000e+00 6.095593e+02 4.485728e+01 0.000000e+00 7.215377e+02 \
1.728540e+02 2.163791e-01 0.000000e+00 0.000000e+00 1.000000e+00 2.745884e-03
"""
VELO_TO_CAM = """calib_time: 15-Mar-2012 11:37:16
R: 7.533745e-03 -9.999714e-01 -6.166020e-04 1.480249e-02 7.280733e-04 -9.998902e-01 \
9.998621e-01 7.523790e-03 1.480755e-02
T: -4.069766e-03 -7.631618e-02 -2.717806e-01
"""
IMU_TO_VELO = """calib_time: 25-May-2012 16:47:16
R: 1.0 0.0 0.0 0.0 1.0 0.0 0.0 0.0 1.0
T: -0.8 0.3 -0.8
"""
START_NS = 1_317_042_000 * 1_000_000_000  # 2011-09-26 13:00:00 UTC
POINTS = np.array([[10, 1, -1.5, 0.25], [20, -2, 0.5, 0.75]], np.float32)


def oxts(latitude: float, yaw: float) -> str:
    values = np.zeros(30)
    values[[0, 1, 2, 5, 8, 22]] = latitude, 8.4, 110.0, yaw, 10.0, 0.5
    return " ".join(f"{value:.14f}" for value in values)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    day = tmp_path / "2011_09_26"
    drive = day / "2011_09_26_drive_0001_sync"
    drive.mkdir(parents=True)
    (day / "calib_cam_to_cam.txt").write_text(CAM_TO_CAM)
    (day / "calib_velo_to_cam.txt").write_text(VELO_TO_CAM)
    (day / "calib_imu_to_velo.txt").write_text(IMU_TO_VELO)
    picture = np.full((37, 124, 3), (30, 60, 200), np.uint8)
    for sensor, offset_ms in (("velodyne_points", 50), ("image_02", 53), ("oxts", 40)):
        data = drive / sensor / "data"
        data.mkdir(parents=True)
        times = [f"2011-09-26 13:00:0{frame}.0{offset_ms}000001\n" for frame in range(3)]
        (drive / sensor / "timestamps.txt").write_text("".join(times))
        for frame in range(3):
            if sensor == "velodyne_points":
                (POINTS + [frame, 0, 0, 0]).astype(np.float32).tofile(data / f"{frame:010}.bin")
            elif sensor == "image_02":
                cv2.imwrite(str(data / f"{frame:010}.png"), picture)
            else:
                latitude = 49.0 + np.degrees(frame * 10 / 6378137.0)  # 10 m north a frame
                (data / f"{frame:010}.txt").write_text(oxts(latitude, np.pi / 2))
    return drive


def converted(drive: Path, out: Path) -> dict[str, list[BagMessage]]:
    count = convert_kitti_raw(drive, out)
    messages: dict[str, list[BagMessage]] = {}
    with BagReader(out) as bag:
        assert bag.message_count == count
        for message in bag.messages():
            messages.setdefault(message.topic, []).append(message)
    return messages


def test_the_topics_are_those_of_the_suite(drive: Path, tmp_path: Path) -> None:
    messages = converted(drive, tmp_path / "bag")
    assert {topic: len(items) for topic, items in messages.items()} == {
        "/tf_static": 1,
        "/sensing/lidar/points": 3,
        "/sensing/camera/front/camera_info": 3,
        "/sensing/camera/front/image/compressed": 3,
        "/odom": 3,
        "/tf": 3,
    }


def test_files_that_are_no_frames_are_passed_over(drive: Path, tmp_path: Path) -> None:
    (drive / "velodyne_points" / "data" / "._0000000000.bin").write_bytes(b"of another system")
    assert len(converted(drive, tmp_path / "bag")["/sensing/lidar/points"]) == 3


def test_points_keep_values_and_stamps_to_the_nanosecond(drive: Path, tmp_path: Path) -> None:
    second = converted(drive, tmp_path / "bag")["/sensing/lidar/points"][1]
    cloud = POINT_CLOUD.decode(second.data)
    np.testing.assert_array_equal(cloud.points, POINTS[:, :3] + [1, 0, 0])
    np.testing.assert_array_equal(cloud.intensity, POINTS[:, 3])
    assert cloud.header.stamp_ns == START_NS + 1_050_000_001
    assert cloud.header.frame_id == "velodyne"


def test_pictures_keep_size_colour_and_intrinsics(drive: Path, tmp_path: Path) -> None:
    messages = converted(drive, tmp_path / "bag")
    image = COMPRESSED_IMAGE.decode(messages["/sensing/camera/front/image/compressed"][0].data)
    assert np.abs(image.pixels.astype(int) - [200, 60, 30]).max() < 6
    camera = CAMERA_INFO.decode(messages["/sensing/camera/front/camera_info"][0].data)
    assert (camera.width, camera.height) == (124, 37)
    assert camera.matrix[0, 0] == 721.5377
    assert camera.header == image.header


def test_transforms_equal_those_of_the_real_bag(
    drive: Path, tmp_path: Path, drive_bag: Path
) -> None:
    poses = []
    for path in (drive_bag, tmp_path / "bag"):
        if not path.exists():
            convert_kitti_raw(drive, path)
        with BagReader(path) as bag:
            tree = TransformTree()
            tree.add(TRANSFORMS.decode(next(bag.messages(["/tf_static"])).data), static=True)
        poses.append(tree.lookup("base_link", "camera_front_optical_frame", 0))
    np.testing.assert_allclose(poses[0].rotation, poses[1].rotation, atol=1e-3)
    np.testing.assert_allclose(poses[0].translation, poses[1].translation, atol=2e-3)


def test_odometry_starts_at_zero_and_drives_ahead(drive: Path, tmp_path: Path) -> None:
    messages = converted(drive, tmp_path / "bag")
    first, _, third = (ODOMETRY.decode(message.data) for message in messages["/odom"])
    np.testing.assert_allclose(first.pose.translation, 0, atol=1e-6)
    np.testing.assert_allclose(third.pose.translation, [20, 0, 0], atol=1e-2)
    # IMU at (-0.8, 0.3) of the LiDAR: base_link moves with v + w x r, r from IMU to base_link.
    np.testing.assert_allclose(first.linear_velocity, [10 + 0.5 * 0.3, 0.5 * 0.8, 0], atol=1e-9)
    (transform,) = TRANSFORMS.decode(messages["/tf"][2].data).transforms
    np.testing.assert_allclose(transform.pose.translation, third.pose.translation)


def test_a_drive_without_oxts_has_no_odometry(drive: Path, tmp_path: Path) -> None:
    (drive / "oxts").rename(tmp_path / "elsewhere")
    assert "/odom" not in converted(drive, tmp_path / "bag")


def test_frames_that_the_data_set_lacks_are_left_out(drive: Path, tmp_path: Path) -> None:
    (drive / "velodyne_points" / "data" / "0000000001.bin").unlink()
    clouds = converted(drive, tmp_path / "bag")["/sensing/lidar/points"]
    stamps = [POINT_CLOUD.decode(item.data).header.stamp_ns - START_NS for item in clouds]
    assert stamps == [50_000_001, 2_050_000_001]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("../calib_velo_to_cam.txt", "calib_velo_to_cam.txt: cannot be read"),
        ("velodyne_points/timestamps.txt", "timestamps.txt: cannot be read"),
    ],
)
def test_a_missing_part_is_named(drive: Path, tmp_path: Path, missing: str, named: str) -> None:
    (drive / missing).unlink()
    with pytest.raises(DatasetError, match=named):
        convert_kitti_raw(drive, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


def test_a_damaged_calibration_and_cloud_are_named(drive: Path, tmp_path: Path) -> None:
    (drive.parent / "calib_velo_to_cam.txt").write_text("R: 1 2 3\nT: 0 0 0\n")
    with pytest.raises(DatasetError, match="calibration files lack or damage"):
        convert_kitti_raw(drive, tmp_path / "bag")
    (drive.parent / "calib_velo_to_cam.txt").write_text(VELO_TO_CAM)
    (drive / "velodyne_points" / "data" / "0000000000.bin").write_bytes(bytes(20))
    with pytest.raises(DatasetError, match=r"0000000000.bin: 5 numbers are no points"):
        convert_kitti_raw(drive, tmp_path / "bag")
