"""Times of the steps of one computation."""

from __future__ import annotations

import time
from collections.abc import Callable


class Laps:
    """A stopwatch that names what has just ended; one thread at a time.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._last = clock()
        self._laps_ms: dict[str, float] = {}

    def start(self) -> None:
        """Begins a computation: what is measured of the one before is forgotten."""
        self._laps_ms = {}
        self._last = self._clock()

    def mark(self, step: str) -> None:
        """Ends a step that began at the mark before; a name that comes again adds up."""
        now = self._clock()
        self._laps_ms[step] = self._laps_ms.get(step, 0.0) + (now - self._last) * 1e3
        self._last = now

    def take(self) -> dict[str, float]:
        """Returns the steps of the last computation in milliseconds, and forgets them."""
        laps, self._laps_ms = self._laps_ms, {}
        return laps
