"""Options of the configuration classes as ROS parameters; needs no ROS."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

from spatial_perception.config import OptionInfo, describe, near_miss
from spatial_perception.errors import ConfigError
from spatial_perception.stages.host_config import HostConfig
from spatial_perception.stages.registry import GRAPH_NODE, STAGES, GraphConfig

QOS_OVERRIDES = "qos_overrides."
RESERVED = ("use_sim_time", "start_type_description_service")  # rclpy declares them itself


class ParameterKind(Enum):
    """Types of parameters, named as in rcl_interfaces/msg/ParameterType."""

    BOOL = "PARAMETER_BOOL"
    INTEGER = "PARAMETER_INTEGER"
    DOUBLE = "PARAMETER_DOUBLE"
    STRING = "PARAMETER_STRING"
    STRING_ARRAY = "PARAMETER_STRING_ARRAY"
    INTEGER_ARRAY = "PARAMETER_INTEGER_ARRAY"
    DOUBLE_ARRAY = "PARAMETER_DOUBLE_ARRAY"


_KINDS = {
    bool: ParameterKind.BOOL,
    int: ParameterKind.INTEGER,
    float: ParameterKind.DOUBLE,
    str: ParameterKind.STRING,
}
_ARRAYS = {
    int: ParameterKind.INTEGER_ARRAY,
    float: ParameterKind.DOUBLE_ARRAY,
    str: ParameterKind.STRING_ARRAY,
}


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One ROS parameter.

    Attributes:
        name: dotted name.
        kind: type of the parameter.
        default: value where nothing is given, as ROS takes it (lists for arrays).
        description: help text with the unit.
        range: smallest and largest value, both allowed.
        choices: allowed values; empty where all are.
    """

    name: str
    kind: ParameterKind
    default: Any
    description: str
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()

    @property
    def constraints(self) -> str:
        """What a value must keep to besides its range, in words."""
        return f"one of: {', '.join(self.choices)}" if self.choices else ""

    def convert(self, value: Any) -> Any:
        """Returns a given value as this parameter takes it: a whole number serves for a double."""
        if self.kind is ParameterKind.DOUBLE and type(value) is int:
            return float(value)
        if self.kind is ParameterKind.DOUBLE_ARRAY and isinstance(value, (list, tuple)):
            return [float(v) if type(v) is int else v for v in value]
        return value


def node_parameters(node: str) -> tuple[ParameterInfo, ...]:
    """Returns the parameters of a node by its default name, its own first.

    Raises:
        ConfigError: no such node.
    """
    if node == GRAPH_NODE:
        own: type[Any] = GraphConfig
    elif node in STAGES:
        own = STAGES[node].config
    else:
        raise ConfigError(f"unknown node '{node}'{near_miss(node, (*STAGES, GRAPH_NODE))}")
    return tuple(parameter_of(o) for config in (own, HostConfig) for o in describe(config))


def parameter_of(option: OptionInfo) -> ParameterInfo:
    """Returns the parameter of an option.

    Raises:
        ConfigError: ROS parameters cannot hold values of its type.
    """
    origin, arguments = typing.get_origin(option.type), typing.get_args(option.type)
    kind, default = _KINDS.get(option.type), option.default
    choices: tuple[str, ...] = ()
    if origin is Literal:
        kind, choices = ParameterKind.STRING, tuple(map(str, arguments))
    elif origin in (tuple, list) and len(set(arguments) - {Ellipsis}) == 1:
        kind, default = _ARRAYS.get(arguments[0]), list(default)
    if kind is None:
        raise ConfigError(f"option '{option.name}': no ROS parameter has the type {option.type}")
    unit = f" [{option.unit}]" if option.unit else ""
    return ParameterInfo(option.name, kind, default, f"{option.help}{unit}", option.range, choices)


def check_unknown(
    overrides: Mapping[str, Mapping[str, Any]], known: Mapping[str, Iterable[str]]
) -> None:
    """Refuses parameters that nobody declares; ROS itself passes over them in silence.

    What is given to every node of the process alike (under `/**`, or by `-p name:=value`) must
    fit one of them; what is given to one node must fit that one.

    Args:
        overrides: given values by node and parameter name.
        known: declared parameter names by node.

    Raises:
        ConfigError: names the parameter and the near miss.
    """
    declared = {node: set(names) for node, names in known.items()}
    everywhere = set.union(*declared.values())
    for node, given in overrides.items():
        for name in given:
            if name in declared[node] or name in RESERVED or name.startswith(QOS_OVERRIDES):
                continue
            is_shared = all(name in other for other in overrides.values())
            if not (is_shared and name in everywhere):
                raise ConfigError(
                    f"node '{node}': unknown parameter '{name}'{near_miss(name, declared[node])}"
                )
