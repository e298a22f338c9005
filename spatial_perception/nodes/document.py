"""Generated text: the parameter file with all defaults, and the tables of docs/ros.md."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from spatial_perception.config import describe
from spatial_perception.nodes.parameters import ParameterInfo, node_parameters
from spatial_perception.stages.graph import Graph, latency_port
from spatial_perception.stages.host_config import HostConfig
from spatial_perception.stages.names import ABSOLUTE
from spatial_perception.stages.port import Port
from spatial_perception.stages.registry import (
    ALL_NODES,
    ANY_NAMESPACE,
    GRAPH_NODE,
    STAGES,
    build_graph,
)

HOST_NAMES = tuple(option.name for option in describe(HostConfig))
YAML_HEADER = """\
# All parameters of all nodes with their defaults, in ROS parameter format. The same file drives
# the nodes (`ros2 launch spatial_perception perception.launch.py config:=FILE`) and the replay of
# bags (`spatial-perception replay --config FILE`). What is left out keeps its default.
"""


def parameter_file() -> str:
    """Returns the text of config/perception.yaml."""
    lines = [YAML_HEADER]
    for node, infos in {ALL_NODES: _shared(), **_own()}.items():
        key = node if node == ALL_NODES else ANY_NAMESPACE + node
        lines += [f"{key}:", "  ros__parameters:", *_yaml_entries(infos, indent=4), ""]
    return "\n".join(lines).rstrip() + "\n"


def parameter_tables() -> str:
    """Returns the parameters of all nodes as Markdown tables."""
    tables = {"Every node": _shared(), **_own()}
    return "\n\n".join(f"### {title}\n\n{_table(infos)}" for title, infos in tables.items())


def topic_table() -> str:
    """Returns the topics of the default graph as a Markdown table."""
    graph = build_graph({}, tuple(STAGES))
    rows = ["| topic | type | direction | quality of service |", "|---|---|---|---|"]
    for port, node, is_input in _ports(graph):
        qos = port.qos
        reliability = "reliable" if qos.reliable else "best effort"
        durability = "transient local" if qos.transient_local else "volatile"
        kind = f"{port.kind.value}: {reliability}, {durability}, keep last {qos.depth}"
        for topic, codec in port.sources if is_input else ((port.topic, port.codec),):
            direction = "in" if is_input else f"out of `{node}`"
            name = f"`{topic}`" + (" (absolute)" if topic in ABSOLUTE else "")
            rows.append(f"| {name} | {codec.ros_type} | {direction} | {kind} |")
    rows.append(
        "| `/diagnostics` (absolute) | diagnostic_msgs/msg/DiagnosticArray | out, one a process,"
        " 1 Hz | reliable, volatile, keep last 10 |"
    )
    return "\n".join(rows)


def _shared() -> list[ParameterInfo]:
    return [info for info in node_parameters(GRAPH_NODE) if info.name in HOST_NAMES]


def _own() -> dict[str, list[ParameterInfo]]:
    return {
        node: [info for info in node_parameters(node) if info.name not in HOST_NAMES]
        for node in (GRAPH_NODE, *STAGES)
    }


def _ports(graph: Graph) -> Iterator[tuple[Port, str, bool]]:
    for port in graph.external_inputs():
        yield port, "", True
    for stage in graph.stages:
        for port in (*stage.outputs, latency_port(stage.name)):
            yield port, stage.name, False


def _table(infos: Iterable[ParameterInfo]) -> str:
    rows = ["| parameter | type | default | allowed | meaning |", "|---|---|---|---|---|"]
    for info in infos:
        kind = info.kind.name.lower().replace("_array", "[]")
        default = json.dumps(info.default)
        rows.append(
            f"| `{info.name}` | {kind} | `{default}` | {_allowed(info)} | {info.description} |"
        )
    return "\n".join(rows)


def _allowed(info: ParameterInfo) -> str:
    if info.range is not None:
        return f"{info.range[0]:g} .. {info.range[1]:g}"
    return ", ".join(info.choices)


def _yaml_entries(infos: Iterable[ParameterInfo], indent: int) -> Iterator[str]:
    """Yields commented lines; dotted names become groups."""
    open_groups: list[str] = []
    for info in infos:
        *groups, leaf = info.name.split(".")
        for depth, group in enumerate(groups):
            if open_groups[: depth + 1] != groups[: depth + 1]:
                yield f"{' ' * (indent + 2 * depth)}{group}:"
        open_groups = groups
        margin = " " * (indent + 2 * len(groups))
        allowed = _allowed(info)
        comment = info.description + (f" ({allowed})" if allowed else "")
        yield from textwrap.wrap(
            comment, 100, initial_indent=f"{margin}# ", subsequent_indent=f"{margin}# "
        )
        yield f"{margin}{leaf}: {json.dumps(info.default)}"


def update(root: Path) -> None:
    """Writes the parameter file, and the tables between the marks of docs/ros.md, anew."""
    (root / "config" / "perception.yaml").write_text(parameter_file())
    path = root / "docs" / "ros.md"
    text = path.read_text()
    for name, table in {"topics": topic_table(), "parameters": parameter_tables()}.items():
        before, begin, rest = text.partition(f"<!-- begin {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        text = f"{before}{begin}\n{table}\n\n{end}{after}"
    path.write_text(text)
