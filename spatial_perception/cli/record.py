"""`spatial-perception record`: topics of a ROS 2 network into a bag, without ROS."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from spatial_perception.bags import BagWriter, TopicInfo
from spatial_perception.cli.console import make_console
from spatial_perception.cli.dds_network import (
    add_network_options,
    end_on_signal,
    join,
    leave,
    log_to_stderr,
)
from spatial_perception.errors import ConfigError
from spatial_perception.messages import QosProfile

if TYPE_CHECKING:
    from spatial_perception.dds.pubsub import TopicType


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "record",
        help="record a ROS 2 network into a bag, without ROS",
        description="Records topics from DDS into an MCAP bag, as `ros2 bag record`. Ends with"
        " CTRL-C, which closes the bag.",
    )
    parser.add_argument("output", type=Path, help="bag to write, a new folder")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="only these")
    what.add_argument("--all", action="store_true", help="every topic, new ones as they show up")
    parser.add_argument(
        "--duration", type=float, default=0.0, metavar="S", help="end after that; 0: no limit"
    )
    parser.add_argument(
        "--max-messages", type=int, default=0, metavar="N", help="end after so many; 0: no limit"
    )
    add_network_options(parser)
    parser.set_defaults(run=run)


class _BagSink:
    """Writes what is recorded into a bag."""

    def __init__(self, writer: BagWriter) -> None:
        self._writer = writer

    def declare(self, what: TopicType, qos: QosProfile) -> None:
        info = TopicInfo(what.ros_type, 0, qos, type_hash=what.digest)
        self._writer.declare(what.topic, info)

    def write(self, what: TopicType, log_time_ns: int, data: bytes) -> None:
        self._writer.write(what.topic, what.ros_type, log_time_ns, data)

    def flush(self) -> None:
        self._writer.flush()


def run(arguments: argparse.Namespace) -> int:
    """Records until CTRL-C, SIGTERM or a limit, prints the counts; 0 after that.

    Raises:
        PerceptionError: the output exists, the disk is full, or the network cannot be used.
    """
    for topic in arguments.topics:
        if not topic.startswith("/"):
            raise ConfigError(f"--topics {topic}: expected a full name such as /{topic}")
    if arguments.max_messages < 0 or not arguments.duration >= 0:
        raise ConfigError("--duration and --max-messages: expected 0 (no limit) or more")
    log_to_stderr()
    end = end_on_signal()
    participant = join(arguments.domain)
    from spatial_perception.dds.recorder import Recorder, RecordOptions

    options = RecordOptions(tuple(arguments.topics), arguments.duration, arguments.max_messages)
    console = make_console(stderr=True)
    with BagWriter(arguments.output) as writer, console.status("recording") as status:
        recorder = Recorder(participant, _BagSink(writer), options)
        summary = recorder.record(end, lambda count: status.update(f"{count} messages recorded"))
    table = Table("topic", title=str(arguments.output))
    table.add_column("messages", justify="right")
    for topic, count in summary.counts.items():
        table.add_row(topic, str(count))
    make_console().print(table)
    if summary.lost:
        print(f"note: {summary.lost} messages lost: the disk is too slow", file=sys.stderr)
    for topic in sorted(set(arguments.topics) - set(summary.counts)):
        print(f"note: nobody published {topic}", file=sys.stderr)
    return leave(participant.close(), 0)
