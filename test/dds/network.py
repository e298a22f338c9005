"""A DDS network of a test's own on the loopback interface, and commands in processes on it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from spatial_perception.dds.participant import Participant
from spatial_perception.dds.pubsub import Publisher, TopicType
from spatial_perception.messages import QosProfile

CONFIG = """
<CycloneDDS><Domain>
  <General>
    <Interfaces><NetworkInterface address="127.0.0.1"/></Interfaces>
    <AllowMulticast>false</AllowMulticast>
  </General>
  <Discovery>
    <Tag>{tag}</Tag>
    <ParticipantIndex>auto</ParticipantIndex>
    <MaxAutoParticipantIndex>40</MaxAutoParticipantIndex>
    <Peers><Peer address="localhost"/></Peers>
  </Discovery>
</Domain></CycloneDDS>
"""
_COUNTER = itertools.count()
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def environment() -> dict[str, str]:
    """Returns the variables of a new network; its tag keeps out whoever has the same domain."""
    domain = 1 + (7 * os.getpid() + 50 * _WORKER + next(_COUNTER)) % 100
    return {
        "ROS_DOMAIN_ID": str(domain),
        "CYCLONEDDS_URI": CONFIG.format(tag=uuid.uuid4()),
        "OMP_NUM_THREADS": "1",
    }


def wait_until(condition: Callable[[], object], timeout_s: float = 60.0, what: str = "") -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"timed out: {what}"
        time.sleep(0.02)


def stop_limit_s() -> float:
    """Returns how long CTRL-C may take: two seconds of a machine that has no more to do."""
    return 2.0 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Command:
    """`spatial-perception ...` in a process of its own, with its output in a file."""

    def __init__(self, log: Path, *arguments: object) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spatial_perception.cli.main", *map(str, arguments)],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str, timeout_s: float = 90.0) -> None:
        end_s = time.monotonic() + timeout_s
        while text not in self.output:
            assert self.is_running, f"ended early:\n{self.output}"
            assert time.monotonic() < end_s, f"no '{text}' in:\n{self.output}"
            time.sleep(0.05)

    def wait(self, timeout_s: float = 90.0) -> int:
        return self._process.wait(timeout_s)

    def interrupt(self) -> tuple[int, float]:
        """Returns exit code and seconds until the end after CTRL-C."""
        start_s = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30.0), time.monotonic() - start_s

    def kill(self) -> None:
        """As `kill -9`."""
        if self.is_running:
            self._process.kill()
            self._process.wait()


class Peer:
    """Another node on the network, in the test's own process."""

    def __init__(self, name: str = "peer") -> None:
        self.name = name
        self.participant = Participant()
        self.participant.add_node(name)

    def collect(self, topic: str, ros_type: str, qos: QosProfile | None = None) -> list[bytes]:
        """Returns a list that grows with the messages of a topic."""
        found: list[bytes] = []
        profile = qos or QosProfile(depth=1000)
        what = TopicType(topic, ros_type)
        self.participant.subscribe_to(self.name, what, profile, found.append)
        return found

    def publisher(
        self, topic: str, ros_type: str, qos: QosProfile | None = None, wait: bool = True
    ) -> Publisher:
        """Returns a publisher, by default one that somebody has found already."""
        what = TopicType(topic, ros_type)
        publisher = self.participant.publish_on(self.name, what, qos or QosProfile(depth=100))
        if wait:
            wait_until(lambda: publisher.matched, what=f"a subscriber of {topic}")
            time.sleep(0.3)  # the other side of the match
        return publisher

    def close(self) -> None:
        self.participant.close()
