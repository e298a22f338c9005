"""`spatial-perception replay`: the graph over a bag, results into a bag."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from spatial_perception.cli.console import make_console
from spatial_perception.cli.json_file import write_json
from spatial_perception.cli.progress import progress_bar
from spatial_perception.replay.run import Replay, ReplayOptions, ReplaySummary, stop_on_error
from spatial_perception.stages.host import parse_remappings
from spatial_perception.stages.registry import STAGES, build_graph, load_parameters
from spatial_perception.stages.static_transforms import HELP as STATIC_TRANSFORM_HELP
from spatial_perception.stages.static_transforms import parse_static_transforms


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "replay",
        help="run the graph over a bag and write a bag",
        description="Runs the perception graph over a rosbag2 bag (MCAP or SQLite), without ROS.",
    )
    parser.add_argument("bag", type=Path, help="bag folder or file")
    parser.add_argument("--output", type=Path, required=True, help="bag to write, a new folder")
    parser.add_argument("--config", type=Path, help="parameters in ROS format, as for the nodes")
    parser.add_argument(
        "--stages", default="", help=f"only these, comma-separated: {', '.join(STAGES)}"
    )
    parser.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="FROM:=TO",
        help="default topic to the bag's topic; may be repeated",
    )
    parser.add_argument(
        "--static-transform", action="append", default=[], metavar="TF", help=STATIC_TRANSFORM_HELP
    )
    parser.add_argument("--include-input", action="store_true", help="copy the bag's messages too")
    parser.add_argument("--realtime", action="store_true", help="at recorded speed, newest wins")
    parser.add_argument(
        "--loops",
        type=int,
        default=1,
        metavar="N",
        help="read the bag N times, as if the recording had gone on",
    )
    parser.add_argument(
        "--skip-errors", action="store_true", help="count unusable messages instead of stopping"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replays, prints the summary; 0 when done.

    Raises:
        PerceptionError: the bag, the configuration or a message cannot be used.
    """
    console = make_console()
    parameters = load_parameters(arguments.config) if arguments.config else {}
    graph = build_graph(
        parameters,
        only=tuple(name for name in arguments.stages.split(",") if name),
        on_error=None if arguments.skip_errors else stop_on_error,
        where=str(arguments.config or "replay"),
    )
    options = ReplayOptions(
        include_input=arguments.include_input,
        skip_errors=arguments.skip_errors,
        realtime=arguments.realtime,
        loops=arguments.loops,
        remappings=parse_remappings(arguments.remap),
        static_transforms=parse_static_transforms(arguments.static_transform),
    )
    replay = Replay(graph, arguments.bag, arguments.output, options)
    try:
        with progress_bar(console, "replay") as show:
            summary = replay.run(show)
    finally:
        graph.close()
    console.print(_table(summary))
    for remark in summary.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
    console.print(
        f"{sum(summary.output_messages.values())} messages on {len(summary.output_messages)} topics"
        f" written to {arguments.output}: {summary.frames_per_s:.1f} frames/s,"
        f" {summary.peak_rss_mb:.0f} MB",
        soft_wrap=True,
    )
    if arguments.json:
        write_json(arguments.json, summary.as_json())
    return 0


def _table(summary: ReplaySummary) -> Table:
    has_latency = any("latency_ms" in stage for stage in summary.stages.values())
    table = Table("stage", title="replay")
    columns = ["frames", "dropped", "p50 ms", "p90 ms", "p99 ms"]
    for column in columns + ["stamp to result p50 ms", "p99 ms"] * has_latency:
        table.add_column(column, justify="right")
    for name, stage in summary.stages.items():
        drops = stage["drops"]
        assert isinstance(drops, dict)
        causes = ", ".join(f"{count} {cause}" for cause, count in drops.items()) or "0"
        times = [f"{stage[key]:.1f}" for key in ("p50_ms", "p90_ms", "p99_ms")]
        latency = stage.get("latency_ms")
        if isinstance(latency, dict):
            times += [f"{latency[key]:.1f}" for key in ("p50", "p99")]
        table.add_row(name, str(stage["frames"]), causes, *times)
    return table
