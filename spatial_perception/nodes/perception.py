"""The whole graph in one process, each stage a node of its own name."""

from __future__ import annotations

from rclpy.node import Node

from spatial_perception.config import from_mapping, near_miss
from spatial_perception.errors import ConfigError
from spatial_perception.nodes.declaration import declare, given_parameters, refusing_unset
from spatial_perception.nodes.parameters import check_unknown, node_parameters
from spatial_perception.nodes.process import Process
from spatial_perception.nodes.run import run
from spatial_perception.nodes.stage_node import StageNode
from spatial_perception.stages.host_config import host_config
from spatial_perception.stages.registry import GRAPH_NODE, STAGES, GraphConfig


def main() -> int:
    """Runs the graph; returns the exit code."""
    return run(_build)


def _build() -> tuple[Process, list[Node]]:
    with refusing_unset(GRAPH_NODE):
        primary = Node(GRAPH_NODE, automatically_declare_parameters_from_overrides=True)
    given = given_parameters(primary)
    names = _stage_names(given)
    nodes = [StageNode(name) for name in names]
    infos = node_parameters(GRAPH_NODE)
    check_unknown(
        {GRAPH_NODE: given, **{node.stage_name: node.given for node in nodes}},
        {
            GRAPH_NODE: [info.name for info in infos],
            **{node.stage_name: [info.name for info in node.infos] for node in nodes},
        },
    )
    declare(primary, infos, given)
    config = host_config(GRAPH_NODE, given)
    process = Process(nodes, primary, config.delivery)
    if config.autostart:
        process.autostart([node for node in nodes if node.config.autostart])
    return process, [primary, *nodes]


def _stage_names(given: dict[str, object]) -> tuple[str, ...]:
    own = {"stages": given["stages"]} if "stages" in given else {}
    names = from_mapping(GraphConfig, own, f"node '{GRAPH_NODE}'").stages
    for name in names:
        if name not in STAGES:
            raise ConfigError(
                f"node '{GRAPH_NODE}': stages: unknown stage '{name}'{near_miss(name, STAGES)}"
            )
    return names
