"""Diagnostics as diagnostic_msgs/DiagnosticArray, and Latency as std_msgs/Float64."""

from __future__ import annotations

from rosbags.typesys.stores.ros2_jazzy import (
    diagnostic_msgs__msg__DiagnosticArray as DiagnosticArrayMessage,
)
from rosbags.typesys.stores.ros2_jazzy import (
    diagnostic_msgs__msg__DiagnosticStatus as DiagnosticStatusMessage,
)
from rosbags.typesys.stores.ros2_jazzy import diagnostic_msgs__msg__KeyValue as KeyValueMessage
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Float64 as Float64Message

from spatial_perception.core.diagnostics import DiagnosticLevel, Diagnostics, DiagnosticStatus
from spatial_perception.core.measurement import Latency
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize


def encode_diagnostics(diagnostics: Diagnostics) -> bytes:
    """Returns a DiagnosticArray of all statuses."""
    statuses = [
        DiagnosticStatusMessage(
            level=int(status.level),
            name=status.name,
            message=status.message,
            hardware_id=status.hardware_id,
            values=[KeyValueMessage(key=key, value=text) for key, text in status.values.items()],
        )
        for status in diagnostics.statuses
    ]
    return serialize(
        DiagnosticArrayMessage(header=encode_header(diagnostics.header), status=statuses)
    )


def decode_diagnostics(data: bytes | memoryview) -> Diagnostics:
    """Returns the statuses in the bytes of a DiagnosticArray.

    Raises:
        DecodeError: No DiagnosticArray, or a level other than OK, WARN, ERROR and STALE.
    """
    message = deserialize(data, DiagnosticArrayMessage)
    statuses = tuple(
        DiagnosticStatus(
            name=status.name,
            level=DiagnosticLevel(status.level),
            message=status.message,
            hardware_id=status.hardware_id,
            values={item.key: item.value for item in status.values},
        )
        for status in message.status
    )
    return Diagnostics(header=decode_header(message.header), statuses=statuses)


def encode_latency(latency: Latency) -> bytes:
    """Returns a Float64 of milliseconds."""
    return serialize(Float64Message(data=latency.milliseconds))


def decode_latency(data: bytes | memoryview) -> Latency:
    """Returns the milliseconds in the bytes of a Float64.

    Raises:
        DecodeError: No Float64.
    """
    return Latency(deserialize(data, Float64Message).data)


DIAGNOSTICS: Codec[Diagnostics] = make_codec(
    "diagnostic_msgs/msg/DiagnosticArray", Diagnostics, decode_diagnostics, encode_diagnostics
)
LATENCY: Codec[Latency] = make_codec(
    "std_msgs/msg/Float64", Latency, decode_latency, encode_latency
)
