"""MarkerArray as visualization_msgs/MarkerArray."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point as PointMessage
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CompressedImage as CompressedImage
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__ColorRGBA as ColorMessage
from rosbags.typesys.stores.ros2_jazzy import visualization_msgs__msg__Marker as MarkerMessage
from rosbags.typesys.stores.ros2_jazzy import (
    visualization_msgs__msg__MarkerArray as MarkerArrayMessage,
)
from rosbags.typesys.stores.ros2_jazzy import visualization_msgs__msg__MeshFile as MeshFile

from spatial_perception.core.header import Header
from spatial_perception.core.markers import Marker, MarkerArray, MarkerShape
from spatial_perception.core.pose import Pose
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.geometry import decode_pose, encode_pose, encode_vector
from spatial_perception.messages.header import (
    decode_duration,
    decode_header,
    encode_duration,
    encode_header,
)
from spatial_perception.messages.typestore import deserialize, serialize


def encode_markers(array: MarkerArray) -> bytes:
    """Returns a MarkerArray that deletes all earlier markers, then adds these."""
    first = Marker(
        header=array.header,
        namespace="",
        id=0,
        shape=MarkerShape.ARROW,
        pose=Pose.identity(),
        scale_m=(0.0, 0.0, 0.0),
        color_rgba=(0.0, 0.0, 0.0, 0.0),
        lifetime_s=0.0,
    )
    markers = [_encode_marker(first, MarkerMessage.DELETEALL)]
    markers += [_encode_marker(marker, MarkerMessage.ADD) for marker in array.markers]
    return serialize(MarkerArrayMessage(markers=cast("list[Any]", markers)))


def _encode_marker(marker: Marker, action: int) -> MarkerMessage:
    nothing = encode_header(Header(0, ""))
    return MarkerMessage(
        header=encode_header(marker.header),
        ns=marker.namespace,
        id=marker.id,
        type=int(marker.shape),
        action=action,
        pose=encode_pose(marker.pose),
        scale=encode_vector(np.array(marker.scale_m)),
        color=ColorMessage(*map(float, marker.color_rgba)),
        lifetime=encode_duration(marker.lifetime_s),
        frame_locked=False,
        points=[PointMessage(*point) for point in marker.points.tolist()],
        colors=[],
        texture_resource="",
        texture=CompressedImage(header=nothing, format="", data=np.zeros(0, np.uint8)),
        uv_coordinates=[],
        text=marker.text,
        mesh_resource="",
        mesh_file=MeshFile(filename="", data=np.zeros(0, np.uint8)),
        mesh_use_embedded_materials=False,
    )


def decode_markers(data: bytes | memoryview) -> MarkerArray:
    """Returns the markers that the bytes of a MarkerArray add; its header is the first one's.

    Raises:
        DecodeError: No MarkerArray, or a marker of a type that `MarkerShape` lacks.
    """
    # rosbags' type of this field is the marker of an older release.
    messages = cast("list[MarkerMessage]", deserialize(data, MarkerArrayMessage).markers)
    header = decode_header(messages[0].header) if messages else Header(0, "")
    added = (message for message in messages if message.action == MarkerMessage.ADD)
    return MarkerArray(header=header, markers=tuple(map(_decode_marker, added)))


def _decode_marker(message: MarkerMessage) -> Marker:
    points = [(point.x, point.y, point.z) for point in message.points]
    points_m = np.array(points, np.float64).reshape(-1, 3).astype(np.float32)
    scale, color = message.scale, message.color
    return Marker(
        header=decode_header(message.header),
        namespace=message.ns,
        id=message.id,
        shape=MarkerShape(message.type),
        pose=decode_pose(message.pose),
        scale_m=(scale.x, scale.y, scale.z),
        color_rgba=(color.r, color.g, color.b, color.a),
        points=points_m,
        text=message.text,
        lifetime_s=decode_duration(message.lifetime),
    )


MARKERS: Codec[MarkerArray] = make_codec(
    "visualization_msgs/msg/MarkerArray", MarkerArray, decode_markers, encode_markers
)
