"""Recording topics from DDS, as publishers show up."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from spatial_perception.dds.endpoints import Offer
from spatial_perception.dds.participant import Participant
from spatial_perception.dds.pubsub import Subscription, TopicType
from spatial_perception.messages import QosProfile

NODE = "recorder"
DEPTH = 100
DISCOVERY_PERIOD_S = 0.2
FLUSH_PERIOD_S = 1.0
QUEUE_BYTES = 512 * 2**20
_LOGGER = logging.getLogger(__name__)


class Sink(Protocol):
    """Where messages go."""

    def declare(self, what: TopicType, qos: QosProfile) -> None:
        """Prepares a topic with what its first publisher offers."""

    def write(self, what: TopicType, log_time_ns: int, data: bytes) -> None:
        """Takes one message."""

    def flush(self) -> None:
        """Hands what was taken to the system, so that it outlives this process."""


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What is recorded, and for how long.

    Attributes:
        topics: full names; empty for all.
        duration_s: 0 for no limit.
        max_messages: 0 for no limit.
    """

    topics: tuple[str, ...] = ()
    duration_s: float = 0.0
    max_messages: int = 0


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """Messages by topic, and how many were lost because the sink was slow."""

    counts: dict[str, int]
    lost: int


def adapted_qos(offers: tuple[Offer, ...]) -> QosProfile:
    """Returns a profile that all publishers of a topic match: reliable, transient local if all are.

    Args:
        offers: at least one.
    """
    depths = [offer.qos.depth or DEPTH for offer in offers]
    return QosProfile(
        reliable=all(offer.qos.reliable for offer in offers),
        transient_local=all(offer.qos.transient_local for offer in offers),
        depth=max(DEPTH, *depths),
    )


class Recorder:
    """Subscribes to what is published and hands it to a sink, in the order of arrival.

    Args:
        participant: the node `recorder` appears on it.
        sink: used from the thread that calls `record`.
        options: what is recorded.
    """

    def __init__(
        self, participant: Participant, sink: Sink, options: RecordOptions | None = None
    ) -> None:
        self._participant = participant
        self._sink = sink
        self._options = options or RecordOptions()
        self._queue = _Queue(QUEUE_BYTES)
        self._counts: dict[str, int] = {}
        self._refused: set[str] = set()
        self._subscriptions: dict[str, tuple[Subscription, QosProfile]] = {}
        participant.add_node(NODE)

    def record(
        self, end: threading.Event, progress: Callable[[int], None] = lambda count: None
    ) -> RecordSummary:
        """Returns what was recorded once a limit is reached or `end` is set.

        Args:
            end: stops it.
            progress: called with the number of messages so far.
        """
        end_s = time.monotonic() + (self._options.duration_s or float("inf"))
        next_look_s = next_flush_s = 0.0
        while not end.is_set() and time.monotonic() < end_s and not self._is_full():
            if time.monotonic() >= next_look_s:
                self._look_for_topics()
                next_look_s = time.monotonic() + DISCOVERY_PERIOD_S
            if time.monotonic() >= next_flush_s:
                self._sink.flush()
                next_flush_s = time.monotonic() + FLUSH_PERIOD_S
            self._write_queued(DISCOVERY_PERIOD_S)
            progress(self._total())
        self._write_queued(0.0)
        return RecordSummary(self._counts, self._queue.lost)

    def _look_for_topics(self) -> None:
        for topic, offers in sorted(self._participant.offers().items()):
            if topic in self._counts:
                self._check_types(topic, offers)
                self._loosen(topic, offers)
            elif not self._options.topics or topic in self._options.topics:
                self._subscribe(offers)
        for text in self._participant.incompatibilities():
            _LOGGER.warning(text)

    def _subscribe(self, offers: tuple[Offer, ...]) -> None:
        first = offers[0]
        what = TopicType(first.topic, first.ros_type, first.type_hash)
        same_type = tuple(offer for offer in offers if offer.ros_type == first.ros_type)
        self._counts[what.topic] = 0
        self._sink.declare(what, first.qos)
        _LOGGER.info("%s (%s)", what.topic, what.ros_type)
        self._take(what, adapted_qos(same_type))

    def _loosen(self, topic: str, offers: tuple[Offer, ...]) -> None:
        """Subscribes anew where a publisher that came later offers less than those before."""
        subscription, now = self._subscriptions[topic]
        same_type = tuple(o for o in offers if o.ros_type == subscription.what.ros_type)
        if not same_type:
            return
        wanted = adapted_qos(same_type)
        loose = QosProfile(
            reliable=now.reliable and wanted.reliable,
            transient_local=now.transient_local and wanted.transient_local,
            depth=max(now.depth, wanted.depth),
        )
        if loose != replace(now, depth=loose.depth):
            self._participant.remove(subscription)
            self._take(subscription.what, loose)

    def _take(self, what: TopicType, profile: QosProfile) -> None:
        put = functools.partial(self._queue.put, what)
        subscription = self._participant.subscribe_to(NODE, what, profile, put)
        self._subscriptions[what.topic] = subscription, profile

    def _check_types(self, topic: str, offers: tuple[Offer, ...]) -> None:
        types = {offer.ros_type for offer in offers}
        if len(types) > 1 and topic not in self._refused:
            self._refused.add(topic)
            listed = ", ".join(sorted(types))
            _LOGGER.warning(
                "%s is published with several types (%s): one is recorded", topic, listed
            )

    def _write_queued(self, timeout_s: float) -> None:
        """Writes what waits now; waits for the first message a while.

        What comes meanwhile is left for the next time: a disk that is too slow never catches up.
        """
        for _ in range(max(1, len(self._queue))):
            if self._is_full() or (item := self._queue.get(timeout_s)) is None:
                return
            what, log_time_ns, data = item
            self._sink.write(what, log_time_ns, data)
            self._counts[what.topic] += 1
            timeout_s = 0.0

    def _is_full(self) -> bool:
        return 0 < self._options.max_messages <= self._total()

    def _total(self) -> int:
        return sum(self._counts.values())


class _Queue:
    """Messages between the receiving thread and the writing one, bounded in bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._items: deque[tuple[TopicType, int, bytes]] = deque()
        self._changed = threading.Condition()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, what: TopicType, data: bytes) -> None:
        with self._changed:
            if self._bytes and self._bytes + len(data) > self._limit_bytes:
                self.lost += 1
                return
            self._items.append((what, time.time_ns(), data))
            self._bytes += len(data)
            self._changed.notify()

    def get(self, timeout_s: float) -> tuple[TopicType, int, bytes] | None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._items, timeout_s):
                return None
            item = self._items.popleft()
            self._bytes -= len(item[2])
            return item
