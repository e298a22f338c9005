"""Types, definitions and hashes."""

from __future__ import annotations

import pytest

from spatial_perception.errors import DecodeError
from spatial_perception.messages import CODECS
from spatial_perception.messages.typestore import (
    definition_text,
    deserialize,
    hash_of_definition,
    is_known,
    type_hash,
)
from spatial_perception.messages.vision_msgs import LabelInfo


@pytest.mark.parametrize(
    ("ros_type", "published"),
    [  # as `ros2 topic info -v` shows them on ROS 2 Jazzy
        (
            "sensor_msgs/msg/PointCloud2",
            "9198cabf7da3796ae6fe19c4cb3bdd3525492988c70522628af5daa124bae2b5",
        ),
        (
            "vision_msgs/msg/Detection3DArray",
            "793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
        ),
        (
            "visualization_msgs/msg/MarkerArray",
            "86cb8800b6fb05b5eff1abd7a56f62a5641d3ae9a1c29e78e67e704f1d067dcf",
        ),
    ],
)
def test_type_hashes_are_the_published_ones(ros_type: str, published: str) -> None:
    assert type_hash(ros_type) == f"RIHS01_{published}"


@pytest.mark.parametrize("ros_type", sorted({codec.ros_type for codec in CODECS}))
def test_the_hash_of_a_definition_is_that_of_its_type(ros_type: str) -> None:
    assert hash_of_definition(ros_type, definition_text(ros_type)) == type_hash(ros_type)


def test_definitions_hold_the_types_they_use() -> None:
    text = definition_text("vision_msgs/msg/Detection2DArray")
    assert text.startswith("std_msgs/Header header\nvision_msgs/Detection2D[] detections\n")
    assert "\nMSG: geometry_msgs/PoseWithCovariance\n" in text


def test_an_unreadable_definition_has_no_hash() -> None:
    assert hash_of_definition("a/msg/B", "") == ""
    assert hash_of_definition("a/msg/B", "float64[ x") == ""


def test_unknown_types_are_not_known() -> None:
    assert is_known("vision_msgs/msg/LabelInfo")
    assert not is_known("nobody_msgs/msg/Nothing")


def test_bytes_of_another_message_are_refused_by_name() -> None:
    with pytest.raises(DecodeError, match="vision_msgs/msg/LabelInfo: 12 bytes are no such"):
        deserialize(bytes([0, 1, 0, 0]) + b"\xff" * 8, LabelInfo)
