"""rosgraph_msgs/msg/Clock: simulated time."""

from __future__ import annotations

from rosbags.typesys.stores.ros2_jazzy import builtin_interfaces__msg__Time as Time
from rosbags.typesys.stores.ros2_jazzy import rosgraph_msgs__msg__Clock as Clock

from spatial_perception.messages.typestore import deserialize, serialize

CLOCK_TYPE = Clock.__msgtype__
_NS_PER_S = 1_000_000_000


def encode_clock(time_ns: int) -> bytes:
    """Returns the CDR bytes of a time, nanoseconds since the epoch."""
    sec, nanosec = divmod(time_ns, _NS_PER_S)
    return serialize(Clock(Time(sec, nanosec)))


def decode_clock(data: bytes | memoryview) -> int:
    """Returns the time, nanoseconds since the epoch.

    Raises:
        DecodeError: the bytes are no complete message.
    """
    time = deserialize(data, Clock).clock
    return time.sec * _NS_PER_S + time.nanosec
