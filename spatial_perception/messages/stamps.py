"""Stamps inside of serialized messages, moved in time: a bag that goes on where it ended."""

from __future__ import annotations

import dataclasses
import struct
from functools import cache
from typing import Any

from rosbags.interfaces import Nodetype

from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.errors import DecodeError
from spatial_perception.messages.typestore import deserialize, is_known, serialize, typestore

HEADER = "std_msgs/msg/Header"
_STAMP_OFFSET = 4  # after the encapsulation
_STAMP_SIZE = 8


def shifted(ros_type: str, data: bytes, offset_ns: int) -> bytes:
    """Returns a message whose header stamps, nested ones too, are later by an offset.

    Types that the typestore does not know, and types without a header, come back as they are.

    Args:
        ros_type: `package/msg/Name`.
        data: CDR bytes.
        offset_ns: nanoseconds, may be negative.

    Raises:
        DecodeError: the bytes are no message of that type, or a stamp would leave its range.
    """
    if not offset_ns or not is_known(ros_type) or not _has_header(ros_type):
        return data
    if not _is_leading_alone(ros_type):
        message = deserialize(data, typestore().types[ros_type])
        return serialize(_shifted_message(message, offset_ns))
    if len(data) < _STAMP_OFFSET + _STAMP_SIZE:
        raise DecodeError(f"{ros_type}: {len(data)} bytes hold no header")
    form = "<iI" if data[1] & 1 else ">iI"
    seconds, nanoseconds = struct.unpack_from(form, data, _STAMP_OFFSET)
    stamp = struct.pack(form, *_later(seconds, nanoseconds, offset_ns))
    return data[:_STAMP_OFFSET] + stamp + data[_STAMP_OFFSET + _STAMP_SIZE :]


def _later(seconds: int, nanoseconds: int, offset_ns: int) -> tuple[int, int]:
    later = divmod(seconds * NS_PER_S + nanoseconds + offset_ns, NS_PER_S)
    if not -(2**31) <= later[0] < 2**31:
        raise DecodeError(f"a stamp of {later[0]} s does not fit into a message")
    return later


def _shifted_message(value: Any, offset_ns: int) -> Any:
    """Returns a copy of a message object (or list of them) with later stamps."""
    if isinstance(value, list):
        return [_shifted_message(item, offset_ns) for item in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    if getattr(value, "__msgtype__", "") == HEADER:
        stamp = value.stamp  # type: ignore[attr-defined]
        sec, nanosec = _later(stamp.sec, stamp.nanosec, offset_ns)
        later = dataclasses.replace(stamp, sec=sec, nanosec=nanosec)
        return dataclasses.replace(value, stamp=later)
    parts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
    return dataclasses.replace(
        value, **{name: _shifted_message(part, offset_ns) for name, part in parts.items()}
    )


@cache
def _has_header(ros_type: str) -> bool:
    return any(name == HEADER or _has_header(name) for name in _parts(ros_type))


@cache
def _is_leading_alone(ros_type: str) -> bool:
    """Returns whether the one header of a type stands at its very beginning."""
    first, *others = _parts(ros_type)
    fields = typestore().fielddefs[ros_type][1]
    is_first = fields[0][1] == (Nodetype.NAME, HEADER)
    return is_first and first == HEADER and not any(o == HEADER or _has_header(o) for o in others)


def _parts(ros_type: str) -> list[str]:
    """Returns the message types of a type's fields, in order."""
    names = []
    for _, (kind, detail) in typestore().fielddefs[ros_type][1]:
        item: Any = detail[0] if kind in (Nodetype.ARRAY, Nodetype.SEQUENCE) else (kind, detail)
        if item[0] == Nodetype.NAME:
            names.append(str(item[1]))
    return names
