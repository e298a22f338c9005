"""Ranges as sensor_msgs/LaserScan, outlines as geometry_msgs/PolygonStamped."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point32 as Point32Message
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Polygon as PolygonMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__PolygonStamped as PolygonStampedMessage,
)
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__LaserScan as LaserScanMessage

from spatial_perception.core.free_space import Polygon, RangeScan
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize


def decode_range_scan(data: bytes | memoryview) -> RangeScan:
    """Returns the ranges in the bytes of a LaserScan, without its intensities.

    Raises:
        DecodeError: No LaserScan.
    """
    message = deserialize(data, LaserScanMessage)
    return RangeScan(
        header=decode_header(message.header),
        angle_min_rad=message.angle_min,
        angle_step_rad=message.angle_increment,
        range_min_m=message.range_min,
        range_max_m=message.range_max,
        ranges_m=message.ranges.astype(np.float32),
    )


def encode_range_scan(scan: RangeScan) -> bytes:
    """Returns a LaserScan whose beams are of one moment."""
    steps = max(len(scan.ranges_m) - 1, 0)
    return serialize(
        LaserScanMessage(
            header=encode_header(scan.header),
            angle_min=scan.angle_min_rad,
            angle_max=scan.angle_min_rad + steps * scan.angle_step_rad,
            angle_increment=scan.angle_step_rad,
            time_increment=0.0,
            scan_time=0.0,
            range_min=scan.range_min_m,
            range_max=scan.range_max_m,
            ranges=scan.ranges_m,
            intensities=np.zeros(0, np.float32),
        )
    )


def decode_polygon(data: bytes | memoryview) -> Polygon:
    """Returns the outline in the bytes of a PolygonStamped.

    Raises:
        DecodeError: No PolygonStamped.
    """
    message = deserialize(data, PolygonStampedMessage)
    points = [(point.x, point.y, point.z) for point in message.polygon.points]
    points_m = np.array(points, np.float32).reshape(-1, 3)
    return Polygon(decode_header(message.header), points_m)


def encode_polygon(polygon: Polygon) -> bytes:
    """Returns a PolygonStamped."""
    points = [Point32Message(*point) for point in polygon.points_m.tolist()]
    return serialize(
        PolygonStampedMessage(
            header=encode_header(polygon.header), polygon=PolygonMessage(points=points)
        )
    )


RANGE_SCAN: Codec[RangeScan] = make_codec(
    "sensor_msgs/msg/LaserScan", RangeScan, decode_range_scan, encode_range_scan
)
POLYGON: Codec[Polygon] = make_codec(
    "geometry_msgs/msg/PolygonStamped", Polygon, decode_polygon, encode_polygon
)
