"""Types of which the middleware knows the name alone, and samples that are CDR bytes untouched.

cyclonedds's own classes turn every element of a sequence into a Python object: 50 ms and more for a
cloud of 1.9 MB. Here the bytes of a message go to the C library, and come from it, as they are. Its
functions are called by ctypes, which lets other threads run while a write waits for its readers.
"""

# No `from __future__ import annotations`: cyclonedds's types break under it.
import ctypes
from functools import cache
from typing import Any

from cyclonedds.core import DDSException
from cyclonedds.idl import IdlStruct, make_idl_struct
from cyclonedds.internal import DDS, dds_c_t

from spatial_perception.dds.names import dds_type
from spatial_perception.errors import PerceptionError

_WORD = 4
_LIBRARY = DDS._dll_handle
_write: Any = _LIBRARY["dds_write"]
_write.argtypes = (ctypes.c_int32, ctypes.c_void_p)
_take: Any = _LIBRARY["dds_take"]
_take.argtypes = (
    *(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p),
    *(ctypes.c_size_t, ctypes.c_uint32),
)
_free: Any = _LIBRARY["dds_free"]
_free.argtypes = (ctypes.c_void_p,)
_free.restype = None
_delete: Any = _LIBRARY["dds_delete"]
_delete.argtypes = (ctypes.c_int32,)
_wait_for_acks: Any = _LIBRARY["dds_wait_for_acks"]
_wait_for_acks.argtypes = (ctypes.c_int32, ctypes.c_int64)
_NOTHING = make_idl_struct("Nothing", "spatial_perception.dds.Nothing", {})


class _Sample(ctypes.Structure):
    """How cyclonedds's Python types hold a serialized sample."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


@cache
def raw_type(ros_type: str) -> type[IdlStruct]:
    """Returns the class under which a ROS type, known or not, is announced.

    It has no content, so that the middleware checks nothing of it: broken messages arrive, and the
    decoder says what is wrong with them. Its one field, of no bytes, bears the type's name: Cyclone
    DDS compares structures, not names, and would match a picture with a cloud.
    """
    name = dds_type(ros_type)
    made: type[IdlStruct] = make_idl_struct(
        name.rpartition("::")[2], name.replace("::", "."), {name.replace("::", "_"): _NOTHING}
    )
    return made


def write(writer: int, data: bytes) -> bool:
    """Writes CDR bytes; returns whether there was room for them in time.

    Args:
        writer: handle of a writer of a raw type.
        data: with the encapsulation; filled up with zeros to whole words, as ROS does.

    Raises:
        PerceptionError: the middleware refuses, for example because the writer is gone.
    """
    data += bytes(-len(data) % _WORD)
    pointer = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
    sample = _Sample(pointer, len(data))
    code = _write(writer, ctypes.byref(sample))
    if code == DDSException.DDS_RETCODE_TIMEOUT:
        return False
    _check(code, "cannot be written")
    return True


def take(reader: int) -> bytes | None:
    """Returns the next CDR bytes; empty for a sample without data, None where nothing waits.

    Args:
        reader: handle of a reader of a raw type.

    Raises:
        PerceptionError: the middleware refuses, for example because the reader is gone.
    """
    sample, info = _Sample(), dds_c_t.sample_info()
    pointers = (ctypes.c_void_p * 1)(ctypes.addressof(sample))
    count = _take(reader, pointers, ctypes.byref(info), 1, 1)
    _check(count, "cannot be read")
    if count == 0:
        return None
    data = ctypes.string_at(sample.data, sample.size) if sample.data else b""
    _free(sample.data)
    return data if info.valid_data else b""


def wait_for_acks(writer: int, timeout_ns: int) -> bool:
    """Returns whether all reliable readers have all that was written, within a time."""
    code = _wait_for_acks(writer, timeout_ns)
    if code == DDSException.DDS_RETCODE_TIMEOUT:
        return False
    _check(code, "cannot be waited for")
    return True


def delete(entity: int) -> None:
    """Deletes an entity and all that belongs to it; nothing where it is gone already."""
    _delete(entity)


def _check(code: int, what: str) -> None:
    if code < 0:
        raise PerceptionError(f"a DDS sample {what} ({DDSException(code, '').msg.strip()})")
