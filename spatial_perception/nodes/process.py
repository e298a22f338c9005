"""The process around one or more stage nodes: one graph, its workers, diagnostics."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription

from spatial_perception.messages import DIAGNOSTICS, Codec
from spatial_perception.nodes.loader import Loader
from spatial_perception.nodes.log import ThrottledLog
from spatial_perception.nodes.stage_node import StageNode, message_class, spin_once_later
from spatial_perception.stages.delivery import DeliveryMode, LiveDelivery
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.monitor import diagnostics
from spatial_perception.stages.port import Port
from spatial_perception.stages.stage import DropCause, Readiness, Stage

DIAGNOSTICS_PERIOD_S = 1.0
STOP_TIMEOUT_S = 0.4  # of each thread, so that a process ends within two seconds


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
        self._loaded = dict.fromkeys(self._nodes, Readiness.INACTIVE)
        self._links: dict[tuple[str, str], _Link] = {}
        self.on_wired: Callable[[], None] = lambda: None
        self._log = ThrottledLog()
        self._loader = Loader()
        self._publishers = {t: p for node in nodes for t, p in node.outputs.items()}
        self._graph = Graph([node.stage for node in nodes], self._on_error)
        for stage in self._graph.stages:
            stage.readiness = Readiness.INACTIVE
        self._bytes = ByteGraph(self._graph, self._on_drop, self._is_listened)
        self._delivery = LiveDelivery(self._bytes, self._publish, mode)
        message = message_class(DIAGNOSTICS.ros_type)
        self._diagnostics = primary.create_publisher(message, "/diagnostics", 10)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # also while simulated time stands still
        primary.create_timer(DIAGNOSTICS_PERIOD_S, self._tick, clock=steady)

    def autostart(self, nodes: Sequence[StageNode]) -> None:
        """Configures and activates nodes as soon as they spin."""

        for node in nodes:
            self._loaded[node.stage_name] = Readiness.LOADING

        def run() -> None:
            for node in nodes:
                node.trigger_configure()
            for node in nodes:
                node.trigger_activate()

        spin_once_later(self._primary, run)

    def load(self, node: StageNode) -> None:
        """Starts to load the stage's engine; returns at once."""
        self._set_loaded(node, Readiness.LOADING)
        self._loader.submit(functools.partial(self._load, node))

    def unload(self, node: StageNode) -> None:
        """Starts to free the stage's engine; returns at once."""
        self._set_loaded(node, Readiness.INACTIVE)
        self._loader.submit(functools.partial(self._graph.release, node.stage))

    def wire(self) -> None:
        """Opens and closes subscriptions as the active nodes need them."""
        wanted = self._wanted_links()
        for key, link in list(self._links.items()):
            if key not in wanted or wanted[key][0] is not link.node:
                del self._links[key]
                for subscription in link.subscriptions:
                    link.node.destroy_subscription(subscription)
        for key, (node, port, codec) in wanted.items():
            if key not in self._links:
                offer = functools.partial(self._delivery.offer, port, codec)
                opened = node.subscribe(port, key[1], codec, self._mode, offer)
                self._links[key] = _Link(node, opened)
        self._update_readiness()
        self.on_wired()

    def close(self) -> bool:
        """Ends the workers and frees the engines; returns whether all ended in time."""
        has_loaded = self._loader.stop(STOP_TIMEOUT_S)
        has_ended = self._delivery.stop(STOP_TIMEOUT_S) and has_loaded
        if has_ended:
            self._graph.close()
        return has_ended

    def _wanted_links(self) -> dict[tuple[str, str], tuple[StageNode, Port, Codec[Any]]]:
        wanted = {}
        for port in self._graph.external_inputs():
            takers = [self._nodes[stage.name] for stage in self._graph.consumers(port.topic)]
            node = next((node for node in takers if node.is_active), None)
            if node is not None:
                for topic, codec in _live_sources(node, port):
                    wanted[port.topic, topic] = (node, port, codec)
        return wanted

    def _load(self, node: StageNode) -> None:
        start = time.monotonic()
        try:
            node.stage.load()
        except Exception as error:  # whatever a backend raises; the node stays and says so
            node.stage.last_error = str(error) or type(error).__name__
            node.get_logger().error(f"{node.stage_name} cannot be loaded: {error}")
            self._set_loaded(node, Readiness.FAILED)
        else:
            elapsed_s = time.monotonic() - start
            node.get_logger().info(f"{node.stage_name} ready after {elapsed_s:.1f} s")
            self._set_loaded(node, Readiness.READY)
        states = list(self._loaded.values())
        if Readiness.LOADING not in states:
            ready = states.count(Readiness.READY)
            self._primary.get_logger().info(f"{ready} of {len(states)} stages ready")

    def _set_loaded(self, node: StageNode, state: Readiness) -> None:
        self._loaded[node.stage_name] = state
        self._update_readiness()

    def _update_readiness(self) -> None:
        for name, node in self._nodes.items():
            state = self._loaded[name] if node.is_active else Readiness.INACTIVE
            node.stage.readiness = state

    def _tick(self) -> None:
        self.wire()
        stamp_ns = self._primary.get_clock().now().nanoseconds
        status = diagnostics(self._graph.monitors.values(), stamp_ns)
        self._diagnostics.publish(DIAGNOSTICS.encode(status))

    def _publish(self, port: Port, data: bytes) -> None:
        self._publishers[port.topic].publish(data)

    def _is_listened(self, port: Port) -> bool:
        return bool(self._publishers[port.topic].get_subscription_count())

    def _on_error(self, stage: Stage, cause: DropCause, message: str) -> None:
        logger = self._nodes[stage.name].get_logger()
        self._log.error(logger, (stage.name, cause), f"{cause.value}: {message}")

    def _on_drop(self, topic: str, cause: DropCause, message: str) -> None:
        if message:
            logger = self._primary.get_logger()
            self._log.error(logger, (topic, cause), f"{topic}: {message} ({cause.value})")


def _live_sources(node: StageNode, port: Port) -> list[tuple[str, Codec[Any]]]:
    """Returns the first source that is published, or all where none is yet.

    Camera drivers offer the same picture raw and compressed: one of them is enough.
    """
    if len(port.sources) > 1:
        for topic, codec in port.sources:
            if node.count_publishers(node.source_name(port, topic)):
                return [(topic, codec)]
    return list(port.sources)
