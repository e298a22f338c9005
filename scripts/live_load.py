#!/usr/bin/env python3
"""Loads the DDS host with a bag at any rate and prints what comes of it: drops, latency, memory.

python scripts/live_load.py BAG --seconds 60              # at recorded speed
python scripts/live_load.py BAG --seconds 60 --rate 10    # a talker ten times too fast

Runs `spatial-perception live` in a process of its own on loopback; plays the bag to it from memory,
over and over, with stamps of the time of playing; listens to /diagnostics and to the results like
RViz would, and reads the host's memory once a second.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from spatial_perception.bags import BagMessage, BagReader, looped_messages
from spatial_perception.core import DiagnosticStatus
from spatial_perception.dds.participant import Participant
from spatial_perception.dds.player import Player, PlayOptions
from spatial_perception.dds.pubsub import TopicType
from spatial_perception.messages import DIAGNOSTICS, QosProfile

LOOPBACK = (
    "<CycloneDDS><Domain><General>{fragments}"
    "<Interfaces><NetworkInterface name='lo' multicast='false'/></Interfaces></General>"
    "<Discovery><ParticipantIndex>auto</ParticipantIndex>"
    "<Peers><Peer address='127.0.0.1'/></Peers></Discovery>"
    "<Internal>{buffer}</Internal></Domain></CycloneDDS>"
)
BUFFER = "<SocketReceiveBufferSize min='4MB' max='16MB'/>"
LARGE_FRAGMENTS = "<MaxMessageSize>65000B</MaxMessageSize><FragmentSize>60000B</FragmentSize>"
COMMAND = (sys.executable, "-m", "spatial_perception.cli.main")
RESULTS = {
    "/perception/camera/front/detections": "vision_msgs/msg/Detection2DArray",
    "/perception/camera/front/segmentation": "sensor_msgs/msg/Image",
    "/perception/lidar/detections": "vision_msgs/msg/Detection3DArray",
    "/perception/lidar/segmentation": "sensor_msgs/msg/PointCloud2",
    "/perception/occupancy/grid": "nav_msgs/msg/OccupancyGrid",
}
READY_S = 300.0


class Listener:
    """Keeps the last report of each stage."""

    def __init__(self, domain: int) -> None:
        self.reports: dict[str, DiagnosticStatus] = {}
        participant = Participant(domain)
        participant.add_node("load")
        what = TopicType("/diagnostics", DIAGNOSTICS.ros_type)
        participant.subscribe_to("load", what, QosProfile(), self._take)
        for topic, ros_type in RESULTS.items():
            participant.subscribe_to(
                "load", TopicType(topic, ros_type), QosProfile(depth=5), lambda data: None
            )

    def _take(self, data: bytes) -> None:
        for status in DIAGNOSTICS.decode(data).statuses:
            self.reports[status.name.removeprefix("perception: ")] = status

    def is_ready(self) -> bool:
        """Returns whether all stages have their engines."""
        states = [report.values["state"] for report in list(self.reports.values())]
        return bool(states) and all(state == "ready" for state in states)


class Talker:
    """Plays a bag from memory, as sensors do: little of the machine goes into it."""

    def __init__(self, bag: Path, domain: int, rate: float) -> None:
        with BagReader(bag) as reader:
            self.start_ns, self.end_ns, self.topics = reader.start_ns, reader.end_ns, reader.topics
            self._messages = list(reader.messages())
        plan = {
            topic: (TopicType(topic, info.ros_type, info.type_hash), QosProfile(depth=5))
            for topic, info in self.topics.items()
        }
        latched = QosProfile(transient_local=True, depth=5)
        plan |= {topic: (plan[topic][0], latched) for topic in plan if topic == "/tf_static"}
        self._player = Player(Participant(domain), plan, PlayOptions(rate=rate, restamp=True))

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yields the messages once, like the bag's reader."""
        yield from self._messages

    def run(self, end: threading.Event) -> None:
        """Plays until the end is told."""
        summary = self._player.play(lambda: looped_messages(self, loops=0), end)
        print(f"{sum(summary.counts.values())} messages sent")


def main() -> int:
    """Prints the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--stages", default="")
    parser.add_argument("--domain", type=int, default=151)
    parser.add_argument(
        "--cyclone-defaults",
        action="store_true",
        help="small fragments and sockets, instead of those of config/cyclonedds.xml",
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["CYCLONEDDS_URI"] = LOOPBACK.format(
        buffer="" if arguments.cyclone_defaults else BUFFER,
        fragments="" if arguments.cyclone_defaults else LARGE_FRAGMENTS,
    )
    domain = ("--domain", str(arguments.domain))
    listener = Listener(arguments.domain)
    live = subprocess.Popen([*COMMAND, "live", *domain, "--stages", arguments.stages])
    try:
        wait_for(listener.is_ready, READY_S)
        end = threading.Event()
        talker = Talker(arguments.bag, arguments.domain, arguments.rate)
        thread = threading.Thread(target=talker.run, args=(end,), daemon=True)
        thread.start()
        memory_mb = []
        end_s = time.monotonic() + arguments.seconds
        while time.monotonic() < end_s:
            time.sleep(1.0)
            memory_mb.append(resident_mb(live.pid))
        end.set()
        thread.join(20.0)
        reports = dict(listener.reports)
    finally:
        live.send_signal(signal.SIGINT)
    started_s = time.monotonic()
    code = live.wait(20)
    elapsed_s = time.monotonic() - started_s
    print(f"CTRL-C: exit code {code} after {elapsed_s:.1f} s")
    content = summary(reports, memory_mb)
    show(content)
    if arguments.json:
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    return 0 if code == 0 else 1


def wait_for(condition: Any, timeout_s: float) -> None:
    """Waits until a condition holds."""
    event, end_s = threading.Event(), time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise TimeoutError("the host is not ready")
        event.wait(0.2)


def resident_mb(pid: int) -> float:
    """Returns the memory that a process holds, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def summary(reports: dict[str, DiagnosticStatus], memory_mb: list[float]) -> dict[str, Any]:
    """Returns what was seen, as JSON takes it."""
    stages = {name: dict(report.values) for name, report in reports.items()}
    quarter = max(1, len(memory_mb) // 4)
    return {
        "stages": stages,
        "memory_mb": {
            "first quarter": round(max(memory_mb[:quarter]), 1),
            "last quarter": round(max(memory_mb[-quarter:]), 1),
            "all": [round(value, 1) for value in memory_mb],
        },
    }


def show(content: dict[str, Any]) -> None:
    """Prints a row for each stage."""
    print(
        "| stage | frames | dropped | rate, Hz | compute p50, p99 ms | stamp to result p50, p99 |"
    )
    print("|---|---|---|---|---|---|")
    for name, values in content["stages"].items():
        drops = {k.removeprefix("dropped_"): v for k, v in values.items() if k[:8] == "dropped_"}
        dropped = ", ".join(f"{count} {cause}" for cause, count in drops.items()) or "0"
        cells = [name, values["frames"], dropped, values["rate_hz"]]
        for kind in ("compute", "latency"):
            cells.append(", ".join(values.get(f"{kind}_{p}_ms", "-") for p in ("p50", "p99")))
        print(f"| {' | '.join(cells)} |")
    memory = content["memory_mb"]
    print(
        f"memory: at most {memory['first quarter']} MB in the first quarter of the time,", end=" "
    )
    print(f"{memory['last quarter']} MB in the last")


if __name__ == "__main__":
    sys.exit(main())
