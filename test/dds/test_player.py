"""Playing: every message, in order, at the pace, to whoever listens."""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from spatial_perception.core import Header, Pose, StampedTransform, Transforms
from spatial_perception.core.examples import example_transforms
from spatial_perception.dds.player import Player, PlayOptions, played_qos
from spatial_perception.dds.pubsub import TopicType
from spatial_perception.messages import LATENCY, TRANSFORMS, QosProfile
from spatial_perception.messages.clock import CLOCK_TYPE, decode_clock
from spatial_perception.messages.typestore import typestore

from .network import Peer, wait_until

TOPIC, KIND = "/latency", LATENCY.ros_type
START_NS, STEP_NS = 1_700_000_000_000_000_000, 50_000_000
SENSOR = QosProfile(reliable=False, depth=1)


@dataclass(frozen=True)
class Recorded:
    topic: str
    log_time_ns: int
    data: bytes


def recording(count: int = 5, topic: str = TOPIC) -> list[Recorded]:
    return [
        Recorded(topic, START_NS + i * STEP_NS, b"\x00\x01\x00\x00" + i.to_bytes(8, "little"))
        for i in range(count)
    ]


@pytest.fixture
def play(make_peer: Callable[..., Peer]):
    """Returns a function that plays a recording and returns (received, summary, seconds)."""
    listener, source = make_peer("listener"), make_peer("source")

    def run(messages: list[Recorded], kind: str = KIND, topic: str = TOPIC, **options: float):
        found = listener.collect(topic, kind)
        clock = listener.collect("/clock", CLOCK_TYPE, SENSOR)
        plan = {messages[0].topic: (TopicType(topic, kind), played_qos(topic, SENSOR, {}))}
        player = Player(source.participant, plan, PlayOptions(**options))  # type: ignore[arg-type]
        end = threading.Event()
        assert player.wait_for_subscribers(30.0, end) == []
        start_s = time.monotonic()
        summary = player.play(lambda: messages, end)
        elapsed_s = time.monotonic() - start_s
        assert player.wait_for_acks(30.0, end)
        wait_until(lambda: len(found) >= sum(summary.counts.values()))
        return found, summary, elapsed_s, clock

    return run


def test_all_messages_come_in_order_at_the_recorded_pace(play) -> None:
    messages = recording(5)
    found, summary, elapsed_s, _ = play(messages)
    assert found == [message.data for message in messages]
    assert (summary.counts, summary.is_complete) == ({TOPIC: 5}, True)
    assert elapsed_s >= 4 * STEP_NS / 1e9 - 0.001


def test_rate_and_loops_and_another_name(play) -> None:
    messages = recording(5)
    found, summary, elapsed_s, _ = play(messages, topic="/other", rate=4.0, loops=3)
    assert found == 3 * [message.data for message in messages]
    assert elapsed_s >= 3 * 4 * STEP_NS / 1e9 / 4 - 0.001
    assert summary.counts == {TOPIC: 15}


def test_clock_is_the_recorded_time_and_never_ahead(play) -> None:
    messages = recording(20)
    *_, clock = play(messages, clock_hz=50.0)
    times_ns = [decode_clock(data) for data in clock]
    assert times_ns
    assert times_ns == sorted(times_ns)
    assert messages[0].log_time_ns <= times_ns[0]
    assert times_ns[-1] <= messages[-1].log_time_ns


def test_big_endian_messages_are_turned_round_and_unknown_ones_left_out(play) -> None:
    transforms: Transforms = example_transforms()
    little = TRANSFORMS.encode(transforms)
    store = typestore()
    big = bytes(
        store.serialize_cdr(
            store.deserialize_cdr(little, TRANSFORMS.ros_type),
            TRANSFORMS.ros_type,
            little_endian=False,
        )
    )
    found, *_ = play([Recorded("/tf", START_NS, big)], TRANSFORMS.ros_type, "/tf")
    assert found == [little + bytes(-len(little) % 4)]
    unknown = [Recorded("/radar", START_NS, b"\x00\x00\x00\x00\x00\x00\x00\x01")]
    found, summary, *_ = play(unknown, "acme_msgs/msg/Radar", "/radar")
    assert (found, summary.counts, summary.left_out) == ([], {"/radar": 0}, {"/radar": 1})


def test_waiting_for_subscribers_names_the_topics_that_have_none(peer: Peer) -> None:
    plan = {TOPIC: (TopicType(TOPIC, KIND), QosProfile())}
    player = Player(peer.participant, plan)
    assert player.wait_for_subscribers(0.1, threading.Event()) == [TOPIC]


def test_it_ends_early_when_told(peer: Peer) -> None:
    plan = {TOPIC: (TopicType(TOPIC, KIND), QosProfile())}
    player = Player(peer.participant, plan, PlayOptions(loops=0))
    end = threading.Event()
    messages = recording(3)
    summary = player.play(lambda: messages, end, lambda count: count >= 4 and end.set())
    assert summary.counts[TOPIC] >= 4
    assert not summary.is_complete


def test_qos_keeps_large_messages_and_static_transforms_and_obeys_overrides() -> None:
    assert played_qos("/points", SENSOR, {}) == QosProfile(depth=100)
    assert played_qos("/tf_static", QosProfile(depth=1), {}) == QosProfile(
        transient_local=True, depth=100
    )
    latched = QosProfile(transient_local=True, depth=1)
    assert played_qos("/map", latched, {}) == latched
    override = {"/points": {"reliability": "best_effort", "depth": 2}}
    assert played_qos("/points", SENSOR, override) == QosProfile(reliable=False, depth=2)


def test_restamped_messages_carry_the_time_of_playing(play) -> None:
    messages = []
    for index in range(3):
        stamped = Header(START_NS + index * STEP_NS - 7, "base_link")
        transforms = Transforms((StampedTransform(stamped, "lidar", Pose.identity()),))
        log_time_ns = START_NS + index * STEP_NS
        messages.append(Recorded("/tf", log_time_ns, TRANSFORMS.encode(transforms)))
    before_ns = time.time_ns()
    found, *_ = play(messages, TRANSFORMS.ros_type, "/tf", rate=2.0, restamp=True)
    stamps_ns = [TRANSFORMS.decode(data).transforms[0].header.stamp_ns for data in found]
    assert before_ns <= stamps_ns[0] + 7
    assert stamps_ns[-1] + 7 <= time.time_ns()
    steps_ns = [after - before for before, after in itertools.pairwise(stamps_ns)]
    assert min(steps_ns) >= STEP_NS // 2 - 10**7


def test_equal_stamps_stay_equal_when_they_are_moved(play) -> None:
    header = Header(START_NS - 7, "base_link")
    data = TRANSFORMS.encode(Transforms((StampedTransform(header, "lidar", Pose.identity()),)))
    messages = [Recorded("/tf", START_NS + k * 1_300_000, data) for k in range(4)]
    found, *_ = play(messages, TRANSFORMS.ros_type, "/tf", restamp=True)
    assert len(found) == 4
    assert len({TRANSFORMS.decode(one).transforms[0].header.stamp_ns for one in found}) == 1
