"""A second input whose values are known to be on their way before they come."""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from spatial_perception.stages.transforms import Stamped

V = TypeVar("V", bound=Stamped)

MOST_AHEAD = 128
"""Values that may be missing behind the newest announced one where nothing gets lost: twice of
what a lossless host lets one branch fall behind. Beyond that nobody makes them."""
_KEPT = 4 * MOST_AHEAD
_UNANNOUNCED = 8  # values in a row that say that nothing announces them any more
_JUDGED = 8  # announcements by which it is told whether each value has one


@dataclass(frozen=True, slots=True)
class Patience:
    """How long values are waited for, nanoseconds of stamps.

    Args:
        max_wait_ns: what waits is not held back longer.
        lost_after_ns: an input that is silent for so long is not waited for.
        max_offset_ns: values farther away in stamps are no partner.
    """

    max_wait_ns: int
    lost_after_ns: int
    max_offset_ns: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Which value belongs to a stamp.

    Args:
        expected_ns: its stamp; None where none belongs to it.
    """

    expected_ns: int | None


class AnnouncedPartner(Generic[V]):
    """Values of another input, announced by the stamps of what they are made from.

    Which value belongs to a stamp is settled by stamps alone, whatever comes first: values are
    taken to go on at their last interval, and the first one is the partner that the next one would
    not be nearer than. An input whose announcements fall silent is given up; where nothing
    announces values, or not each of them, they announce themselves.

    Args:
        patience: how long values are waited for.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._values: deque[V] = deque(maxlen=MOST_AHEAD)
        self._announced_ns: list[int] = []  # by what they are made from alone
        self._came_ns: list[int] = []
        self._known_ns: list[int] = []  # both
        self._is_sparse = False
        self.newest_ns: int | None = None

    def announce(self, stamp_ns: int) -> None:
        """Takes the stamp of a value that is being made."""
        _insert(self._announced_ns, stamp_ns)
        _insert(self._known_ns, stamp_ns)
        self._judge()

    def add(self, value: V) -> None:
        """Takes a value."""
        for stamps_ns in (self._came_ns, self._known_ns):
            _insert(stamps_ns, value.header.stamp_ns)
        self._values.append(value)
        self.newest_ns = max(self.newest_ns or 0, value.header.stamp_ns)

    def settle(self, stamp_ns: int, now_ns: int, is_certain: bool) -> Settled | None:
        """Returns which value belongs to a stamp; None while a nearer one may be announced.

        Args:
            stamp_ns: of what waits.
            now_ns: newest stamp of the input that waits.
            is_certain: whether what is announced does come, however late.
        """
        known_ns = self._expectable_ns()
        if not known_ns:
            return Settled(None)
        silent_ns = now_ns - self._patience.lost_after_ns
        announced_ns = self._announced_ns if self._is_announced(is_certain) else known_ns
        is_settled, expected_ns = self._expected(known_ns, stamp_ns)
        if is_settled and announced_ns[-1] >= silent_ns:
            return Settled(expected_ns)
        is_late = now_ns - stamp_ns > self._patience.max_wait_ns
        if is_late or announced_ns[-1] < silent_ns:
            return Settled(self._expected(announced_ns, stamp_ns)[1])
        return None

    def is_missing(self, settled: Settled, stamp_ns: int, now_ns: int, is_certain: bool) -> bool:
        """Returns whether the value that belongs to a stamp has not come, but may; see `settle`."""
        newest_ns = -1 if self.newest_ns is None else self.newest_ns
        if settled.expected_ns is None or newest_ns >= settled.expected_ns:
            return False
        known_ns = self._expectable_ns()
        missing_ns = known_ns[bisect.bisect_right(known_ns, newest_ns) :]
        if is_certain or not missing_ns:
            return 0 < len(missing_ns) <= MOST_AHEAD
        is_late = now_ns - stamp_ns > self._patience.max_wait_ns
        return not is_late and missing_ns[0] >= now_ns - self._patience.lost_after_ns

    def partner(self, settled: Settled, stamp_ns: int) -> V | None:
        """Returns the value that belongs to a stamp, or what came of those near it."""
        expected_ns = settled.expected_ns
        if expected_ns is None:
            return None
        best = min(self._values, key=lambda v: abs(v.header.stamp_ns - expected_ns), default=None)
        if best is None or abs(best.header.stamp_ns - stamp_ns) > self._patience.max_offset_ns:
            return None
        return best

    def is_lost(self, now_ns: int) -> bool:
        """Returns whether the input is silent, measured at a stamp of another one."""
        return self.newest_ns is None or self.newest_ns < now_ns - self._patience.lost_after_ns

    def clear(self) -> None:
        """Forgets everything."""
        self._values.clear()
        for stamps_ns in (self._announced_ns, self._came_ns, self._known_ns):
            stamps_ns.clear()
        self._is_sparse, self.newest_ns = False, None

    def _judge(self) -> None:
        """Notices announcements that do not come with each value, as of one a second."""
        judged_ns = self._announced_ns[-_JUDGED - 1 :]
        first, last = (bisect.bisect_left(self._came_ns, judged_ns[end]) for end in (0, -1))
        announced = len(judged_ns) - 1
        self._is_sparse = 3 * (last - first - 1) > 4 * announced

    def _expectable_ns(self) -> list[int]:
        """Returns the stamps of which values came or will come."""
        return self._came_ns if self._is_sparse else self._known_ns

    def _is_announced(self, is_certain: bool) -> bool:
        """Returns whether announcements come with the values, not once for all of them."""
        if len(self._announced_ns) < 2 or self._is_sparse:
            return False
        ahead = len(self._known_ns) - bisect.bisect_right(self._known_ns, self._announced_ns[-1])
        return is_certain or ahead <= _UNANNOUNCED

    def _expected(self, stamps_ns: list[int], stamp_ns: int) -> tuple[bool, int | None]:
        """Returns whether no later stamp can be the partner's, and the best of those known."""
        offset_ns, best_ns = self._patience.max_offset_ns, None
        for index in range(bisect.bisect_left(stamps_ns, stamp_ns - offset_ns), len(stamps_ns)):
            found_ns = stamps_ns[index]
            off_ns = abs(found_ns - stamp_ns)
            if off_ns <= offset_ns and (best_ns is None or off_ns < abs(best_ns - stamp_ns)):
                best_ns = found_ns
            interval_ns = found_ns - stamps_ns[index - 1] if index else 0
            if found_ns >= stamp_ns or (
                best_ns == found_ns and abs(found_ns + interval_ns - stamp_ns) >= off_ns
            ):
                return True, best_ns
        return False, best_ns


def _insert(stamps_ns: list[int], stamp_ns: int) -> None:
    """Puts a stamp in its place in a list of bounded length."""
    index = bisect.bisect_left(stamps_ns, stamp_ns)
    if stamps_ns[index : index + 1] != [stamp_ns]:
        stamps_ns.insert(index, stamp_ns)
        del stamps_ns[:-_KEPT]
