"""Delivery in live hosts: newest sensor message wins, state is never superseded, bounded memory."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spatial_perception.messages import Codec
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.host_config import DeliveryMode
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Stage

Publish = Callable[[Port, bytes], None]
LOSSLESS_DEPTH = 64
STATE_DEPTH = 10_000
"""Transforms and states that may wait for a branch: seconds of them, where it is stuck."""


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    port: Port
    codec: Codec[Any]
    data: bytes | memoryview
    arrived_s: float


class _BranchWorker:
    """One thread for the stages of one branch."""

    def __init__(
        self,
        branch: Branch,
        stages: tuple[Stage, ...],
        graph: ByteGraph,
        publish: Publish,
        mode: DeliveryMode,
    ) -> None:
        self._stages = stages
        self._graph = graph
        self._publish = publish
        self._mode = mode
        self._queue: deque[_Item] = deque()
        self._newest: dict[str, _Item] = {}
        self._changed = threading.Condition()
        self._is_running = True
        self._is_busy = False
        self._thread = threading.Thread(target=self._run, name=f"{branch.value} branch")
        self._thread.daemon = True
        self._thread.start()

    def offer(self, item: _Item) -> None:
        with self._changed:
            if item.port.kind is PortKind.SENSOR and self._mode == "newest":
                if item.port.topic in self._newest:
                    self._count_superseded(item.port)
                self._newest[item.port.topic] = item
            else:
                if self._mode == "lossless":
                    self._changed.wait_for(
                        lambda: len(self._queue) < LOSSLESS_DEPTH or not self._is_running
                    )
                else:
                    self._make_room(item.port)
                self._queue.append(item)
            self._changed.notify_all()

    def drain(self, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(
                lambda: not (self._queue or self._newest or self._is_busy), timeout_s
            )

    def stop(self, timeout_s: float) -> bool:
        with self._changed:
            self._is_running = False
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _make_room(self, port: Port) -> None:
        """Gives up the oldest message that waits where too many do: memory and age stay bounded."""
        waiting, depth = self._queue, STATE_DEPTH
        if port.kind in (PortKind.RESULT, PortKind.LATCHED):
            waiting = deque(item for item in self._queue if item.port.topic == port.topic)
            depth = port.qos.depth
        if len(waiting) >= depth:
            oldest = waiting[0]
            self._queue.remove(oldest)
            self._count_superseded(oldest.port)

    def _count_superseded(self, port: Port) -> None:
        for stage in self._stages:
            if any(p.topic == port.topic for p in stage.inputs):
                stage.drops[DropCause.SUPERSEDED] += 1

    def _take(self) -> _Item | None:
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._queue or self._newest or not self._is_running)
            if not self._is_running:
                return None
            self._is_busy = True
            if self._queue:  # transforms and state first, so that sensor data finds them
                return self._queue.popleft()
            return self._newest.pop(next(iter(self._newest)))

    def _run(self) -> None:
        while (item := self._take()) is not None:
            try:
                for port, data in self._graph.push(
                    item.port, item.codec, item.data, self._stages, item.arrived_s
                ):
                    self._publish(port, data)
            except Exception as error:  # one bad message must not end the branch
                text = f"{type(error).__name__}: {error}"
                self._graph.drop(item.port, DropCause.ENGINE, text)


class LiveDelivery:
    """Takes messages from any thread at any rate and runs each branch in a worker of its own.

    In mode `newest` a sensor message that is overtaken before it was looked at is dropped and
    counted, and so is the oldest of a topic's results (of another process) where as many wait as
    its quality of service keeps; in mode `lossless` every message is processed and `offer` waits
    while a branch is behind.

    Args:
        graph: the stages.
        publish: called by the workers with every encoded output.
        mode: `newest` or `lossless`.
    """

    def __init__(self, graph: ByteGraph, publish: Publish, mode: DeliveryMode = "newest") -> None:
        self._workers: dict[Branch, _BranchWorker] = {}
        self._consumers: dict[str, set[Branch]] = {}
        for stage in graph.graph.stages:
            stage.is_lossless = mode == "lossless"
        for branch in Branch:
            stages = tuple(s for s in graph.graph.stages if s.branch is branch)
            if stages:
                self._workers[branch] = _BranchWorker(branch, stages, graph, publish, mode)
            for stage in stages:
                for port in stage.inputs:
                    self._consumers.setdefault(port.topic, set()).add(branch)

    def offer(self, port: Port, codec: Codec[Any], data: bytes | memoryview) -> None:
        """Hands a message to every branch that takes its topic, and returns at once."""
        item = _Item(port, codec, data, time.perf_counter())
        for branch in sorted(self._consumers.get(port.topic, ()), key=lambda b: b.value):
            self._workers[branch].offer(item)

    def drain(self, timeout_s: float = 60.0) -> bool:
        """Waits until everything offered is processed; returns whether that happened in time."""
        drained = [worker.drain(timeout_s) for worker in self._workers.values()]
        return all(drained)

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Ends the workers, what still waits is dropped; returns whether all ended in time."""
        ended = [worker.stop(timeout_s) for worker in self._workers.values()]
        return all(ended)
