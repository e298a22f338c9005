"""`spatial-perception play`: a bag's messages on a ROS 2 network, without ROS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from spatial_perception.bags import BagReader, TopicInfo, looped_messages
from spatial_perception.cli.console import make_console
from spatial_perception.cli.dds_network import add_network_options, end_on_signal, join, leave
from spatial_perception.cli.progress import progress_bar
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.messages import QosProfile
from spatial_perception.messages.typestore import hash_of_definition
from spatial_perception.stages.host import parse_remappings

if TYPE_CHECKING:
    from spatial_perception.dds.player import Player, PlaySummary
    from spatial_perception.dds.pubsub import TopicType

NS_PER_S = 1_000_000_000
EXIT_INTERRUPTED = 130
MOST = 1e9  # seconds that a thread can wait for
NO_HASH = "RIHS01_" + "0" * 64


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "play",
        help="play a bag on a ROS 2 network, without ROS",
        description="Publishes a bag's messages on DDS at their recorded pace, as `ros2 bag play`.",
    )
    parser.add_argument("bag", type=Path, help="bag folder or file")
    parser.add_argument("--rate", type=float, default=1.0, help="speed, 1 as recorded")
    parser.add_argument(
        "--loop",
        nargs="?",
        type=int,
        const=0,
        default=1,
        metavar="N",
        help="play N times; without a number until CTRL-C",
    )
    parser.add_argument(
        "--start-offset", type=float, default=0.0, metavar="S", help="leave out the first seconds"
    )
    parser.add_argument("--delay", type=float, default=0.0, metavar="S", help="wait before it")
    parser.add_argument("--topics", nargs="+", default=[], metavar="TOPIC", help="only these")
    parser.add_argument(
        "--remap",
        action="append",
        default=[],
        metavar="FROM:=TO",
        help="recorded topic to actual topic; may be repeated",
    )
    parser.add_argument(
        "--clock",
        nargs="?",
        type=float,
        const=40.0,
        default=0.0,
        metavar="HZ",
        help="publish the recorded time on /clock",
    )
    parser.add_argument(
        "--restamp",
        action="store_true",
        help="move stamps to the time of playing; repetitions go on where the bag ended",
    )
    parser.add_argument(
        "--qos-profile-overrides-path", type=Path, metavar="FILE", help="as for `ros2 bag play`"
    )
    parser.add_argument(
        "--wait-for-subscribers",
        nargs="?",
        type=float,
        const=60.0,
        metavar="S",
        help="start when every topic has a subscription; exit code 1 if one has none after S",
    )
    parser.add_argument(
        "--wait-for-all-acked",
        nargs="?",
        type=float,
        const=60_000.0,
        metavar="MS",
        help="end when everything is delivered; exit code 1 if it is not after MS",
    )
    add_network_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Plays; 0 when everything was published, 1 when a wait ended in vain, 130 after CTRL-C.

    Raises:
        PerceptionError: the bag, the overrides or the network cannot be used.
    """
    if not arguments.rate > 0:
        raise ConfigError(f"--rate {arguments.rate}: expected more than 0")
    for option in ("loop", "start_offset", "delay", "clock"):
        value = getattr(arguments, option)
        if not 0 <= value < MOST:
            limit = f" and less than {MOST:.0e}" if value >= MOST else ""
            raise ConfigError(f"--{option.replace('_', '-')}: expected 0 or more{limit}")
    console = make_console(stderr=True)
    end = end_on_signal()
    with BagReader(arguments.bag) as reader:
        topics = _chosen(reader, arguments.topics)
        _chosen(reader, list(parse_remappings(arguments.remap)))
        start_ns = reader.start_ns + int(arguments.start_offset * NS_PER_S)
        if start_ns > reader.end_ns:
            length_s = (reader.end_ns - reader.start_ns) / NS_PER_S
            raise ConfigError(
                f"--start-offset {arguments.start_offset}: the bag lasts {length_s:.1f} s"
            )
        participant = join(arguments.domain)
        from spatial_perception.dds.player import Player, PlayOptions

        plan = _plan(topics, arguments)
        options = PlayOptions(
            arguments.rate,
            1 if arguments.restamp else arguments.loop,
            arguments.clock,
            arguments.delay,
            arguments.restamp,
        )
        player = Player(participant, plan, options)
        code = _wait_for_subscribers(player, arguments, end)
        if code == 0:
            total = sum(info.count for info in topics.values()) * max(1, arguments.loop)
            with progress_bar(console, "play") as show:
                laps = arguments.loop if arguments.restamp else 1
                summary = player.play(
                    lambda: (
                        message
                        for message in looped_messages(reader, set(topics), laps)
                        if message.log_time_ns >= start_ns
                    ),
                    end,
                    lambda done: show(done, total if arguments.loop else None),
                )
            code = _report(summary, player, arguments, end)
        return leave(participant.close(), code)


def _chosen(reader: BagReader, topics: list[str]) -> dict[str, TopicInfo]:
    missing = sorted(set(topics) - set(reader.topics))
    if missing:
        listed = ", ".join(reader.topics)
        raise DatasetError(f"{reader.path}: no topic {', '.join(missing)}; topics: {listed}")
    return {t: info for t, info in reader.topics.items() if not topics or t in topics}


def _plan(
    topics: Mapping[str, TopicInfo], arguments: argparse.Namespace
) -> dict[str, tuple[TopicType, QosProfile]]:
    from spatial_perception.dds.overrides import load_play_overrides
    from spatial_perception.dds.player import played_qos
    from spatial_perception.dds.pubsub import TopicType

    path = arguments.qos_profile_overrides_path
    overrides = load_play_overrides(path) if path else {}
    remappings = parse_remappings(arguments.remap)
    plan = {}
    for recorded, info in topics.items():
        name = remappings.get(recorded, recorded)
        type_hash = "" if info.type_hash == NO_HASH else info.type_hash
        type_hash = type_hash or hash_of_definition(info.ros_type, info.definition)
        qos = played_qos(name, info.qos, {recorded: overrides.get(recorded, {}), **overrides})
        plan[recorded] = (TopicType(name, info.ros_type, type_hash), qos)
    return plan


def _wait_for_subscribers(player: Player, arguments: argparse.Namespace, end: Event) -> int:
    if arguments.wait_for_subscribers is None:
        return 0
    missing = player.wait_for_subscribers(arguments.wait_for_subscribers, end)
    if end.is_set():
        return EXIT_INTERRUPTED
    if missing:
        listed = ", ".join(missing)
        print(f"spatial-perception play: nobody subscribes to {listed}", file=sys.stderr)
    return 1 if missing else 0


def _report(summary: PlaySummary, player: Player, arguments: argparse.Namespace, end: Event) -> int:
    print(f"{sum(summary.counts.values())} messages on {len(summary.counts)} topics published")
    for topic, count in summary.left_out.items():
        print(
            f"note: {count} messages of {topic} left out: broken, or big-endian of an unknown type"
        )
    if not summary.is_complete:
        return EXIT_INTERRUPTED
    wait_ms = arguments.wait_for_all_acked
    if wait_ms is not None and not player.wait_for_acks(wait_ms / 1000, end):
        print("spatial-perception play: not everything was acknowledged", file=sys.stderr)
        return 1
    return 0
