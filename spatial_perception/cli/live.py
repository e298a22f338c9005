"""`spatial-perception live`: the graph on a ROS 2 network, without ROS."""

from __future__ import annotations

import argparse
from pathlib import Path

from spatial_perception.cli.dds_network import (
    add_network_options,
    end_on_signal,
    join,
    leave,
    log_to_stderr,
)
from spatial_perception.stages.host import parse_remappings
from spatial_perception.stages.registry import STAGES, build_graph, load_parameters
from spatial_perception.stages.static_transforms import HELP as STATIC_TRANSFORM_HELP
from spatial_perception.stages.static_transforms import parse_static_transforms


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "live",
        help="run the graph on a ROS 2 network, without ROS",
        description="Runs the perception graph on DDS: the nodes, topics and parameters of the"
        " ROS 2 nodes, with the package cyclonedds alone. Ends with CTRL-C.",
    )
    parser.add_argument("--config", type=Path, help="parameters in ROS format, as for the nodes")
    parser.add_argument("--namespace", default="/", help="of all nodes and topics")
    parser.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="FROM:=TO",
        help="default topic to actual topic; may be repeated",
    )
    parser.add_argument(
        "--static-transform", action="append", default=[], metavar="TF", help=STATIC_TRANSFORM_HELP
    )
    parser.add_argument(
        "--stages", default="", help=f"only these, comma-separated: {', '.join(STAGES)}"
    )
    parser.add_argument(
        "--delivery",
        choices=("newest", "lossless"),
        help="newest: superseded sensor messages are dropped; lossless: every message is used",
    )
    parser.add_argument("--use-sim-time", action="store_true", help="take time from /clock")
    add_network_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs until CTRL-C or SIGTERM; 0 after that.

    Raises:
        PerceptionError: the configuration or the network cannot be used.
    """
    log_to_stderr()
    end = end_on_signal()
    parameters = load_parameters(arguments.config) if arguments.config else {}
    graph = build_graph(
        parameters,
        only=tuple(name for name in arguments.stages.split(",") if name),
        where=str(arguments.config or "live"),
    )
    participant = join(arguments.domain)
    from spatial_perception.dds.live import LiveHost, LiveOptions

    options = LiveOptions(
        arguments.namespace,
        parse_remappings(arguments.remap),
        arguments.delivery,
        arguments.use_sim_time,
        parse_static_transforms(arguments.static_transform),
    )
    host = LiveHost(participant, graph, parameters, options)
    return leave(host.run(end), 0)
