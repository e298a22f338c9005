"""CameraInfo against a message built by hand, and on a real drive."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CameraInfo as RosCameraInfo
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__RegionOfInterest as Roi

from spatial_perception.messages import CAMERA_INFO

from .ros import ros_header, to_bytes


def camera_info_bytes(k: np.ndarray) -> bytes:
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
            binning_x=0,
            binning_y=0,
            roi=Roi(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
        )
    )


def test_matrices_are_row_major() -> None:
    camera = CAMERA_INFO.decode(camera_info_bytes(np.arange(9.0)))
    np.testing.assert_array_equal(camera.matrix, [[0, 1, 2], [3, 4, 5], [6, 7, 8]])
    np.testing.assert_array_equal(camera.projection[1], [4, 5, 6, 7])
    np.testing.assert_array_equal(camera.distortion, np.arange(5))
    assert (camera.width, camera.height) == (1242, 375)
    assert camera.header.frame_id == "camera_front_optical_frame"


def test_an_uncalibrated_camera_says_so() -> None:
    assert not CAMERA_INFO.decode(camera_info_bytes(np.zeros(9))).is_calibrated
