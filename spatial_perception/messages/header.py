"""Headers, stamps and durations between core and ROS."""

from __future__ import annotations

from rosbags.typesys.stores.ros2_jazzy import builtin_interfaces__msg__Duration as DurationMessage
from rosbags.typesys.stores.ros2_jazzy import builtin_interfaces__msg__Time as TimeMessage
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Header as HeaderMessage

from spatial_perception.core.header import Header
from spatial_perception.core.transforms import NS_PER_S


def decode_header(message: HeaderMessage) -> Header:
    """Returns the core header of a std_msgs/Header."""
    return Header(decode_time(message.stamp), message.frame_id.lstrip("/"))


def encode_header(header: Header) -> HeaderMessage:
    """Returns the std_msgs/Header of a core header."""
    return HeaderMessage(stamp=encode_time(header.stamp_ns), frame_id=header.frame_id)


def decode_time(message: TimeMessage) -> int:
    """Returns a builtin_interfaces/Time in nanoseconds."""
    return message.sec * NS_PER_S + message.nanosec


def encode_time(stamp_ns: int) -> TimeMessage:
    """Returns the builtin_interfaces/Time of a stamp in nanoseconds."""
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return TimeMessage(sec=sec, nanosec=nanosec)


def decode_duration(message: DurationMessage) -> float:
    """Returns a builtin_interfaces/Duration in seconds."""
    return message.sec + message.nanosec / NS_PER_S


def encode_duration(duration_s: float) -> DurationMessage:
    """Returns the builtin_interfaces/Duration of seconds."""
    sec, nanosec = divmod(round(duration_s * NS_PER_S), NS_PER_S)
    return DurationMessage(sec=sec, nanosec=nanosec)
