"""How messages of a bag reach the graph, at once or at their pace, and where results go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping

from spatial_perception.bags import BagWriter
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.errors import PerceptionError
from spatial_perception.messages import DIAGNOSTICS, QosProfile
from spatial_perception.replay.sources import Source
from spatial_perception.stages.delivery import LiveDelivery
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph, DropHandler, remapped
from spatial_perception.stages.live import DIAGNOSTICS_TOPIC
from spatial_perception.stages.monitor import diagnostics
from spatial_perception.stages.port import Port
from spatial_perception.stages.stage import DropCause


class Sink:
    """Writes outputs under their actual topics and counts them."""

    def __init__(
        self, writer: BagWriter, remappings: Mapping[str, str], counts: dict[str, int]
    ) -> None:
        self._writer = writer
        self._remappings = remappings
        self._counts = counts

    def write(self, outputs: Iterable[tuple[Port, bytes]], log_time_ns: int) -> None:
        """Writes what stages gave out."""
        for port, data in outputs:
            topic = remapped(port.topic, self._remappings)
            self._counts[topic] = self._counts.get(topic, 0) + 1
            self._writer.write(topic, port.codec.ros_type, log_time_ns, data, port.qos)

    def copy(self, topic: str, ros_type: str, log_time_ns: int, data: bytes) -> None:
        """Writes a message of the input."""
        self._writer.write(topic, ros_type, log_time_ns, data)

    def write_diagnostics(self, graph: Graph, log_time_ns: int) -> None:
        """Writes the state of all stages."""
        data = DIAGNOSTICS.encode(diagnostics(graph.monitors.values(), log_time_ns))
        self._writer.write(DIAGNOSTICS_TOPIC, DIAGNOSTICS.ros_type, log_time_ns, data, QosProfile())


class LosslessFeed:
    """Every message, one after the other; outputs carry the log time of their input."""

    def __init__(self, graph: Graph, sink: Sink, on_drop: DropHandler | None) -> None:
        self._host = ByteGraph(graph, on_drop)
        self._sink = sink
        for stage in graph.stages:
            stage.is_lossless = True

    def wait_until(self, log_time_ns: int) -> None:
        """Waits for nothing."""

    def feed(self, source: Source, log_time_ns: int, data: bytes) -> None:
        """Runs the graph on one message."""
        self._sink.write(self._host.push(source.port, source.codec, data), log_time_ns)

    def finish(self, log_time_ns: int) -> None:
        """Writes what stages still hold."""
        self._sink.write(self._host.flush(), log_time_ns)


class RealtimeFeed:
    """Paced by log time, delivered as in a live host; outputs carry the time they came at."""

    def __init__(self, graph: Graph, sink: Sink, on_drop: DropHandler | None) -> None:
        on_drop = None if on_drop is None else self._note
        self._host = ByteGraph(graph, on_drop, now_ns=self._now_ns)
        self._sink = sink
        self._delivery: LiveDelivery | None = None
        self._offset_ns = 0
        self._ready: deque[tuple[Port, bytes, int]] = deque()
        self._error = ""

    def wait_until(self, log_time_ns: int) -> None:
        """Waits until a message is due, and writes what was ready before.

        Raises:
            PerceptionError: a message before could not be used, and errors stop the replay.
        """
        if self._delivery is None:
            self._delivery = LiveDelivery(self._host, self._collect)
            self._offset_ns = log_time_ns - time.monotonic_ns()
        ahead_ns = log_time_ns - self._now_ns()
        if ahead_ns > 0:
            time.sleep(ahead_ns / NS_PER_S)
        self._write_ready()

    def feed(self, source: Source, log_time_ns: int, data: bytes) -> None:
        """Hands one message to the workers."""
        if self._delivery is not None:
            self._delivery.offer(source.port, source.codec, data)

    def finish(self, log_time_ns: int) -> None:
        """Waits for the workers and writes what stages still hold.

        Raises:
            PerceptionError: as `wait_until`.
        """
        if self._delivery is not None:
            self._delivery.drain()
            self._delivery.stop()
        self._write_ready()
        self._sink.write(self._host.flush(), self._now_ns())

    def _collect(self, port: Port, data: bytes) -> None:
        self._ready.append((port, data, self._now_ns()))

    def _note(self, topic: str, cause: DropCause, message: str) -> None:
        """Keeps what went wrong in a worker, where nothing can stop the replay."""
        if cause in (DropCause.DECODE, DropCause.ENGINE):
            self._error = self._error or f"{topic}: {message} ({cause.value})"

    def _write_ready(self) -> None:
        """Writes from the reader's thread alone: a bag has one writer."""
        while self._ready:
            port, data, log_time_ns = self._ready.popleft()
            self._sink.write([(port, data)], log_time_ns)
        if self._error:
            if self._delivery is not None:
                self._delivery.stop()
            raise PerceptionError(self._error)

    def _now_ns(self) -> int:
        return time.monotonic_ns() + self._offset_ns
