"""CameraInfo against a message built by hand, and on a real drive."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CameraInfo as RosCameraInfo
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__RegionOfInterest as Roi

from spatial_perception.messages import CAMERA_INFO

from .ros import ros_header, to_bytes


def camera_info_bytes(
    k: np.ndarray, roi_xywh: tuple[int, int, int, int] = (0, 0, 0, 0), binning: int = 0
) -> bytes:
    x, y, width, height = roi_xywh
    return to_bytes(
        RosCameraInfo(
            header=ros_header("camera_front_optical_frame"),
            height=375,
            width=1242,
            distortion_model="plumb_bob",
            d=np.arange(5.0),
            k=k,
            r=np.eye(3).reshape(-1),
            p=np.arange(12.0),
            binning_x=binning,
            binning_y=binning,
            roi=Roi(x_offset=x, y_offset=y, height=height, width=width, do_rectify=False),
        )
    )


def test_matrices_are_row_major() -> None:
    camera = CAMERA_INFO.decode(camera_info_bytes(np.arange(9.0)))
    np.testing.assert_array_equal(camera.matrix, [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(camera.projection[1], [4, 5, 6, 7])
    np.testing.assert_array_equal(camera.distortion, np.arange(5))
    assert (camera.width, camera.height) == (1242, 375)
    assert camera.header.frame_id == "camera_front_optical_frame"


def test_region_of_interest_and_binning_are_those_of_the_picture_sent() -> None:
    k = np.array([700.0, 0.0, 620.0, 0.0, 700.0, 180.0, 0.0, 0.0, 1.0])
    camera = CAMERA_INFO.decode(camera_info_bytes(k, (200, 100, 800, 200), binning=2))
    assert (camera.width, camera.height) == (400, 100)
    np.testing.assert_allclose(camera.matrix, [[350, 0, 210], [0, 350, 40], [0, 0, 1]])
    np.testing.assert_allclose(camera.projection[0], (np.arange(4) - 200 * np.arange(8, 12)) / 2)


def test_an_uncalibrated_camera_says_so() -> None:
    assert not CAMERA_INFO.decode(camera_info_bytes(np.zeros(9))).is_calibrated
