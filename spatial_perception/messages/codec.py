"""A codec: the pair of functions between a core type and one ROS message on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from spatial_perception.errors import DecodeError, PerceptionError

CoreT = TypeVar("CoreT")


@dataclass(frozen=True, slots=True)
class Codec(Generic[CoreT]):
    """CDR bytes of one ROS type to a core type and back.

    Attributes:
        ros_type: `package/msg/Name`.
        core_type: What `decode` returns and `encode` takes.
        decode: CDR bytes to a core value. Raises DecodeError, and nothing else, on bad bytes.
        encode: A core value to CDR bytes; equal values give equal bytes.
    """

    ros_type: str
    core_type: type[CoreT]
    decode: Callable[[bytes | memoryview], CoreT]
    encode: Callable[[CoreT], bytes]


def make_codec(
    ros_type: str,
    core_type: type[CoreT],
    decode: Callable[[bytes | memoryview], CoreT],
    encode: Callable[[CoreT], bytes],
) -> Codec[CoreT]:
    """Returns a codec whose `decode` reports every complaint about the content as DecodeError."""

    def checked_decode(data: bytes | memoryview) -> CoreT:
        try:
            # Numbers beyond float32 become infinite, which the decoders look for themselves.
            with np.errstate(over="ignore", invalid="ignore"):
                return decode(data)
        except DecodeError:
            raise
        except (PerceptionError, ValueError, TypeError, OverflowError, MemoryError) as error:
            reason = " ".join(str(error).split())
            raise DecodeError(f"{ros_type}: {reason}") from error

    return Codec(ros_type, core_type, checked_decode, encode)
