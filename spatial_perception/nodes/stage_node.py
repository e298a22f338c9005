"""A lifecycle node around one stage: its parameters, its topics, its transitions."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, Protocol

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

from spatial_perception.errors import ConfigError
from spatial_perception.messages import Codec
from spatial_perception.nodes.declaration import declare, given_parameters, refusing_unset
from spatial_perception.nodes.parameters import node_parameters
from spatial_perception.nodes.qos import ros_qos
from spatial_perception.stages.graph import latency_port
from spatial_perception.stages.host_config import DeliveryMode, host_config
from spatial_perception.stages.names import relative, resolved_source
from spatial_perception.stages.port import Port
from spatial_perception.stages.qos import incompatible_text, subscription_qos
from spatial_perception.stages.registry import make_stage

Callback = Callable[[Any, LifecycleState], TransitionCallbackReturn]
SUCCESS = TransitionCallbackReturn.SUCCESS
_OVERRIDABLE = QoSOverridingOptions(
    policy_kinds=(
        QoSPolicyKind.HISTORY,
        QoSPolicyKind.DEPTH,
        QoSPolicyKind.RELIABILITY,
        QoSPolicyKind.DURABILITY,
    )
)


class Owner(Protocol):
    """What a node asks of the process it lives in."""

    def load(self, node: StageNode) -> None:
        """Starts to load the stage's engine; returns at once."""

    def unload(self, node: StageNode) -> None:
        """Starts to free the stage's engine; returns at once."""

    def switch(self, node: StageNode) -> None:
        """Subscribes for an active node; unsubscribes for another and frees its engine."""


def logged(callback: Callback) -> Callback:
    """Returns a transition callback that logs what it raises: rclpy passes over it in silence."""

    @functools.wraps(callback)
    def run(self: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(self, state)
        except Exception as error:
            self.get_logger().error(f"{callback.__name__}: {type(error).__name__}: {error}")
            return TransitionCallbackReturn.ERROR

    return run


class StageNode(LifecycleNode):  # type: ignore[misc]
    """One stage in ROS.

    Call `start` once all nodes of the process exist and their parameters are known to be right.

    Args:
        stage_name: the stage, and the node's name unless it is remapped.
    """

    def __init__(self, stage_name: str) -> None:
        with refusing_unset(stage_name):
            super().__init__(stage_name, automatically_declare_parameters_from_overrides=True)
        self.stage_name = stage_name
        self.infos = node_parameters(stage_name)
        self.given = given_parameters(self)
        self.config = host_config(stage_name, self.given)
        self.is_active = False
        self._owner: Owner | None = None
        self._warned: set[tuple[str, str]] = set()

    def start(self, owner: Owner) -> None:
        """Declares the parameters, makes the stage and announces its topics.

        Args:
            owner: the process.

        Raises:
            ConfigError: a parameter has a bad value, or needs a package that is not installed.
        """
        known = {info.name for info in self.infos}
        own = {name: value for name, value in self.given.items() if name in known}
        self.stage = make_stage(self.stage_name, own, "parameters")
        declare(self, self.infos, self.given)
        self._owner = owner
        ports = (*self.stage.outputs, latency_port(self.stage_name))
        self.outputs = {port.topic: self._publisher(port) for port in ports}

    def subscribe(
        self,
        port: Port,
        topic: str,
        codec: Codec[Any],
        mode: DeliveryMode,
        callback: Callable[[bytes], None],
        on_lost: Callable[[str, int], None],
    ) -> list[Subscription]:
        """Returns the subscriptions that feed an input from one of its topics.

        Args:
            port: the input.
            topic: full name of one of its topics.
            codec: of that topic.
            mode: delivery.
            callback: called with each message.
            on_lost: called with the topic's name and how many messages the network lost.
        """
        events = SubscriptionEventCallbacks(
            incompatible_qos=functools.partial(self._warn_incompatible, topic),
            message_lost=lambda event: on_lost(topic, event.total_count_change),
        )
        options = [_OVERRIDABLE, None]
        return [
            self.create_subscription(
                message_class(codec.ros_type),
                topic,
                callback,
                ros_qos(profile),
                raw=True,
                event_callbacks=events,
                qos_overriding_options=option,
            )
            for profile, option in zip(subscription_qos(port, mode), options, strict=False)
        ]

    def source_name(self, port: Port, topic: str) -> str:
        """Returns the full name of one of an input's topics."""

        def resolve(name: str, only_expand: bool) -> str:
            return str(self.resolve_topic_name(name, only_expand=only_expand))

        return resolved_source(topic, port.topic, resolve)

    def offered_types(self, topic: str) -> set[str]:
        """Returns the types that a topic, by its full name, is published with."""
        return {info.topic_type for info in self.get_publishers_info_by_topic(topic)}

    @logged
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Starts to load the engine and returns at once."""
        self._process.load(self)
        return super().on_configure(state)

    @logged
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribes; an engine that was freed is loaded anew, in the background."""
        result = super().on_activate(state)
        self.is_active = True
        self._process.switch(self)
        return result

    @logged
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribes, and frees the engine."""
        self.is_active = False
        self._process.switch(self)
        return super().on_deactivate(state)

    @logged
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Frees the engine of a node that was not active since, and what the stage remembers."""
        self._process.unload(self)
        return super().on_cleanup(state)

    @logged
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribes and frees the engine."""
        self.is_active = False
        self._process.switch(self)
        return super().on_shutdown(state)

    @logged
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Goes back to unconfigured, from where the node can be configured again."""
        self.is_active = False
        self._process.switch(self)
        return SUCCESS

    @property
    def _process(self) -> Owner:
        if self._owner is None:
            raise RuntimeError("the node was not started")
        return self._owner

    def _publisher(self, port: Port) -> Any:
        return self.create_lifecycle_publisher(
            message_class(port.codec.ros_type),
            relative(port.topic),
            ros_qos(port.qos),
            qos_overriding_options=_OVERRIDABLE,
        )

    def _warn_incompatible(self, topic: str, event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind).removeprefix("QOS_POLICY_")
        if (topic, policy) in self._warned:
            return
        self._warned.add((topic, policy))
        self.get_logger().warning(incompatible_text(topic, policy))


def message_class(ros_type: str) -> Any:
    """Returns rclpy's class of a message type written `package/msg/Name`.

    Raises:
        ConfigError: the package is not installed.
    """
    package, _, name = ros_type.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{ros_type} needs the ROS package {package}: {error}") from error


def spin_once_later(node: Node, callback: Callable[[], None]) -> None:
    """Calls back once, as soon as the node spins."""

    def run() -> None:
        timer.cancel()
        callback()

    timer = node.create_timer(0.0, run)
