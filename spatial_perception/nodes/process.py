"""The process around one or more stage nodes: one graph, its subscriptions, diagnostics."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription

from spatial_perception.messages import DIAGNOSTICS, Codec
from spatial_perception.nodes.stage_node import StageNode, message_class, spin_once_later
from spatial_perception.stages.host_config import DeliveryMode
from spatial_perception.stages.live import DIAGNOSTICS_PERIOD_S, DIAGNOSTICS_TOPIC, LiveGraph
from spatial_perception.stages.log import Logger
from spatial_perception.stages.port import Port
from spatial_perception.stages.wiring import misfits, published_sources

_Key = tuple[str, str, str]  # default topic of an input, actual topic, type


@dataclass(frozen=True, slots=True)
class _Link:
    """An open input: who holds it and its subscriptions."""

    node: StageNode
    subscriptions: list[Subscription]


class Process:
    """Runs the stages of its nodes as one graph; values pass between them as they are.

    Each input topic is subscribed once, by the first active node that takes it.

    Args:
        nodes: their parameters are known to be right, see `parameters.check_unknown`.
        primary: publishes `/diagnostics`; the only node of a process with one stage.
        mode: delivery of sensor messages.

    Raises:
        ConfigError: a parameter has a bad value.
    """

    def __init__(
        self,
        nodes: Sequence[StageNode],
        primary: Node,
        mode: DeliveryMode,
    ) -> None:
        for node in nodes:
            node.start(self)
        self._primary = primary
        self._mode = mode
        self._nodes = {node.stage_name: node for node in nodes}
        self._links: dict[_Key, _Link] = {}
        self._misfits: set[str] = set()
        self.on_wired: Callable[[], None] = lambda: None
        self._publishers = {t: p for node in nodes for t, p in node.outputs.items()}
        self._live = LiveGraph(
            [node.stage for node in nodes],
            self._publish,
            self._is_listened,
            mode,
            self._logger,
            lambda: int(primary.get_clock().now().nanoseconds),
            {node.stage_name: node.config.diagnostics for node in nodes},
        )
        message = message_class(DIAGNOSTICS.ros_type)
        self._diagnostics = primary.create_publisher(message, DIAGNOSTICS_TOPIC, 10)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # also while simulated time stands still
        primary.create_timer(DIAGNOSTICS_PERIOD_S, self._tick, clock=steady)

    def autostart(self, nodes: Sequence[StageNode]) -> None:
        """Configures and activates nodes as soon as they spin."""
        self._live.announce([node.stage_name for node in nodes])

        def run() -> None:
            for node in nodes:
                node.trigger_configure()
            for node in nodes:
                node.trigger_activate()

        spin_once_later(self._primary, run)

    def load(self, node: StageNode) -> None:
        """Starts to load the stage's engine; returns at once."""
        self._live.load(node.stage_name)

    def unload(self, node: StageNode) -> None:
        """Starts to free the stage's engine; returns at once."""
        self._live.unload(node.stage_name)

    def switch(self, node: StageNode) -> None:
        """Lets inputs reach the stage of an active node, and pass by that of another."""
        if node.is_active:
            self._live.activate(node.stage_name)
        else:
            self._live.deactivate(node.stage_name)
        self._wire()

    def close(self) -> bool:
        """Ends the workers and frees the engines; returns whether all ended in time."""
        return self._live.close()

    def _wire(self) -> None:
        """Opens and closes subscriptions as the active nodes need them."""
        wanted = self._wanted_links()
        for key, link in list(self._links.items()):
            if key not in wanted or wanted[key][0] is not link.node:
                del self._links[key]
                for subscription in link.subscriptions:
                    link.node.destroy_subscription(subscription)
        for key, (node, port, codec) in wanted.items():
            if key not in self._links:
                offer = functools.partial(self._live.offer, port, codec)
                on_lost = functools.partial(self._live.count_lost, port)
                opened = node.subscribe(port, key[1], codec, self._mode, offer, on_lost)
                self._links[key] = _Link(node, opened)
        self.on_wired()

    def _wanted_links(self) -> dict[_Key, tuple[StageNode, Port, Codec[Any]]]:
        wanted = {}
        graph = self._live.graph
        for port in graph.external_inputs():
            takers = [self._nodes[stage.name] for stage in graph.consumers(port.topic)]
            node = next((node for node in takers if node.is_active), None)
            if node is not None:
                named = [(node.source_name(port, topic), codec) for topic, codec in port.sources]
                for topic, codec in published_sources(named, node.offered_types):
                    wanted[port.topic, topic, codec.ros_type] = (node, port, codec)
                for text in set(misfits(named, node.offered_types)) - self._misfits:
                    self._misfits.add(text)
                    node.get_logger().warning(text)
        return wanted

    def _tick(self) -> None:
        self._wire()
        self._diagnostics.publish(DIAGNOSTICS.encode(self._live.diagnostics()))

    def _publish(self, port: Port, data: bytes) -> None:
        self._publishers[port.topic].publish(data)

    def _is_listened(self, port: Port) -> bool:
        return bool(self._publishers[port.topic].get_subscription_count())

    def _logger(self, stage_name: str) -> Logger:
        node: Node = self._nodes.get(stage_name, self._primary)
        logger: Logger = node.get_logger()
        return logger
