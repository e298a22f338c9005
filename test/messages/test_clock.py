"""Simulated time."""

import pytest

from spatial_perception.errors import DecodeError
from spatial_perception.messages.clock import decode_clock, encode_clock


@pytest.mark.parametrize("time_ns", [0, 1, 1_700_000_000_123_456_789])
def test_time_survives_the_wire(time_ns: int) -> None:
    assert decode_clock(encode_clock(time_ns)) == time_ns


def test_seconds_and_nanoseconds_lie_where_ros_has_them() -> None:
    assert encode_clock(5_000_000_007) == bytes([0, 1, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0])


def test_cut_off_bytes_are_refused() -> None:
    with pytest.raises(DecodeError):
        decode_clock(encode_clock(1)[:8])
