"""What ROS 2 itself makes of the encoded bytes."""

from __future__ import annotations

import importlib

import pytest

from .test_codec import NAMES, codec_and_bytes

serialization = pytest.importorskip("rclpy.serialization", reason="needs a real ROS 2 with rclpy")

pytestmark = pytest.mark.ros


@pytest.mark.parametrize("name", NAMES)
def test_ros_reads_the_bytes_and_writes_what_decodes_alike(name: str) -> None:
    codec, data = codec_and_bytes(name)
    package, _, message = codec.ros_type.split("/")
    try:
        message_class = getattr(importlib.import_module(f"{package}.msg"), message)
    except ImportError:
        pytest.skip(f"{package} is not installed")
    again = serialization.serialize_message(serialization.deserialize_message(data, message_class))
    assert codec.encode(codec.decode(bytes(again))) == codec.encode(codec.decode(data))
    assert str(serialization.deserialize_message(bytes(again), message_class)) == str(
        serialization.deserialize_message(data, message_class)
    )
