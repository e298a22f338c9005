"""Declaring parameters on a node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, ReliabilityPolicy

from spatial_perception.config import near_miss
from spatial_perception.errors import ConfigError
from spatial_perception.nodes.parameters import (
    QOS_OVERRIDES,
    RESERVED,
    ParameterInfo,
    ParameterKind,
)

LATE = "Takes effect at start."
_POLICIES = {
    "history": HistoryPolicy,
    "reliability": ReliabilityPolicy,
    "durability": DurabilityPolicy,
}


@contextmanager
def refusing_unset(name: str) -> Iterator[None]:
    """Refuses what is given without a value while a node is made; rclpy does not say of whom.

    Raises:
        ConfigError: a parameter has no value.
    """
    try:
        yield
    except ValueError as error:
        if "NOT_SET" not in str(error):
            raise
        raise ConfigError(
            f"node '{name}': a parameter has no value; ROS takes an empty list for none, too"
        ) from error


def given_parameters(node: Node) -> dict[str, Any]:
    """Returns what files and arguments give to a node.

    The node must have been made with `automatically_declare_parameters_from_overrides`.

    Raises:
        ConfigError: one that rclpy itself reads (`use_sim_time`, `qos_overrides`) has a bad value.
    """
    values = {name: p.value for name, p in node.get_parameters_by_prefix("").items()}
    for name, value in values.items():
        if name.startswith(QOS_OVERRIDES):
            _check_policy(f"node '{node.get_name()}': {name}", name.rpartition(".")[2], value)
    simulated = values.get("use_sim_time", False)
    if not isinstance(simulated, bool):  # rclpy logs it, and goes on with the system's time
        text = f"use_sim_time: expected bool, got {simulated!r}"
        raise ConfigError(f"node '{node.get_name()}': {text}")
    return {name: value for name, value in values.items() if name not in RESERVED}


def _check_policy(where: str, policy: str, value: Any) -> None:
    kinds = [kind.lower() for kind in QoSPolicyKind.__members__]
    if policy not in kinds:
        raise ConfigError(f"{where}: unknown policy '{policy}'{near_miss(policy, kinds)}")
    if policy == "depth" and (type(value) is not int or value < 0):
        raise ConfigError(f"{where}: expected a whole number, got {value!r}")
    if policy in _POLICIES:
        choices = [name.lower() for name in _POLICIES[policy].__members__ if name != "UNKNOWN"]
        if str(value).lower() not in choices:
            raise ConfigError(f"{where}: expected one of {', '.join(choices)}; got {value!r}")


def declare(node: Node, infos: Iterable[ParameterInfo], given: dict[str, Any]) -> None:
    """Declares parameters with type, range and description, read-only with the values in force.

    What is given and unknown stays out, so that a look at the node shows what counts.
    """
    infos = tuple(infos)
    for name in given:
        if not name.startswith(QOS_OVERRIDES):
            node.undeclare_parameter(name)
    for info in infos:
        value = info.convert(given.get(info.name, info.default))
        node.declare_parameter(info.name, value, descriptor(info), ignore_override=True)


def descriptor(info: ParameterInfo) -> ParameterDescriptor:
    """Returns what `ros2 param describe` says of a parameter."""
    described = ParameterDescriptor(
        name=info.name,
        type=getattr(ParameterType, info.kind.value),
        description=info.description,
        additional_constraints=" ".join(filter(None, (info.constraints, LATE))),
        read_only=True,
    )
    if info.range is not None:
        low, high = info.range
        if info.kind is ParameterKind.INTEGER:
            limits = IntegerRange(from_value=int(low), to_value=int(high), step=1)
            described.integer_range = [limits]
        elif info.kind is ParameterKind.DOUBLE:
            span = FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
            described.floating_point_range = [span]
    return described
