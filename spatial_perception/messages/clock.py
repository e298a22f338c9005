"""rosgraph_msgs/msg/Clock: simulated time."""

from __future__ import annotations

from rosbags.typesys.stores.ros2_jazzy import rosgraph_msgs__msg__Clock as Clock

from spatial_perception.messages.header import decode_time, encode_time
from spatial_perception.messages.typestore import deserialize, serialize

CLOCK_TYPE = Clock.__msgtype__


def encode_clock(time_ns: int) -> bytes:
    """Returns the CDR bytes of a time, nanoseconds since the epoch."""
    return serialize(Clock(encode_time(time_ns)))


def decode_clock(data: bytes | memoryview) -> int:
    """Returns the time, nanoseconds since the epoch.

    Raises:
        DecodeError: the bytes are no complete message.
    """
    return decode_time(deserialize(data, Clock).clock)
