"""When and in which frame something was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """Stamp in nanoseconds since the epoch, and the coordinate frame's name."""

    stamp_ns: int
    frame_id: str

    def in_frame(self, frame_id: str) -> Header:
        """Returns the same stamp in another frame."""
        return Header(self.stamp_ns, frame_id)
