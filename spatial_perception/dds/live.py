"""The live host without ROS: every stage under its node's name in one participant."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spatial_perception.core import Transforms
from spatial_perception.dds.overrides import parameter_overrides, with_policies
from spatial_perception.dds.participant import Participant
from spatial_perception.dds.pubsub import Publisher, Subscription, TopicType
from spatial_perception.dds.resolver import TopicResolver
from spatial_perception.errors import ConfigError, DecodeError
from spatial_perception.messages import DIAGNOSTICS, TRANSFORMS, Codec, QosProfile
from spatial_perception.messages.clock import CLOCK_TYPE, decode_clock
from spatial_perception.stages.graph import Graph, latency_port
from spatial_perception.stages.host import unused_remappings
from spatial_perception.stages.host_config import DeliveryMode, host_config
from spatial_perception.stages.live import DIAGNOSTICS_PERIOD_S, DIAGNOSTICS_TOPIC, LiveGraph
from spatial_perception.stages.log import Logger, ThrottledLog
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.qos import subscription_qos
from spatial_perception.stages.registry import GRAPH_NODE
from spatial_perception.stages.stage import Stage
from spatial_perception.stages.transforms import TRANSFORM_PORTS
from spatial_perception.stages.wiring import misfits, published_sources

CLOCK_TOPIC = "/clock"
_Key = tuple[str, str, str]  # default topic of an input, actual topic, type
STOP_TIMEOUT_S = 0.4
PUBLISH_TIMEOUT_S: Mapping[DeliveryMode, float] = {"newest": 0.5, "lossless": 30.0}
"""How long a result is kept for a subscriber that does not acknowledge."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Where the graph stands on the network.

    Attributes:
        namespace: of all nodes and topics, `/` for none.
        remappings: default topic to actual topic, for inputs and outputs.
        delivery: instead of the parameter of that name.
        use_sim_time: instead of the parameter of that name: take time from /clock.
        static_transforms: known to the graph from the start; not published.
    """

    namespace: str = "/"
    remappings: Mapping[str, str] = field(default_factory=dict)
    delivery: DeliveryMode | None = None
    use_sim_time: bool = False
    static_transforms: Transforms | None = None


class NodeLog:
    """A logger that says which node speaks.

    Args:
        node: its name.
    """

    def __init__(self, node: str) -> None:
        self._node = node
        self._logger = logging.getLogger(__name__)

    def info(self, message: str) -> None:
        """Says what happens."""
        self._logger.info("[%s] %s", self._node, message)

    def warning(self, message: str) -> None:
        """Says what might go wrong."""
        self._logger.warning("[%s] %s", self._node, message)

    def error(self, message: str) -> None:
        """Says what went wrong."""
        self._logger.error("[%s] %s", self._node, message)


class LiveHost:
    """Runs stages on a DDS network; `run` until told to end.

    Args:
        participant: the network.
        graph: the stages; wired anew.
        parameters: by node name, see `load_parameters`.
        options: names and delivery.

    Raises:
        ConfigError: a bad option.
    """

    def __init__(
        self,
        participant: Participant,
        graph: Graph,
        parameters: Mapping[str, Mapping[str, Any]],
        options: LiveOptions | None = None,
    ) -> None:
        self._participant = participant
        self._options = options or LiveOptions()
        own = parameters.get(GRAPH_NODE, {})
        self._parameters = parameters
        self._mode = self._options.delivery or host_config(GRAPH_NODE, own).delivery
        self._resolver = TopicResolver(self._options.namespace, self._options.remappings)
        use_sim_time = own.get("use_sim_time", False)
        if not isinstance(use_sim_time, bool):
            raise ConfigError(f"{GRAPH_NODE}: use_sim_time: expected bool, got {use_sim_time!r}")
        self._clock = _Clock() if self._options.use_sim_time or use_sim_time else None
        stages = graph.stages
        configs = {s.name: host_config(s.name, parameters.get(s.name, {})) for s in stages}
        self._live = LiveGraph(
            stages,
            self._publish,
            self._is_listened,
            self._mode,
            lambda name: NodeLog(name or GRAPH_NODE),
            self._now_ns,
            {name: config.diagnostics for name, config in configs.items()},
        )
        self._log: Logger = NodeLog(GRAPH_NODE)
        self._throttled = ThrottledLog()
        others = (DIAGNOSTICS_TOPIC, CLOCK_TOPIC)
        for text in unused_remappings(
            graph, self._options.remappings, others, self._resolver.namespace
        ):
            self._log.warning(text)
        self._links: dict[_Key, tuple[Port, list[Subscription]]] = {}
        self._misfits: set[str] = set()
        self._publishers: dict[str, Publisher] = {}
        self._diagnostics = self._open(stages)

    def run(self, end: threading.Event) -> bool:
        """Loads the engines in the background and works until `end` is set.

        Returns:
            Whether everything ended in time; otherwise only leaving the process helps.
        """
        names = [stage.name for stage in self._live.graph.stages]
        self._live.announce(names)
        for name in names:
            self._live.load(name)
            self._live.activate(name)
        if self._options.static_transforms is not None:
            _, port = TRANSFORM_PORTS
            self._live.offer(port, TRANSFORMS, TRANSFORMS.encode(self._options.static_transforms))
        self._tick()
        while not end.wait(DIAGNOSTICS_PERIOD_S):
            self._tick()
        has_ended = self._live.close()
        return self._participant.close(STOP_TIMEOUT_S) and has_ended

    def _open(self, stages: tuple[Stage, ...]) -> Publisher:
        """Shows nodes and outputs; returns the publisher of /diagnostics."""
        namespace = self._resolver.namespace
        self._participant.add_node(GRAPH_NODE, namespace)
        for stage in stages:
            self._participant.add_node(stage.name, namespace)
            overrides = parameter_overrides(self._parameters.get(stage.name, {}), "publisher")
            for port in (*stage.outputs, latency_port(stage.name)):
                what = TopicType(self._resolver.resolve(port.topic), port.codec.ros_type)
                qos = with_policies(port.qos, overrides.get(what.topic, {}), what.topic)
                publisher = self._participant.publish_on(
                    stage.name, what, qos, keep_all=self._mode == "lossless"
                )
                self._publishers[port.topic] = publisher
        if self._clock is not None:
            qos = QosProfile(reliable=False, depth=1)
            what = TopicType(self._resolver.resolve(CLOCK_TOPIC), CLOCK_TYPE)
            self._participant.subscribe_to(GRAPH_NODE, what, qos, self._clock.receive)
        what = TopicType(self._resolver.resolve(DIAGNOSTICS_TOPIC), DIAGNOSTICS.ros_type)
        return self._participant.publish_on(GRAPH_NODE, what, QosProfile())

    def _tick(self) -> None:
        self._wire()
        for text in self._participant.incompatibilities():
            self._log.warning(text)
        for port, subscriptions in self._links.values():
            for subscription in subscriptions:
                if lost := subscription.newly_lost():
                    self._live.count_lost(port, subscription.what.topic, lost)
        self._diagnostics.publish(DIAGNOSTICS.encode(self._live.diagnostics()), timeout_s=0.0)

    def _wire(self) -> None:
        """Opens and closes subscriptions: of a picture's topics one is enough."""
        wanted = self._wanted_links()
        for key in [key for key in self._links if key not in wanted]:
            for subscription in self._links.pop(key)[1]:
                self._participant.remove(subscription)
        for key, (node, port, codec) in wanted.items():
            if key not in self._links:
                self._links[key] = port, self._subscribe(node, port, key[1], codec)

    def _wanted_links(self) -> dict[_Key, tuple[str, Port, Codec[Any]]]:
        graph = self._live.graph
        published = self._participant.offers()

        def offered(topic: str) -> set[str]:
            return {offer.ros_type for offer in published.get(topic, ())}

        wanted = {}
        for port in graph.external_inputs():
            node = graph.consumers(port.topic)[0].name
            named = [(self._resolver.resolve(t, port.topic), codec) for t, codec in port.sources]
            for topic, codec in published_sources(named, offered):
                wanted[port.topic, topic, codec.ros_type] = (node, port, codec)
            for text in set(misfits(named, offered)) - self._misfits:
                self._misfits.add(text)
                self._log.warning(text)
        return wanted

    def _subscribe(
        self, node: str, port: Port, topic: str, codec: Codec[Any]
    ) -> list[Subscription]:
        what = TopicType(topic, codec.ros_type)
        receive = functools.partial(self._live.offer, port, codec)
        first, *others = subscription_qos(port, self._mode)
        overrides = parameter_overrides(self._parameters.get(node, {}), "subscription")
        if port.kind is PortKind.SENSOR and self._mode == "lossless":
            first = QosProfile(reliable=True, depth=0)  # the publisher waits, nothing is lost
        first = with_policies(first, overrides.get(topic, {}), topic)
        return [
            self._participant.subscribe_to(node, what, qos, receive) for qos in (first, *others)
        ]

    def _publish(self, port: Port, data: bytes) -> None:
        publisher = self._publishers[port.topic]
        if not publisher.publish(data, PUBLISH_TIMEOUT_S[self._mode]):
            topic = publisher.what.topic
            text = f"{topic}: a message is lost, a reliable subscriber does not take it in time"
            self._throttled.error(self._log, topic, text)

    def _is_listened(self, port: Port) -> bool:
        return bool(self._publishers[port.topic].matched)

    def _now_ns(self) -> int:
        return time.time_ns() if self._clock is None else self._clock.now_ns


class _Clock:
    """The time on /clock; 0 before the first."""

    def __init__(self) -> None:
        self.now_ns = 0

    def receive(self, data: bytes) -> None:
        try:
            self.now_ns = decode_clock(data)
        except DecodeError as error:
            logging.getLogger(__name__).warning("%s: %s", CLOCK_TOPIC, error)
