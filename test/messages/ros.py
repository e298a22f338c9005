"""ROS messages built by hand from rosbags' classes, the reference for the codecs."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import builtin_interfaces__msg__Time as Time
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__Image as Image
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointCloud2 as PointCloud2
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointField as PointField
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Header as RosHeader

from spatial_perception.messages.typestore import typestore

DATATYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def ros_header(frame_id: str = "velodyne") -> RosHeader:
    return RosHeader(stamp=Time(sec=12, nanosec=345), frame_id=frame_id)


def to_bytes(message: object) -> bytes:
    name: str = message.__msgtype__  # type: ignore[attr-defined]
    return bytes(typestore().serialize_cdr(message, name))


def image_bytes(
    data: np.ndarray, width: int, height: int, encoding: str, step: int, big: bool = False
) -> bytes:
    return to_bytes(
        Image(
            header=ros_header("camera"),
            height=height,
            width=width,
            encoding=encoding,
            is_bigendian=int(big),
            step=step,
            data=data.reshape(-1).view(np.uint8),
        )
    )


def cloud_bytes(
    rows: np.ndarray, row_padding: int = 0, big: bool = False, row_step: int | None = None
) -> bytes:
    """PointCloud2 of a structured array, (width,) or (height, width)."""
    rows = np.atleast_2d(rows)
    dtype = rows.dtype
    assert dtype.fields is not None
    data = np.stack(
        [
            np.concatenate(
                [np.frombuffer(row.tobytes(), np.uint8), np.full(row_padding, 0xAB, np.uint8)]
            )
            for row in rows
        ]
    )
    fields = [
        PointField(name=name, offset=offset, datatype=DATATYPES[kind.str[1:].lower()], count=1)
        for name, (kind, offset) in dtype.fields.items()
    ]
    return to_bytes(
        PointCloud2(
            header=ros_header(),
            height=rows.shape[0],
            width=rows.shape[1],
            fields=fields,
            is_bigendian=big,
            point_step=dtype.itemsize,
            row_step=data.shape[1] if row_step is None else row_step,
            data=data.reshape(-1),
            is_dense=False,
        )
    )
