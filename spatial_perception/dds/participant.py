"""A participant on a ROS 2 network: nodes by name, and what they publish and take."""

from __future__ import annotations

import logging
import os
import threading
import time

from cyclonedds.core import DDSException, GuardCondition, WaitSet
from cyclonedds.domain import DomainParticipant
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration

from spatial_perception.dds import discovery, names, qos, raw_types
from spatial_perception.dds.endpoints import PublisherWatch
from spatial_perception.dds.pubsub import Publisher, Receive, Subscription, TopicType, delete
from spatial_perception.errors import ConfigError, PerceptionError
from spatial_perception.messages import QosProfile
from spatial_perception.stages.qos import incompatible_text

WAIT_S = 0.1
DOMAIN_VARIABLE = "ROS_DOMAIN_ID"
MAX_DOMAIN = 232
_LOGGER = logging.getLogger(__name__)


class Participant:
    """Takes part in a ROS 2 network; messages are received in one thread of its own.

    Cyclone DDS's own configuration (`CYCLONEDDS_URI`) is obeyed.

    Args:
        domain: 0 .. 232; None for that of `ROS_DOMAIN_ID`, 0 where it is not set.

    Raises:
        ConfigError: a bad domain, or a network that DDS cannot use.
    """

    def __init__(self, domain: int | None = None) -> None:
        self.domain = _domain(domain)
        try:
            self._participant = DomainParticipant(self.domain, qos.participant_qos())
        except DDSException as error:
            raise ConfigError(
                f"DDS domain {self.domain} cannot be joined ({error.msg}); look at CYCLONEDDS_URI"
            ) from error
        self._nodes = discovery.NodeTable()
        self._lock = threading.RLock()
        self._topics: dict[tuple[str, str], Topic] = {}
        self._endpoints: dict[bytes, Publisher | Subscription] = {}
        self._warned: set[tuple[str, str, bool]] = set()
        self._watch = PublisherWatch(self._participant)
        self.is_published = self._watch.is_published
        self.offers = self._watch.offers
        info = TopicType(discovery.TOPIC, discovery.ROS_TYPE)
        profile = qos.writer_qos(discovery.QOS, info.digest)
        topic = self._topic(discovery.TOPIC, discovery.ROS_TYPE)
        self._info = Publisher(DataWriter(self._participant, topic, profile), info)
        self._waitset = WaitSet(self._participant)
        self._never = GuardCondition(self._participant)
        self._waitset.attach(self._never)  # one without conditions would not wait
        self._is_running = True
        self._thread = threading.Thread(target=self._run, name="dds receiver", daemon=True)
        self._thread.start()

    def add_node(self, name: str, namespace: str = "/") -> None:
        """Shows a node on the network."""
        with self._lock:
            self._nodes.add_node(name, namespace)
            self._announce()

    def publish_on(
        self, node: str, what: TopicType, profile: QosProfile, keep_all: bool = False
    ) -> Publisher:
        """Returns a new publisher of a node.

        Args:
            node: its name.
            what: the topic.
            profile: what is offered.
            keep_all: nothing is given up before reliable subscriptions have it.
        """
        writer_qos = qos.writer_qos(profile, what.digest, keep_all)
        with self._lock:
            topic = self._topic(names.dds_topic(what.topic), what.ros_type)
            publisher = Publisher(DataWriter(self._participant, topic, writer_qos), what)
            self._endpoints[publisher.guid] = publisher
            self._nodes.add_writer(node, publisher.guid)
            self._announce()
        return publisher

    def subscribe_to(
        self, node: str, what: TopicType, profile: QosProfile, receive: Receive
    ) -> Subscription:
        """Returns a new subscription of a node.

        Args:
            node: its name.
            what: the topic.
            profile: what is requested.
            receive: called with CDR bytes in the participant's thread; while it waits, reliable
                publishers of topics that keep all wait too.
        """
        reader_qos = qos.reader_qos(profile, what.digest)
        with self._lock:
            topic = self._topic(names.dds_topic(what.topic), what.ros_type)
            reader = DataReader(self._participant, topic, reader_qos)
            subscription = Subscription(reader, what, receive)
            self._endpoints[subscription.guid] = subscription
            self._nodes.add_reader(node, subscription.guid)
            self._waitset.attach(subscription.condition)
            self._announce()
        return subscription

    def remove(self, endpoint: Publisher | Subscription) -> None:
        """Takes an endpoint off the network."""
        with self._lock:
            guid = endpoint.guid
            self._endpoints.pop(guid, None)
            self._nodes.discard(guid)
            if isinstance(endpoint, Subscription):
                self._waitset.detach(endpoint.condition)
            self._announce()
            delete(endpoint)

    def incompatibilities(self) -> list[str]:
        """Returns a sentence for each topic and policy that newly failed to match."""
        with self._lock:
            endpoints = list(self._endpoints.values())
        texts = []
        for endpoint in endpoints:
            policy, is_reader = endpoint.incompatible(), isinstance(endpoint, Subscription)
            key = (endpoint.what.topic, policy, is_reader)
            if policy and key not in self._warned:
                self._warned.add(key)
                texts.append(incompatible_text(endpoint.what.topic, policy, is_reader))
        return texts

    def close(self, timeout_s: float = 1.0) -> bool:
        """Leaves the network; returns whether the receiving thread ended in time."""
        self._is_running = False
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        with self._lock:
            for endpoint in self._endpoints.values():
                delete(endpoint)
            self._endpoints.clear()
        raw_types.delete(self._participant._ref)
        return True

    def _run(self) -> None:
        while self._is_running:
            try:
                self._waitset.wait(duration(seconds=WAIT_S))
            except DDSException as error:  # an endpoint went meanwhile; it must not end the thread
                _LOGGER.debug("waiting for messages: %s", error)
                time.sleep(WAIT_S)
            while self._is_running and self._take_round():
                pass

    def _take_round(self) -> bool:
        """Takes one message of each subscription, so that none has to wait for another's many."""
        with self._lock:
            endpoints = list(self._endpoints.values())
        taken = [self._take(e) for e in endpoints if isinstance(e, Subscription)]
        return any(taken)

    def _take(self, subscription: Subscription) -> bool:
        try:
            return subscription.take()
        except Exception as error:  # a message must not end the thread
            if subscription.guid in self._endpoints:
                _LOGGER.error("%s: %s: %s", subscription.what.topic, type(error).__name__, error)
            return False

    def _topic(self, name: str, ros_type: str) -> Topic:
        key = (name, ros_type)
        if key not in self._topics:
            try:
                self._topics[key] = Topic(self._participant, name, raw_types.raw_type(ros_type))
            except DDSException as error:
                raise PerceptionError(f"{name} of type {ros_type}: {error.msg}") from error
        return self._topics[key]

    def _announce(self) -> None:
        self._info.publish(self._nodes.encode(self._participant.guid.bytes), timeout_s=1.0)


def _domain(domain: int | None) -> int:
    text = os.environ.get(DOMAIN_VARIABLE, "") or "0"
    if domain is None and not text.isdecimal():
        raise ConfigError(f"{DOMAIN_VARIABLE}: '{text}' is no number of a domain")
    number = int(text) if domain is None else domain
    if not 0 <= number <= MAX_DOMAIN:
        raise ConfigError(f"DDS domain {number}: expected 0 .. {MAX_DOMAIN}")
    return number
