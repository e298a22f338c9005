"""Declaring parameters on a node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, ParameterType
from rclpy.node import Node

from spatial_perception.nodes.parameters import (
    QOS_OVERRIDES,
    RESERVED,
    ParameterInfo,
    ParameterKind,
)

LATE = "Takes effect at start."


def given_parameters(node: Node) -> dict[str, Any]:
    """Returns what files and arguments give to a node.

    The node must have been made with `automatically_declare_parameters_from_overrides`.
    """
    parameters = node.get_parameters_by_prefix("")
    return {name: p.value for name, p in parameters.items() if name not in RESERVED}


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
