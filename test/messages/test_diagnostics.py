"""Diagnostics and latencies against their messages."""

from __future__ import annotations

from rosbags.typesys.stores.ros2_jazzy import diagnostic_msgs__msg__DiagnosticArray as RosArray
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Float64 as Float64

from spatial_perception.core.examples import example_diagnostics
from spatial_perception.messages import DIAGNOSTICS, LATENCY
from spatial_perception.messages.typestore import typestore

from .ros import to_bytes


def test_statuses_reach_the_message() -> None:
    data = DIAGNOSTICS.encode(example_diagnostics())
    message = typestore().deserialize_cdr(data, "diagnostic_msgs/msg/DiagnosticArray")
    assert isinstance(message, RosArray)
    warning = message.status[1]
    assert (warning.level, warning.hardware_id) == (1, "cpu")
    assert [(item.key, item.value) for item in warning.values] == [("dropped_superseded", "3")]


def test_diagnostics_come_back_equal() -> None:
    assert DIAGNOSTICS.decode(DIAGNOSTICS.encode(example_diagnostics())) == example_diagnostics()


def test_a_latency_is_a_plain_float64() -> None:
    assert LATENCY.decode(to_bytes(Float64(data=3.25))).milliseconds == 3.25
