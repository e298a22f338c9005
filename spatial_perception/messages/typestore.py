"""The message types in use, and the way between their objects and CDR bytes."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.base import TypesysError

from spatial_perception.errors import DecodeError
from spatial_perception.messages.autoware_msgs import AUTOWARE_CLASSES, AUTOWARE_DEFINITIONS
from spatial_perception.messages.vision_msgs import VISION_CLASSES, VISION_DEFINITIONS

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

MessageT = TypeVar("MessageT")


@cache
def typestore() -> Typestore:
    """Returns ROS 2 Jazzy's message types with those of vision_msgs and Autoware in use."""
    store = get_typestore(Stores.ROS2_JAZZY)
    fields = {}
    for name, text in {**VISION_DEFINITIONS, **AUTOWARE_DEFINITIONS}.items():
        fields.update(get_types_from_msg(text, name))
    store.register(fields)
    store.types.update({cls.__msgtype__: cls for cls in (*VISION_CLASSES, *AUTOWARE_CLASSES)})
    return store


def deserialize(data: bytes | memoryview, message_class: type[MessageT]) -> MessageT:
    """Returns the message in `data`; its arrays are views into `data`.

    Args:
        data: CDR bytes of either byte order, with their 4 bytes of encapsulation.
        message_class: A message class of the typestore.

    Raises:
        DecodeError: The bytes are no complete message of that class.
    """
    name: str = message_class.__msgtype__  # type: ignore[attr-defined]
    try:
        message = typestore().deserialize_cdr(memoryview(data).cast("B"), name)
    except (SerdeError, ValueError, IndexError, OverflowError, struct.error) as error:
        reason = " ".join(str(error).split())
        raise DecodeError(f"{name}: {len(data)} bytes are no such message ({reason})") from error
    assert isinstance(message, message_class)
    return message


def serialize(message: object) -> bytes:
    """Returns the little-endian CDR bytes of a message object of the typestore."""
    name: str = message.__msgtype__  # type: ignore[attr-defined]
    return bytes(typestore().serialize_cdr(message, name, little_endian=True))


def is_known(ros_type: str) -> bool:
    """Returns whether the typestore has `ros_type`, written as `package/msg/Name`."""
    return ros_type in typestore().fielddefs


def definition_text(ros_type: str) -> str:
    """Returns the full definition of a known type (`ros2msg`), as MCAP files carry it."""
    return typestore().generate_msgdef(ros_type, ros_version=2)[0]


def type_hash(ros_type: str) -> str:
    """Returns the type hash (REP-2016, `RIHS01_...`) of a known type."""
    return typestore().hash_rihs01(ros_type)


def hash_of_definition(ros_type: str, definition: str) -> str:
    """Returns the type hash of a type that only its full `ros2msg` definition describes.

    An empty string where there is no text or it cannot be parsed.
    """
    if not definition:
        return ""
    store = get_typestore(Stores.EMPTY)
    try:
        store.register(get_types_from_msg(definition, ros_type))
        return store.hash_rihs01(ros_type)
    except (TypesysError, KeyError):
        return ""


def to_little_endian(data: bytes | memoryview, ros_type: str) -> bytes:
    """Returns a message of a known type as little-endian CDR bytes.

    Raises:
        DecodeError: the bytes are no complete message of that type.
    """
    return serialize(deserialize(data, typestore().types[ros_type]))
