"""Live graphs: engines in a worker, switching on and off, publishing, what is logged."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from spatial_perception.core import Header
from spatial_perception.core.examples import example_point_cloud
from spatial_perception.messages import POINT_CLOUD
from spatial_perception.stages.host_config import DiagnosticsConfig
from spatial_perception.stages.live import LiveGraph
from spatial_perception.stages.port import Port
from spatial_perception.stages.stage import DropCause, Readiness
from test.stages.test_graph import Shift


class Slow(Shift):
    """Loads when it is let; counts how often it was loaded and freed."""

    def __init__(self) -> None:
        super().__init__("slow", "/a", "/b")
        self.gate = threading.Event()
        self.calls: list[str] = []

    def load(self) -> None:
        assert self.gate.wait(10)
        self.calls.append("load")

    def close(self) -> None:
        self.calls.append("close")


class Stuck(Slow):
    """Fails where its engine is freed."""

    def close(self) -> None:
        raise RuntimeError("CUDA error 700")


class Lines:
    """A logger that remembers."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, message: str) -> None:
        self.lines.append(("info", message))

    def warning(self, message: str) -> None:
        self.lines.append(("warning", message))

    def error(self, message: str) -> None:
        self.lines.append(("error", message))


class Host:
    """A live graph with one slow stage, and what came out of it."""

    def __init__(self, stage: Slow | None = None) -> None:
        self.stage, self.log = stage or Slow(), Lines()
        self.published: list[str] = []
        self.live = LiveGraph(
            [self.stage],
            lambda port, data: self.published.append(port.topic),
            lambda port: port.topic == "/b",
            "lossless",
            lambda name: self.log,
            lambda: 7_000_000,
            {"slow": DiagnosticsConfig(warn_latency_ms=1.0)},
        )

    def send(self, stamp_ns: int) -> None:
        cloud = dataclasses.replace(example_point_cloud(), header=Header(stamp_ns, "lidar"))
        port: Port = self.stage.inputs[0]
        self.live.offer(port, POINT_CLOUD, POINT_CLOUD.encode(cloud))
        assert self.live.drain(10)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end_s, "timed out"
            time.sleep(0.002)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.stage.gate.set()
    made.live.close()


def test_engine_loads_in_a_worker_and_clouds_count_meanwhile(host: Host) -> None:
    host.live.load("slow")
    host.live.activate("slow")
    host.send(1_000_000)
    assert host.stage.readiness is Readiness.LOADING
    assert host.stage.drops == {DropCause.ENGINE: 1}
    host.stage.gate.set()
    host.wait_for(lambda: host.stage.readiness is Readiness.READY)
    host.send(2_000_000)
    assert host.published == ["/b"]
    assert host.log.lines[-1] == ("info", "1 of 1 stages ready")


def test_latency_is_the_clock_less_the_stamp(host: Host) -> None:
    host.stage.gate.set()
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.readiness is Readiness.READY)
    host.send(2_000_000)
    (status,) = host.live.diagnostics().statuses
    assert status.values["latency_p50_ms"] == "5.00"
    assert "within 5 ms" in status.message, "the threshold of 1 ms is in force"


def test_deactivate_frees_the_engine_and_activate_loads_it_anew(host: Host) -> None:
    host.stage.gate.set()
    for _ in range(2):
        host.live.activate("slow")
        host.wait_for(lambda: host.stage.readiness is Readiness.READY)
        host.live.deactivate("slow")
        assert host.stage.readiness is Readiness.INACTIVE
        host.wait_for(lambda: host.stage.calls[-1] == "close")
    assert host.stage.calls == ["load", "close"] * 2
    host.send(1_000_000)
    assert not host.published
    assert not host.stage.drops, "what passes a stage by is no drop"


def test_stage_switched_off_while_it_loads_does_not_become_ready(host: Host) -> None:
    host.live.activate("slow")
    host.live.deactivate("slow")
    host.live.activate("slow")
    host.live.deactivate("slow")
    host.stage.gate.set()
    host.wait_for(lambda: host.stage.calls.count("close") == 2)
    assert host.stage.readiness is Readiness.INACTIVE


def test_failure_is_logged_and_a_new_load_recovers(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("no such model")

    monkeypatch.setattr(host.stage, "load", fail)
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.readiness is Readiness.FAILED)
    host.wait_for(lambda: ("info", "0 of 1 stages ready") in host.log.lines)
    assert ("error", "slow cannot be loaded: no such model") in host.log.lines
    monkeypatch.undo()
    host.stage.gate.set()
    host.live.deactivate("slow")
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.readiness is Readiness.READY)


def test_messages_lost_on_the_network_are_counted_and_logged(host: Host) -> None:
    host.live.count_lost(host.stage.inputs[0], "/car1/a", 3)
    host.live.count_lost(host.stage.inputs[0], "/car1/a", 2)
    assert host.stage.drops == {DropCause.LOST: 5}
    (line,) = [text for level, text in host.log.lines if level == "error"]
    assert line.startswith("/car1/a: 3 messages lost")


def test_broken_message_is_logged_once_and_counted(host: Host) -> None:
    host.stage.gate.set()
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.readiness is Readiness.READY)
    for _ in range(5):
        host.live.offer(host.stage.inputs[0], POINT_CLOUD, b"\0\1\0\0garbage")
    assert host.live.drain(10)
    assert host.stage.drops == {DropCause.DECODE: 5}
    errors = [text for level, text in host.log.lines if level == "error"]
    assert len(errors) == 1
    assert errors[0].startswith("/a: ")


def test_an_engine_that_cannot_be_freed_is_logged_and_loads_go_on() -> None:
    host = Host(Stuck())
    host.stage.gate.set()
    host.live.load("slow")
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.readiness is Readiness.READY)
    host.live.deactivate("slow")
    host.live.activate("slow")
    host.wait_for(lambda: host.stage.calls == ["load", "load"])
    assert ("error", "slow cannot be freed: CUDA error 700") in host.log.lines
