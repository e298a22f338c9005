"""Values of several inputs that belong together because they carry the same stamp."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

NS_PER_MS = 1_000_000


class StampSynchronizer:
    """Collects one value per input and stamp, and hands out the complete sets.

    Args:
        ports: names of the inputs that make a set.
        max_wait_ms: an incomplete set is given up once a stamp arrives that is later by more
            than this; the wait is measured in stamps, never on a clock.
    """

    def __init__(self, ports: tuple[str, ...], max_wait_ms: float = 200.0) -> None:
        self._ports = ports
        self._max_wait_ns = int(max_wait_ms * NS_PER_MS)
        self._pending: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def add(self, port: str, stamp_ns: int, value: object) -> tuple[dict[str, Any] | None, int]:
        """Returns the set that this value completes, if any, and how many sets were given up."""
        group = self._pending.setdefault(stamp_ns, {})
        group[port] = value
        complete = None
        if len(group) == len(self._ports):
            complete = self._pending.pop(stamp_ns)
        return complete, self._expire(stamp_ns)

    def clear(self) -> int:
        """Forgets the incomplete sets and returns how many there were."""
        count = len(self._pending)
        self._pending.clear()
        return count

    def _expire(self, newest_ns: int) -> int:
        late = [stamp for stamp in self._pending if stamp < newest_ns - self._max_wait_ns]
        for stamp in late:
            del self._pending[stamp]
        return len(late)
