"""What others see of a participant, and what it says of others."""

import time
from collections.abc import Callable

import pytest
from cyclonedds.builtin import (
    BuiltinDataReader,
    BuiltinTopicDcpsParticipant,
    BuiltinTopicDcpsPublication,
    BuiltinTopicDcpsSubscription,
)
from cyclonedds.core import Policy
from cyclonedds.domain import DomainParticipant

from spatial_perception.core import Latency
from spatial_perception.dds import discovery
from spatial_perception.dds.participant import Participant
from spatial_perception.dds.pubsub import TopicType
from spatial_perception.errors import ConfigError
from spatial_perception.messages import LATENCY, QosProfile
from spatial_perception.messages.typestore import deserialize, type_hash, typestore

from .network import Peer, wait_until

TOPIC, KIND = "/latency", LATENCY.ros_type
MESSAGE = b"\x00\x01\x00\x00" + bytes(8)
LATCHED = QosProfile(transient_local=True, depth=3)


class Observer:
    """Sees the network with cyclonedds's own classes."""

    def __init__(self, domain: int) -> None:
        self._participant = DomainParticipant(domain)
        self._topics = {
            "participants": BuiltinTopicDcpsParticipant,
            "publications": BuiltinTopicDcpsPublication,
            "subscriptions": BuiltinTopicDcpsSubscription,
        }
        self._readers = {
            name: BuiltinDataReader(self._participant, topic)
            for name, topic in self._topics.items()
        }

    def read(self, kind: str) -> list:
        return [s for s in self._readers[kind].read(100) if s.sample_info.valid_data]

    def endpoint(self, kind: str, name: str):
        found = []
        wait_until(
            lambda: found.extend(e for e in self.read(kind) if e.topic_name == name) or found
        )
        return found[0]


def test_publisher_announces_type_hash_and_qos_as_rmw_does(peer: Peer) -> None:
    peer.publisher(TOPIC, KIND, LATCHED, wait=False)
    seen = Observer(peer.participant.domain).endpoint("publications", f"rt{TOPIC}")
    assert seen.type_name == "std_msgs::msg::dds_::Float64_"
    assert seen.qos[Policy.Userdata].data == f"typehash={type_hash(KIND)};".encode()
    assert seen.qos[Policy.Durability] == Policy.Durability.TransientLocal
    service = seen.qos[Policy.DurabilityService]
    assert service.history == Policy.History.KeepLast(3), "what a late subscriber gets"
    assert seen.qos[Policy.WriterDataLifecycle] in (None, Policy.WriterDataLifecycle(False))


def test_subscription_announces_its_type_hash_too(peer: Peer) -> None:
    peer.collect(TOPIC, KIND, QosProfile(reliable=False, depth=1))
    seen = Observer(peer.participant.domain).endpoint("subscriptions", f"rt{TOPIC}")
    assert seen.qos[Policy.Userdata].data == f"typehash={type_hash(KIND)};".encode()
    assert seen.qos[Policy.Reliability] == Policy.Reliability.BestEffort


def test_participant_says_that_it_is_of_ros(peer: Peer) -> None:
    data = [
        participant.qos[Policy.Userdata].data
        for participant in Observer(peer.participant.domain).read("participants")
        if participant.qos[Policy.Userdata]
    ]
    assert data == [b"enclave=/;"]


def test_discovery_info_names_nodes_with_the_guids_that_dds_announces(
    make_peer: Callable[..., Peer],
) -> None:
    talker, listener = make_peer("talker"), make_peer("listener")
    infos: list[bytes] = []
    _listen_to_discovery(listener.participant, infos)
    publisher = talker.publisher(TOPIC, KIND, wait=False)
    talker.collect("/other", KIND)

    def newest():
        return deserialize(infos[-1], typestore().types[discovery.ROS_TYPE])

    wait_until(lambda: infos and newest().node_entities_info_seq[0].reader_gid_seq)
    observer = Observer(talker.participant.domain)
    writer = observer.endpoint("publications", f"rt{TOPIC}")
    reader = observer.endpoint("subscriptions", "rt/other")
    (node,) = newest().node_entities_info_seq
    assert (node.node_namespace, node.node_name) == ("/", "talker")
    assert [bytes(gid.data) for gid in node.writer_gid_seq] == [writer.key.bytes]
    assert [bytes(gid.data) for gid in node.reader_gid_seq] == [reader.key.bytes]
    assert bytes(newest().gid.data) == writer.participant_key.bytes

    talker.participant.remove(publisher)
    wait_until(lambda: not newest().node_entities_info_seq[0].writer_gid_seq)


def _listen_to_discovery(participant: Participant, infos: list[bytes]) -> None:
    """`ros_discovery_info` has no ROS name; a reader takes it by its DDS name."""
    from cyclonedds.sub import DataReader

    from spatial_perception.dds import qos
    from spatial_perception.dds.pubsub import Subscription

    what = TopicType(discovery.TOPIC, discovery.ROS_TYPE)
    topic = participant._topic(discovery.TOPIC, discovery.ROS_TYPE)
    reader = DataReader(participant._participant, topic, qos.reader_qos(discovery.QOS, what.digest))
    own = participant._participant.guid.bytes

    def receive(data: bytes) -> None:
        if data[4:20] != own:
            infos.append(data)

    subscription = Subscription(reader, what, receive)
    participant._endpoints[subscription.guid] = subscription
    participant._waitset.attach(subscription.condition)


def test_late_subscriber_gets_the_last_latched_messages(make_peer: Callable[..., Peer]) -> None:
    publisher = make_peer("talker").publisher(TOPIC, KIND, LATCHED, wait=False)
    for index in range(5):
        publisher.publish(MESSAGE[:4] + index.to_bytes(8, "little"))
    found = make_peer("listener").collect(TOPIC, KIND, QosProfile(transient_local=True, depth=10))
    wait_until(lambda: len(found) >= 3)
    assert [data[4] for data in found] == [2, 3, 4]


def test_matches_are_counted_as_others_come_and_go(make_peer: Callable[..., Peer]) -> None:
    talker, listener = make_peer("talker"), make_peer("listener")
    publisher = talker.publisher(TOPIC, KIND, wait=False)
    assert publisher.matched == 0
    listener.collect(TOPIC, KIND)
    wait_until(lambda: publisher.matched == 1)
    listener.close()
    wait_until(lambda: publisher.matched == 0)


def test_offers_of_others_are_known_and_forgotten(make_peer: Callable[..., Peer]) -> None:
    talker, listener = make_peer("talker"), make_peer("listener")
    listener.publisher("/own", KIND, wait=False)
    talker.publisher(TOPIC, KIND, QosProfile(reliable=False, depth=1), wait=False)
    wait_until(lambda: listener.participant.is_published(TOPIC))
    (offer,) = listener.participant.offers()[TOPIC]
    assert (offer.ros_type, offer.type_hash) == (KIND, type_hash(KIND))
    assert not offer.qos.reliable
    assert not listener.participant.is_published("/own")
    talker.close()
    wait_until(lambda: not listener.participant.is_published(TOPIC))


def test_qos_that_does_not_match_is_reported_once_with_advice(
    make_peer: Callable[..., Peer],
) -> None:
    talker, listener = make_peer("talker").participant, make_peer("listener")
    best_effort = QosProfile(reliable=False)
    talker.publish_on("talker", TopicType(TOPIC, KIND), best_effort)
    listener.collect(TOPIC, KIND)
    texts: list[str] = []
    wait_until(lambda: texts.extend(listener.participant.incompatibilities()) or texts)
    assert len(texts) == 1
    assert f"'{TOPIC}' offers another RELIABILITY" in texts[0]
    assert f"qos_overrides.{TOPIC}.subscription.reliability" in texts[0]
    assert listener.participant.incompatibilities() == []
    wait_until(lambda: texts.extend(talker.incompatibilities()) or len(texts) == 2)
    assert "requests another RELIABILITY" in texts[1]


def test_other_types_on_the_same_topic_do_not_match(make_peer: Callable[..., Peer]) -> None:
    talker, listener = make_peer("talker"), make_peer("listener")
    right = listener.collect(TOPIC, KIND)
    wrong = listener.collect(TOPIC, "sensor_msgs/msg/Image")
    publisher = talker.publisher(TOPIC, KIND)
    assert publisher.matched == 1
    publisher.publish(MESSAGE)
    wait_until(lambda: right)
    assert wrong == []


def test_a_callback_that_raises_does_not_end_the_reception(peer: Peer) -> None:
    found: list[bytes] = []

    def receive(data: bytes) -> None:
        found.append(data)
        raise ValueError("bad")

    peer.participant.subscribe_to("peer", TopicType(TOPIC, KIND), QosProfile(), receive)
    publisher = peer.publisher(TOPIC, KIND)
    for _ in range(3):
        publisher.publish(MESSAGE)
    wait_until(lambda: len(found) == 3)


def test_a_slow_reader_that_keeps_all_loses_nothing_and_memory_stays_bounded(
    make_peer: Callable[..., Peer],
) -> None:
    import time

    talker, listener = make_peer("talker"), make_peer("listener")
    found: list[int] = []

    def receive(data: bytes) -> None:
        found.append(int.from_bytes(data[4:8], "little"))
        time.sleep(0.003)

    what = TopicType("/large", "acme_msgs/msg/Radar")
    listener.participant.subscribe_to("listener", what, QosProfile(depth=0), receive)
    publisher = talker.participant.publish_on("talker", what, QosProfile(), keep_all=True)
    wait_until(lambda: publisher.matched)
    time.sleep(0.3)
    body = bytes(200_000)
    for index in range(150):
        assert publisher.publish(b"\x00\x01\x00\x00" + index.to_bytes(4, "little") + body)
    wait_until(lambda: len(found) == 150)
    assert found == list(range(150))


@pytest.mark.parametrize("domain", [-1, 233])
def test_a_bad_domain_is_refused(domain: int) -> None:
    with pytest.raises(ConfigError, match=f"domain {domain}: expected 0 .. 232"):
        Participant(domain)


def test_a_bad_domain_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "seven")
    with pytest.raises(ConfigError, match="ROS_DOMAIN_ID: 'seven'"):
        Participant()


def test_participant_that_only_publishes_does_not_spin(peer: Peer) -> None:
    start_s, wall_s = time.process_time(), time.monotonic()
    time.sleep(1.0)
    assert time.process_time() - start_s < 0.5 * (time.monotonic() - wall_s)


def test_subscription_that_goes_while_it_is_read_does_not_end_the_reception(peer: Peer) -> None:
    gone = peer.participant.subscribe_to(
        "peer", TopicType("/gone", LATENCY.ros_type), QosProfile(), lambda data: None
    )
    take = gone.take

    def take_after_removal() -> bool:
        gone.take = take  # type: ignore[method-assign]
        peer.participant.remove(gone)
        return take()

    gone.take = take_after_removal  # type: ignore[method-assign]
    found = peer.collect("/latency", LATENCY.ros_type)
    publisher = peer.participant.publish_on(
        "peer", TopicType("/gone", LATENCY.ros_type), QosProfile()
    )
    other = peer.participant.publish_on(
        "peer", TopicType("/latency", LATENCY.ros_type), QosProfile()
    )
    wait_until(lambda: publisher.matched == 1 and other.matched == 1)
    publisher.publish(LATENCY.encode(Latency(1.0)))
    wait_until(lambda: publisher.matched == 0)
    other.publish(LATENCY.encode(Latency(2.0)))
    wait_until(lambda: len(found) == 1)
