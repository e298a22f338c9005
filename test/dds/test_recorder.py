"""Recording: what is published, as it is offered, new topics as they show up."""

import threading
from collections.abc import Callable

import pytest

from spatial_perception.dds.endpoints import Offer
from spatial_perception.dds.pubsub import Publisher, TopicType
from spatial_perception.dds.recorder import Recorder, RecordOptions, RecordSummary, adapted_qos
from spatial_perception.messages import LATENCY, QosProfile

from .network import Peer, wait_until

KIND, UNKNOWN = LATENCY.ros_type, "acme_msgs/msg/Radar"
HASH = "RIHS01_" + "ab" * 32
MESSAGE = b"\x00\x01\x00\x00" + bytes(8)
LATCHED = QosProfile(transient_local=True, depth=7)


class Sink:
    def __init__(self) -> None:
        self.declared: dict[str, tuple[TopicType, QosProfile]] = {}
        self.written: list[tuple[str, int, bytes]] = []

    def declare(self, what: TopicType, qos: QosProfile) -> None:
        self.declared[what.topic] = (what, qos)

    def write(self, what: TopicType, log_time_ns: int, data: bytes) -> None:
        self.written.append((what.topic, log_time_ns, data))

    def flush(self) -> None:
        pass


class Recording:
    """A recorder in a thread."""

    def __init__(self, peer: Peer, **options: object) -> None:
        self.sink, self._end = Sink(), threading.Event()
        self._summary: list[RecordSummary] = []
        recorder = Recorder(peer.participant, self.sink, RecordOptions(**options))  # type: ignore
        self._thread = threading.Thread(
            target=lambda: self._summary.append(recorder.record(self._end)), daemon=True
        )
        self._thread.start()

    def finish(self, is_told: bool = True) -> RecordSummary:
        if is_told:
            self._end.set()
        self._thread.join(30.0)
        return self._summary[0]


@pytest.fixture
def record(make_peer: Callable[..., Peer]) -> Callable[..., Recording]:
    return lambda **options: Recording(make_peer("recorder"), **options)


def publish(publisher: Publisher, count: int) -> None:
    for _ in range(count):
        publisher.publish(MESSAGE)


def test_topics_are_recorded_as_they_show_up(record, peer: Peer) -> None:
    recording = record()
    publish(peer.publisher("/first", KIND), 3)
    wait_until(lambda: len(recording.sink.written) == 3)
    publish(peer.publisher("/second", KIND), 2)
    wait_until(lambda: len(recording.sink.written) == 5)
    assert recording.finish() == RecordSummary({"/first": 3, "/second": 2}, 0)
    times_ns = [log_time_ns for _, log_time_ns, _ in recording.sink.written]
    assert times_ns == sorted(times_ns)


def test_only_the_named_topics_are_recorded(record, peer: Peer) -> None:
    recording = record(topics=("/second",))
    peer.publisher("/first", KIND, wait=False)
    publish(peer.publisher("/second", KIND), 1)
    wait_until(lambda: recording.sink.written)
    assert recording.finish().counts == {"/second": 1}


def test_offered_qos_and_hash_of_an_unknown_type_are_kept(record, peer: Peer) -> None:
    what = TopicType("/radar", UNKNOWN, HASH)
    publisher = peer.participant.publish_on("peer", what, LATCHED)
    publish(publisher, 1)
    recording = record()
    wait_until(lambda: recording.sink.written)
    recording.finish()
    declared, qos = recording.sink.declared["/radar"]
    assert declared == what
    assert (qos.reliable, qos.transient_local) == (True, True)


def test_a_publisher_that_comes_back_and_offers_less_is_recorded(record, peer: Peer) -> None:
    """As a driver that is started anew with the quality of service of sensors."""
    recording = record(topics=("/first",))
    first = peer.publisher("/first", KIND, LATCHED)
    publish(first, 3)
    wait_until(lambda: len(recording.sink.written) == 3)
    peer.participant.remove(first)
    again = peer.publisher("/first", KIND, QosProfile(reliable=False))
    publish(again, 2)
    wait_until(lambda: len(recording.sink.written) == 5)
    assert recording.finish().counts == {"/first": 5}


def test_it_ends_after_so_many_messages(record, peer: Peer) -> None:
    recording = record(max_messages=4)
    publish(peer.publisher("/first", KIND), 9)
    assert recording.finish(is_told=False).counts == {"/first": 4}


def test_it_ends_after_a_while(record) -> None:
    assert record(duration_s=0.1).finish(is_told=False).counts == {}


@pytest.mark.parametrize(
    ("profiles", "reliable", "latched"),
    [
        ([LATCHED], True, True),
        ([LATCHED, QosProfile()], True, False),
        ([LATCHED, QosProfile(reliable=False)], False, False),
    ],
)
def test_subscription_matches_every_publisher(
    profiles: list[QosProfile], reliable: bool, latched: bool
) -> None:
    offers = tuple(Offer("/a", KIND, profile, "", b"") for profile in profiles)
    qos = adapted_qos(offers)
    assert (qos.reliable, qos.transient_local) == (reliable, latched)


class Flood:
    """A participant with one topic, on which a message comes for every one that is written."""

    def __init__(self) -> None:
        self.take: Callable[[bytes], None] = lambda data: None

    def add_node(self, name: str) -> None:
        pass

    def offers(self) -> dict[str, tuple[Offer, ...]]:
        return {"/flood": (Offer("/flood", KIND, QosProfile(), HASH, b""),)}

    def incompatibilities(self) -> tuple[str, ...]:
        return ()

    def subscribe_to(self, node: str, what: TopicType, qos: QosProfile, take: object) -> None:
        self.take = take  # type: ignore[assignment]
        self.take(MESSAGE)


def test_a_disk_that_never_catches_up_does_not_keep_the_recorder_from_ending() -> None:
    participant, sink, end = Flood(), Sink(), threading.Event()

    def write(what: TopicType, log_time_ns: int, data: bytes) -> None:
        sink.written.append((what.topic, log_time_ns, data))
        participant.take(MESSAGE)
        if len(sink.written) == 3:
            end.set()
        assert len(sink.written) < 10, "it goes on after it was told to end"

    sink.write = write  # type: ignore[method-assign]
    summary = Recorder(participant, sink).record(end)  # type: ignore[arg-type]
    assert summary.counts == {"/flood": len(sink.written)}
