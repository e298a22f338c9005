"""A second input that belongs to the first by stamp, but may be late or never come."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from spatial_perception.stages.transforms import Stamped

V = TypeVar("V", bound=Stamped)


class Partner(Generic[V]):
    """The last values of an input, and whether one for a stamp may still come.

    Args:
        max_offset_ns: values farther away in stamps are no partner.
        lost_after_ns: an input that is silent for so long is not waited for.
        length: how many values are kept.
    """

    def __init__(self, max_offset_ns: int, lost_after_ns: int, length: int = 16) -> None:
        self._max_offset_ns = max_offset_ns
        self._lost_after_ns = lost_after_ns
        self._values: deque[V] = deque(maxlen=length)
        self.newest_ns: int | None = None

    def add(self, value: V) -> None:
        """Takes a value."""
        self._values.append(value)
        self.newest_ns = max(self.newest_ns or 0, value.header.stamp_ns)

    def nearest(self, stamp_ns: int) -> V | None:
        """Returns the value nearest in time, None where none is near enough."""
        best = min(self._values, key=lambda v: abs(v.header.stamp_ns - stamp_ns), default=None)
        if best is None or abs(best.header.stamp_ns - stamp_ns) > self._max_offset_ns:
            return None
        return best

    def may_come(self, stamp_ns: int, now_ns: int) -> bool:
        """Returns whether waiting can still bring a partner for a stamp.

        Args:
            stamp_ns: of the value that waits.
            now_ns: newest stamp of any input.
        """
        if self.newest_ns is None or self.is_lost(now_ns):
            return False
        return self.newest_ns < stamp_ns and self.nearest(stamp_ns) is None

    def is_lost(self, stamp_ns: int) -> bool:
        """Returns whether the input is silent, measured at a stamp of another one."""
        return self.newest_ns is None or self.newest_ns < stamp_ns - self._lost_after_ns

    def forget(self, stamp_ns: int) -> None:
        """Forgets the values up to a stamp."""
        while self._values and self._values[0].header.stamp_ns <= stamp_ns:
            self._values.popleft()

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        self.newest_ns = None
