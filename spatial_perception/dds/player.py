"""Playing recorded messages on DDS, at their pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.dds.overrides import Policies, with_policies
from spatial_perception.dds.participant import Participant
from spatial_perception.dds.pubsub import Publisher, TopicType
from spatial_perception.errors import DecodeError
from spatial_perception.messages import QosProfile
from spatial_perception.messages.clock import CLOCK_TYPE, encode_clock
from spatial_perception.messages.stamps import shifted
from spatial_perception.messages.typestore import is_known, to_little_endian

NODE = "player"
CLOCK_TOPIC = "/clock"
STATIC_TOPIC = "tf_static"
DEPTH = 100
SETTLE_S = 0.3
"""The other side of a match may see it that much later; until then it misses what is published."""
_POLL_S = 0.02
_RETRY_S = 0.5


class Message(Protocol):
    """A recorded message."""

    @property
    def topic(self) -> str:
        """Recorded name of the topic."""

    @property
    def log_time_ns(self) -> int:
        """When it was recorded."""

    @property
    def data(self) -> bytes:
        """CDR bytes."""


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a recording is played.

    Attributes:
        rate: speed as a multiple of the recorded one.
        loops: how often it is played; 0 for ever.
        clock_hz: how often the recorded time goes out on /clock; 0 for never.
        delay_s: waited before the first message.
        restamp: header stamps move with the log times to the time of playing.
    """

    rate: float = 1.0
    loops: int = 1
    clock_hz: float = 0.0
    delay_s: float = 0.0
    restamp: bool = False


@dataclass(frozen=True, slots=True)
class PlaySummary:
    """What was played: messages by topic, and whether it ended by itself."""

    counts: dict[str, int]
    left_out: dict[str, int]
    is_complete: bool


def played_qos(
    topic: str, recorded: QosProfile | None, overrides: Mapping[str, Policies]
) -> QosProfile:
    """Returns what a topic is played with.

    Everything is offered reliably, which serves best-effort subscriptions too, so that large
    messages are kept until they are delivered; static transforms reach those who come later.

    Args:
        topic: full name as it is played.
        recorded: the profile of its first publisher.
        overrides: see `load_play_overrides`; they have the last word.

    Raises:
        ConfigError: a bad override.
    """
    qos = replace(recorded or QosProfile(), reliable=True)
    if topic.rpartition("/")[2] == STATIC_TOPIC:
        qos = replace(qos, transient_local=True, depth=max(qos.depth, DEPTH))
    elif not qos.transient_local and qos.depth:
        qos = replace(qos, depth=max(qos.depth, DEPTH))
    return with_policies(qos, overrides.get(topic, {}), topic)


class Player:
    """Publishes recorded messages.

    Args:
        participant: the node `player` appears on it.
        topics: topic and profile to publish with, by recorded name.
        options: pace, repetitions, clock.
    """

    def __init__(
        self,
        participant: Participant,
        topics: Mapping[str, tuple[TopicType, QosProfile]],
        options: PlayOptions | None = None,
    ) -> None:
        self._options = options or PlayOptions()
        participant.add_node(NODE)
        self._publishers = {
            recorded: participant.publish_on(NODE, what, qos, keep_all=qos.reliable)
            for recorded, (what, qos) in topics.items()
        }
        self._clock: _Clock | None = None
        if self._options.clock_hz:
            what, qos = TopicType(CLOCK_TOPIC, CLOCK_TYPE), QosProfile(reliable=False, depth=1)
            publisher = participant.publish_on(NODE, what, qos)
            self._clock = _Clock(publisher, self._options.clock_hz)
        self._counts = dict.fromkeys(topics, 0)
        self._left_out: dict[str, int] = {}

    def unmatched(self) -> list[str]:
        """Returns the topics that nobody subscribes to now."""
        return [p.what.topic for p in self._publishers.values() if not p.matched]

    def wait_for_subscribers(self, timeout_s: float, end: threading.Event) -> list[str]:
        """Waits until every topic has a subscription; returns those that still have none."""
        end_s = time.monotonic() + timeout_s
        while self.unmatched() and time.monotonic() < end_s and not end.wait(_POLL_S):
            pass
        missing = self.unmatched()
        if not missing:
            end.wait(SETTLE_S)
        return missing

    def play(
        self,
        messages: Callable[[], Iterable[Message]],
        end: threading.Event,
        progress: Callable[[int], None] = lambda count: None,
    ) -> PlaySummary:
        """Returns what was played once the recording, or its last repetition, is at its end.

        Args:
            messages: starts reading anew, in the order of log times.
            end: stops it early.
            progress: called with the number of messages so far.
        """
        end.wait(self._options.delay_s)
        lap, total = 0, 0
        while not end.is_set() and (self._options.loops == 0 or lap < self._options.loops):
            lap += 1
            played = self._play_once(messages(), end, progress, total)
            if played == 0:
                break
            total += played
        if self._clock is not None:
            self._clock.stop()
        return PlaySummary(self._counts, self._left_out, not end.is_set())

    def wait_for_acks(self, timeout_s: float, end: threading.Event) -> bool:
        """Returns whether all reliable subscriptions have everything, within a time."""
        end_s = time.monotonic() + timeout_s
        waiting = list(self._publishers.values())
        while waiting and time.monotonic() < end_s and not end.is_set():
            waiting = [p for p in waiting if not p.wait_for_acks(_POLL_S)]
        return not waiting

    def _play_once(
        self,
        messages: Iterable[Message],
        end: threading.Event,
        progress: Callable[[int], None],
        total: int,
    ) -> int:
        pace: _Pace | None = None
        count = 0
        for message in messages:
            pace = pace or _Pace(message.log_time_ns, self._options.rate)
            if self._clock is not None:
                self._clock.follow(pace, message.log_time_ns)
            if end.wait(max(0.0, pace.seconds_until(message.log_time_ns))):
                break
            shift_ns = pace.shift_ns(message.log_time_ns) if self._options.restamp else 0
            self._publish(message, shift_ns, end)
            count += 1
            progress(total + count)
        return count

    def _publish(self, message: Message, shift_ns: int, end: threading.Event) -> None:
        publisher = self._publishers[message.topic]
        data = _native(message.data, publisher.what.ros_type, shift_ns)
        if data is None:
            self._left_out[message.topic] = self._left_out.get(message.topic, 0) + 1
            return
        while not publisher.publish(data, _RETRY_S):
            if end.is_set():
                return
        self._counts[message.topic] += 1


class _Pace:
    """Recorded time against the running one."""

    def __init__(self, start_ns: int, rate: float) -> None:
        self._start_ns, self._rate = start_ns, rate
        self._start_s, self._start_wall_ns = time.monotonic(), time.time_ns()

    def shift_ns(self, log_time_ns: int) -> int:
        """Returns how much later than recorded it is due; at recorded speed always the same."""
        elapsed_ns = log_time_ns - self._start_ns
        return self._start_wall_ns + round(elapsed_ns / self._rate) - log_time_ns

    def seconds_until(self, log_time_ns: int) -> float:
        due_s = (log_time_ns - self._start_ns) / NS_PER_S / self._rate
        return self._start_s + due_s - time.monotonic()

    def now_ns(self) -> int:
        elapsed_s = (time.monotonic() - self._start_s) * self._rate
        return self._start_ns + int(elapsed_s * NS_PER_S)


class _Clock:
    """Publishes the recorded time in a thread; it never runs ahead of the next message."""

    def __init__(self, publisher: Publisher, rate_hz: float) -> None:
        self._publisher = publisher
        self._period_s = 1.0 / rate_hz
        self._state: tuple[_Pace, int] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def follow(self, pace: _Pace, next_ns: int) -> None:
        self._state = (pace, next_ns)

    def stop(self) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self._period_s):
            if self._state is not None:
                pace, next_ns = self._state
                self._publisher.publish(encode_clock(min(pace.now_ns(), next_ns)), timeout_s=0.0)


def _native(data: bytes, ros_type: str, shift_ns: int) -> bytes | None:
    """Returns bytes in the order that DDS passes through, None where they cannot be turned round.

    cyclonedds marks every message of a raw type as little-endian.

    Args:
        data: as recorded.
        ros_type: `package/msg/Name`.
        shift_ns: added to the stamps.
    """
    try:
        if len(data) > 1 and data[1] & 1:
            return shifted(ros_type, data, shift_ns)
        if not is_known(ros_type):
            return None
        return shifted(ros_type, to_little_endian(data, ros_type), shift_ns)
    except DecodeError:
        return None
