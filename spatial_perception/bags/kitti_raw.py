"""Drives of the KITTI raw data set (http://www.cvlibs.net/datasets/kitti/raw_data.php) as bags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from heapq import merge
from math import cos, log, pi, radians, tan
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from spatial_perception.bags.topics import BagMessage
from spatial_perception.bags.writer import BagWriter
from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.core.odometry import Odometry
from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.datasets.images import read_rgb
from spatial_perception.errors import DatasetError
from spatial_perception.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    ODOMETRY,
    POINT_CLOUD,
    TRANSFORMS,
    QosProfile,
)

POINTS_TOPIC = "/sensing/lidar/points"
IMAGE_TOPIC = "/sensing/camera/front/image/compressed"
CAMERA_INFO_TOPIC = "/sensing/camera/front/camera_info"

_BASE, _LIDAR, _CAMERA, _ODOM = "base_link", "velodyne", "camera_front_optical_frame", "odom"
_BASE_FROM_LIDAR = Pose(np.eye(3), np.array([0.0, 0.0, 1.73]))
_EARTH_RADIUS_M = 6378137.0
_CAMERA_FOLDER = "image_02"
_QOS = {
    POINTS_TOPIC: QosProfile(reliable=False, depth=1),
    IMAGE_TOPIC: QosProfile(reliable=False, depth=1),
    CAMERA_INFO_TOPIC: QosProfile(depth=50),
    "/odom": QosProfile(depth=50),
    "/tf": QosProfile(depth=100),
    "/tf_static": QosProfile(transient_local=True, depth=100),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Calibration:
    camera_matrix: np.ndarray
    lidar_from_camera: Pose
    base_from_imu: Pose | None


def convert_kitti_raw(
    drive_dir: Path | str, out: Path | str, on_message: Callable[[int], None] | None = None
) -> int:
    """Returns how many messages of a drive were written to a new bag.

    Topics: the LiDAR's points, the left colour camera with its CameraInfo, `/tf_static` and, where
    `oxts` is there, `/odom` and `/tf` from the first pose of base_link. KITTI's times have no time
    zone; they are taken as UTC.

    Args:
        drive_dir: A folder `..._sync` with `velodyne_points`, `image_02` and `oxts`; the
            `calib_*.txt` files lie in it or in its parent.
        out: Folder of the bag; must not exist yet.
        on_message: Called with the number of messages written so far.

    Raises:
        DatasetError: Part of the layout is missing or damaged, or `out` cannot be written.
    """
    drive = Path(drive_dir)
    if not drive.is_dir():
        raise DatasetError(f"{drive}: no such folder")
    calibration = _read_calibration(drive)
    clouds, pictures = _stamped(drive, "velodyne_points", ".bin"), _stamped_pictures(drive)
    start_ns = min(stamp_ns for stamp_ns, _ in [*clouds, *pictures])
    streams = [
        iter([_static_transforms(calibration, start_ns)]),
        (_cloud(stamp_ns, path) for stamp_ns, path in clouds),
        _camera(pictures, calibration),
    ]
    if calibration.base_from_imu is not None and (drive / "oxts").is_dir():
        streams.append(_motion(_stamped(drive, "oxts", ".txt"), calibration.base_from_imu))
    count = 0
    with BagWriter(out) as writer:
        for message in merge(*streams, key=lambda item: item.log_time_ns):
            writer.write(
                message.topic,
                message.ros_type,
                message.log_time_ns,
                message.data,
                _QOS[message.topic],
            )
            count += 1
            if on_message is not None:
                on_message(count)
    return count


def _static_transforms(calibration: _Calibration, stamp_ns: int) -> BagMessage:
    transforms = Transforms(
        (
            StampedTransform(Header(stamp_ns, _BASE), _LIDAR, _BASE_FROM_LIDAR),
            StampedTransform(Header(stamp_ns, _LIDAR), _CAMERA, calibration.lidar_from_camera),
        )
    )
    data = TRANSFORMS.encode(transforms)
    return BagMessage("/tf_static", TRANSFORMS.ros_type, stamp_ns, data)


def _cloud(stamp_ns: int, path: Path) -> BagMessage:
    values = np.fromfile(path, np.float32)
    if values.size % 4:
        raise DatasetError(f"{path}: {values.size} numbers are no points of x y z intensity")
    points = values.reshape(-1, 4)
    cloud = PointCloud(Header(stamp_ns, _LIDAR), points[:, :3], points[:, 3])
    return BagMessage(POINTS_TOPIC, POINT_CLOUD.ros_type, stamp_ns, POINT_CLOUD.encode(cloud))


def _camera(pictures: list[tuple[int, Path]], calibration: _Calibration) -> Iterator[BagMessage]:
    for stamp_ns, path in pictures:
        image = CameraImage(Header(stamp_ns, _CAMERA), read_rgb(path))
        camera = PinholeCamera(
            image.header,
            image.width,
            image.height,
            calibration.camera_matrix,
            distortion=np.zeros(5),
            projection=np.hstack([calibration.camera_matrix, np.zeros((3, 1))]),
        )
        info = CAMERA_INFO.encode(camera)
        yield BagMessage(CAMERA_INFO_TOPIC, CAMERA_INFO.ros_type, stamp_ns, info)
        picture = COMPRESSED_IMAGE.encode(image)
        yield BagMessage(IMAGE_TOPIC, COMPRESSED_IMAGE.ros_type, stamp_ns, picture)


def _motion(packets: list[tuple[int, Path]], base_from_imu: Pose) -> Iterator[BagMessage]:
    """Yields `/odom` and `/tf` from the GPS/IMU packets, as KITTI's development kit reads them."""
    imu_from_base = base_from_imu.inverse()
    scale = 0.0
    odom_from_world: Pose | None = None
    for stamp_ns, path in packets:
        values = _numbers(_text(path), path)
        if len(values) < 23:
            raise DatasetError(f"{path}: {len(values)} values, expected 30")
        latitude, longitude, altitude, roll, pitch, yaw = values[:6]
        scale = scale or cos(radians(latitude))
        position = np.array(
            [
                scale * radians(longitude) * _EARTH_RADIUS_M,
                scale * _EARTH_RADIUS_M * log(tan((90.0 + latitude) * pi / 360.0)),
                altitude,
            ]
        )
        rotation = Rotation.from_euler("ZYX", [yaw, pitch, roll]).as_matrix()
        world_from_base = Pose(rotation, position) @ imu_from_base
        if odom_from_world is None:
            odom_from_world = world_from_base.inverse()
        pose = odom_from_world @ world_from_base
        rate_imu, velocity_imu = values[20:23], values[8:11]
        velocity_imu = velocity_imu + np.cross(rate_imu, imu_from_base.translation)
        header = Header(stamp_ns, _ODOM)
        odometry = Odometry(
            header,
            _BASE,
            pose,
            base_from_imu.rotation @ velocity_imu,
            base_from_imu.rotation @ rate_imu,
        )
        yield BagMessage("/odom", ODOMETRY.ros_type, stamp_ns, ODOMETRY.encode(odometry))
        transform = Transforms((StampedTransform(header, _BASE, pose),))
        yield BagMessage("/tf", TRANSFORMS.ros_type, stamp_ns, TRANSFORMS.encode(transform))


def _stamped_pictures(drive: Path) -> list[tuple[int, Path]]:
    folder = drive / _CAMERA_FOLDER / "data"
    suffix = ".jpg" if any(folder.glob("*.jpg")) else ".png"
    return _stamped(drive, _CAMERA_FOLDER, suffix)


def _stamped(drive: Path, sensor: str, suffix: str) -> list[tuple[int, Path]]:
    """Returns stamps and files of a sensor; frames whose file is missing are left out."""
    times = drive / sensor / "timestamps.txt"
    lines = [line.strip() for line in _text(times).splitlines() if line.strip()]
    found = (drive / sensor / "data").glob(f"*{suffix}")
    files = {int(file.stem): file for file in found if file.stem.isdecimal()}
    stamped = [
        (_stamp_ns(line, times), files[index]) for index, line in enumerate(lines) if index in files
    ]
    if not stamped:
        raise DatasetError(f"{drive / sensor}: no frames (data/*{suffix} with timestamps.txt)")
    return stamped


def _stamp_ns(line: str, path: Path) -> int:
    """Returns nanoseconds of `2011-09-26 13:02:25.951235072`; datetime stops at microseconds."""
    seconds, _, fraction = line.partition(".")
    try:
        moment = datetime.strptime(seconds, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
        return int(moment.timestamp()) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
    except ValueError as error:
        raise DatasetError(f"{path}: '{line}' is no time") from error


def _read_calibration(drive: Path) -> _Calibration:
    camera = _calibration_file(drive, "calib_cam_to_cam.txt")
    lidar = _calibration_file(drive, "calib_velo_to_cam.txt")
    try:
        projection = camera["P_rect_02"].reshape(3, 4)
        rectified_from_camera = Pose(camera["R_rect_00"].reshape(3, 3), np.zeros(3))
        camera_from_lidar = Pose(lidar["R"].reshape(3, 3), lidar["T"])
        # The left colour camera stands beside the reference camera by the fourth column of P.
        offset = np.linalg.solve(projection[:, :3], projection[:, 3])
        optical_from_rectified = Pose(np.eye(3), offset)
        optical_from_lidar = optical_from_rectified @ rectified_from_camera @ camera_from_lidar
        base_from_imu = None
        if _find_calibration(drive, "calib_imu_to_velo.txt").is_file():
            imu = _calibration_file(drive, "calib_imu_to_velo.txt")
            base_from_imu = _BASE_FROM_LIDAR @ Pose(imu["R"].reshape(3, 3), imu["T"])
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{drive}: calibration files lack or damage {error}") from error
    matrix = np.ascontiguousarray(projection[:, :3])
    return _Calibration(matrix, optical_from_lidar.inverse(), base_from_imu)


def _find_calibration(drive: Path, name: str) -> Path:
    return drive / name if (drive / name).is_file() else drive.resolve().parent / name


def _calibration_file(drive: Path, name: str) -> dict[str, np.ndarray]:
    path = _find_calibration(drive, name)
    entries = {}
    for line in _text(path).splitlines():
        key, _, value = line.partition(":")
        if key.strip() and key != "calib_time":
            entries[key.strip()] = _numbers(value, path)
    return entries


def _numbers(text: str, path: Path) -> np.ndarray:
    try:
        return np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise DatasetError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read; a KITTI raw drive has it") from error
