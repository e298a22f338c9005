"""CDR bytes pass DDS untouched, whatever their type and content."""

import numpy as np
import pytest

from spatial_perception.core import PointCloud, examples
from spatial_perception.messages import POINT_CLOUD

from .network import Peer, wait_until

UNKNOWN = "acme_msgs/msg/Radar"


def passed(peer: Peer, ros_type: str, data: bytes) -> bytes:
    found = peer.collect("/data", ros_type)
    peer.publisher("/data", ros_type).publish(data)
    wait_until(lambda: found)
    return found[0]


def test_a_large_cloud_arrives_with_the_same_bytes(peer: Peer) -> None:
    points = np.random.default_rng(0).normal(0, 20, (120_000, 3)).astype(np.float32)
    data = POINT_CLOUD.encode(PointCloud(examples.example_header(), points))
    assert passed(peer, POINT_CLOUD.ros_type, data) == data + bytes(-len(data) % 4)


@pytest.mark.parametrize("body", [b"", b"\x01", b"\xff" * 40], ids=["none", "one", "garbage"])
def test_unknown_types_and_broken_messages_arrive_filled_up_to_words(
    peer: Peer, body: bytes
) -> None:
    data = b"\x00\x01\x00\x00" + body
    assert passed(peer, UNKNOWN, data) == data + bytes(-len(data) % 4)


def test_messages_keep_their_order(peer: Peer) -> None:
    found = peer.collect("/data", UNKNOWN)
    publisher = peer.publisher("/data", UNKNOWN)
    sent = [b"\x00\x01\x00\x00" + index.to_bytes(4, "little") for index in range(100)]
    for data in sent:
        assert publisher.publish(data)
    wait_until(lambda: len(found) == len(sent))
    assert found == sent
