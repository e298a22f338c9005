"""PinholeCamera as sensor_msgs/CameraInfo."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CameraInfo as CameraInfoMessage
from rosbags.typesys.stores.ros2_jazzy import (
    sensor_msgs__msg__RegionOfInterest as RegionOfInterest,
)

from spatial_perception.core.camera import PinholeCamera
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize

CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"


def decode_camera_info(data: bytes | memoryview) -> PinholeCamera:
    """Returns the camera in the bytes of a CameraInfo, of the picture as it is sent.

    Size, K and P in the message are those of the sensor; its region of interest and binning say
    what part of it is sent, and how many pixels are merged into one (sensor_msgs/CameraInfo).

    An uncalibrated camera (K all zero) is no error here: `PinholeCamera.is_calibrated` tells.

    Raises:
        DecodeError: No CameraInfo.
    """
    message = deserialize(data, CameraInfoMessage)
    roi = message.roi
    binning_x, binning_y = max(message.binning_x, 1), max(message.binning_y, 1)
    sent_from_sensor = np.array(
        [
            [1 / binning_x, 0.0, -roi.x_offset / binning_x],
            [0.0, 1 / binning_y, -roi.y_offset / binning_y],
            [0.0, 0.0, 1.0],
        ]
    )
    return PinholeCamera(
        header=decode_header(message.header),
        width=(roi.width or message.width) // binning_x,
        height=(roi.height or message.height) // binning_y,
        matrix=sent_from_sensor @ _float64(message.k).reshape(3, 3),
        distortion=_float64(message.d),
        distortion_model=message.distortion_model,
        rectification=_float64(message.r).reshape(3, 3),
        projection=sent_from_sensor @ _float64(message.p).reshape(3, 4),
    )


def _float64(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def encode_camera_info(camera: PinholeCamera) -> bytes:
    """Returns the CameraInfo of a camera, without binning or region of interest."""
    message = CameraInfoMessage(
        header=encode_header(camera.header),
        height=camera.height,
        width=camera.width,
        distortion_model=camera.distortion_model,
        d=camera.distortion,
        k=camera.matrix.reshape(-1),
        r=camera.rectification.reshape(-1),
        p=camera.projection.reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=RegionOfInterest(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )
    return serialize(message)


CAMERA_INFO: Codec[PinholeCamera] = make_codec(
    CAMERA_INFO_TYPE, PinholeCamera, decode_camera_info, encode_camera_info
)
