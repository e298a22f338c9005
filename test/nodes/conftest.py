"""ROS processes and contexts in a domain of their own; pure tests of this folder use neither."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

DOMAIN = str(80 + os.getpid() % 20)


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Returns a function that starts rclpy with arguments; rclpy is shut down afterwards."""
    rclpy = pytest.importorskip("rclpy", reason="needs a ROS 2 with rclpy")
    monkeypatch.setenv("ROS_DOMAIN_ID", DOMAIN)

    def start(*arguments: str):
        rclpy.init(args=["--ros-args", *arguments] if arguments else [])
        return rclpy

    yield start
    rclpy.try_shutdown()


class RosProcess:
    """An executable of the package in a process of its own, with its output in a file."""

    def __init__(self, executable: str, arguments: tuple[str, ...], log: Path) -> None:
        module = "perception" if executable == "perception" else "executables"
        function = "main" if executable == "perception" else executable
        code = (
            f"import sys; from spatial_perception.nodes.{module} import {function} as main;"
            " sys.exit(main())"
        )
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, "--ros-args", *arguments],
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, "ROS_DOMAIN_ID": DOMAIN, "OMP_NUM_THREADS": "1"},
        )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def wait_for(self, text: str, timeout_s: float = 60.0) -> None:
        end = time.monotonic() + timeout_s
        while text not in self.output:
            assert self._process.poll() is None, f"ended early:\n{self.output}"
            assert time.monotonic() < end, f"no '{text}' in:\n{self.output}"
            time.sleep(0.05)

    def wait(self, timeout_s: float = 60.0) -> int:
        return self._process.wait(timeout_s)

    def interrupt(self) -> tuple[int, float]:
        """Returns exit code and seconds until the end after CTRL-C."""
        start = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20.0), time.monotonic() - start

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def ros_process(tmp_path: Path) -> Iterator[Callable[..., RosProcess]]:
    """Returns a function that starts an executable with ROS arguments."""
    pytest.importorskip("rclpy", reason="needs a ROS 2 with rclpy")
    started: list[RosProcess] = []

    def start(executable: str, *arguments: str) -> RosProcess:
        log = tmp_path / f"{executable}_{len(started)}.log"
        started.append(RosProcess(executable, arguments, log))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def spin_until(node, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Spins a node until a condition holds."""
    import rclpy

    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "timed out"
        rclpy.spin_once(node, timeout_sec=0.05)
