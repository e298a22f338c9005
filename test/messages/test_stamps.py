"""Stamps moved inside of serialized messages."""

import dataclasses

import pytest

from spatial_perception.core import Header
from spatial_perception.core.examples import (
    example_camera_image,
    example_detections2d,
    example_point_cloud,
    example_transforms,
)
from spatial_perception.errors import DecodeError
from spatial_perception.messages import DETECTIONS_2D, IMAGE, LATENCY, POINT_CLOUD, TRANSFORMS
from spatial_perception.messages.stamps import shifted
from spatial_perception.messages.typestore import typestore

OFFSET_NS = 2_500_000_001


def test_leading_header_is_moved_and_all_else_stays() -> None:
    cloud = example_point_cloud()
    data = POINT_CLOUD.encode(cloud)
    moved = POINT_CLOUD.decode(shifted(POINT_CLOUD.ros_type, data, OFFSET_NS))
    assert moved.header.stamp_ns == cloud.header.stamp_ns + OFFSET_NS
    header = Header(cloud.header.stamp_ns + OFFSET_NS, cloud.header.frame_id)
    expected = POINT_CLOUD.encode(dataclasses.replace(cloud, header=header))
    assert shifted(POINT_CLOUD.ros_type, data, OFFSET_NS) == expected


def test_every_transform_is_moved() -> None:
    transforms = example_transforms()
    data = TRANSFORMS.encode(transforms)
    moved = TRANSFORMS.decode(shifted(TRANSFORMS.ros_type, data, OFFSET_NS))
    before = [t.header.stamp_ns for t in transforms.transforms]
    assert before
    assert [t.header.stamp_ns - OFFSET_NS for t in moved.transforms] == before


def test_nested_headers_are_moved_with_the_leading_one() -> None:
    found = example_detections2d()
    moved = shifted(DETECTIONS_2D.ros_type, DETECTIONS_2D.encode(found), OFFSET_NS)
    message = typestore().deserialize_cdr(moved, DETECTIONS_2D.ros_type)
    seen = {message.header.stamp.sec, *(d.header.stamp.sec for d in message.detections)}
    assert len(message.detections) > 0
    assert seen == {(found.header.stamp_ns + OFFSET_NS) // 1_000_000_000}


def test_big_endian_messages_keep_their_byte_order() -> None:
    data = IMAGE.encode(example_camera_image())
    message = typestore().deserialize_cdr(data, IMAGE.ros_type)
    big = bytes(typestore().serialize_cdr(message, IMAGE.ros_type, little_endian=False))
    moved = shifted(IMAGE.ros_type, big, OFFSET_NS)
    assert moved[:4] == big[:4]
    assert IMAGE.decode(moved).header.stamp_ns == IMAGE.decode(data).header.stamp_ns + OFFSET_NS


@pytest.mark.parametrize("ros_type", [LATENCY.ros_type, "their_msgs/msg/Unknown"])
def test_messages_without_a_known_header_come_back_as_they_are(ros_type: str) -> None:
    data = b"\x00\x01\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08"
    assert shifted(ros_type, data, OFFSET_NS) is data


@pytest.mark.parametrize(
    ("data", "offset_ns"),
    [(b"\x00\x01\x00\x00\x01", 1), (IMAGE.encode(example_camera_image()), 2**62)],
)
def test_what_cannot_be_moved_is_a_decode_error(data: bytes, offset_ns: int) -> None:
    with pytest.raises(DecodeError):
        shifted(IMAGE.ros_type, data, offset_ns)
