"""A graph: stages whose topics match, in one process, without serialization between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from spatial_perception.core import Latency
from spatial_perception.errors import (
    ConfigError,
    DecodeError,
    EngineError,
    PerceptionError,
    TransformError,
)
from spatial_perception.messages import LATENCY
from spatial_perception.stages.monitor import StageMonitor
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import DropCause, Outputs, Readiness, Stage

Result = tuple[Port, Any]
ErrorHandler = Callable[[Stage, DropCause, str], None]

_ALWAYS_TAKEN = (PortKind.STATE, PortKind.TRANSFORM, PortKind.STATIC_TRANSFORM)

_CAUSES = {
    DecodeError: DropCause.DECODE,
    TransformError: DropCause.TRANSFORM,
    EngineError: DropCause.ENGINE,
}


class Graph:
    """Wires stages by topic and runs them one after the other.

    Args:
        stages: in any order; a value goes to consumers in the order of their dependencies.
        on_error: called with every error of a stage, after it was counted; it may raise to stop
            the run.
    """

    def __init__(self, stages: Sequence[Stage], on_error: ErrorHandler | None = None) -> None:
        names = [stage.name for stage in stages]
        if len(set(names)) != len(names):
            raise ConfigError(f"stage names must be unique, got {', '.join(names)}")
        for stage in stages:
            _check_ports(stage)
        self.stages = _in_dependency_order(stages)
        self.monitors = {stage.name: StageMonitor(stage) for stage in self.stages}
        self._on_error = on_error
        self._locks = {stage.name: threading.Lock() for stage in self.stages}
        self._turns = {stage.name: threading.Lock() for stage in self.stages}
        self._latency_ports = {stage.name: latency_port(stage.name) for stage in self.stages}
        self._consumers: dict[str, list[tuple[Stage, Port]]] = {}
        self._producers = {port.topic: s for s in self.stages for port in s.outputs}
        for stage in self.stages:
            for port in stage.inputs:
                self._consumers.setdefault(port.topic, []).append((stage, port))
        for stage in self.stages:
            stage.is_fed = partial(self._is_fed, {port.name: port.topic for port in stage.inputs})
        self.listen(lambda port: True)

    def listen(self, is_listened: Callable[[Port], bool]) -> None:
        """Tells stages which outputs somebody takes, within the graph or outside of it."""
        for stage in self.stages:
            ports = {port.name: port for port in stage.outputs}

            def is_wanted(name: str, ports: dict[str, Port] = ports) -> bool:
                port = ports[name]
                return (
                    port.kind is PortKind.LATCHED
                    or port.topic in self._consumers
                    or is_listened(port)
                )

            stage.is_wanted = is_wanted

    def external_inputs(self) -> tuple[Port, ...]:
        """Returns the input ports that no stage of this graph feeds, one for each topic."""
        ports: dict[str, Port] = {}
        for stage in self.stages:
            for port in stage.inputs:
                if port.topic not in self._producers:
                    ports.setdefault(port.topic, port)
        return tuple(ports.values())

    def outputs(self) -> tuple[Port, ...]:
        """Returns the output ports of all stages, with their latency topics."""
        listed = [port for stage in self.stages for port in stage.outputs]
        return (*listed, *self._latency_ports.values())

    def consumers(self, topic: str) -> tuple[Stage, ...]:
        """Returns the stages that take a topic."""
        return tuple(stage for stage, _ in self._consumers.get(topic, ()))

    def producer(self, topic: str) -> Stage | None:
        """Returns the stage that gives an output; None for latencies and inputs."""
        return self._producers.get(topic)

    def check(self) -> None:
        """Raises now what would go wrong at the first input, for example a missing model."""
        for stage in self.stages:
            stage.check()

    def load(self) -> None:
        """Loads the models of all stages."""
        for stage in self.stages:
            stage.load()

    def push(self, topic: str, value: Any, only: Iterable[Stage] | None = None) -> Iterator[Result]:
        """Yields every output that a value on a topic leads to, in a fixed order.

        Args:
            topic: the default topic of an input port.
            value: core type of that port.
            only: give it to these stages alone (and to what they feed).
        """
        wanted = None if only is None else {stage.name for stage in only}
        for stage, port in self._consumers.get(topic, ()):
            if wanted is None or stage.name in wanted:
                yield from self._run(stage, partial(_taken, stage, port, value))

    def flush(self) -> Iterator[Result]:
        """Yields what the stages still hold, because the input has ended."""
        for stage in self.stages:
            yield from self._run(stage, stage.flush)

    def reset(self) -> None:
        """Makes every stage forget, because time jumped back."""
        for stage in self.stages:
            with self._locks[stage.name]:
                stage.reset()

    def release(self, stage: Stage) -> None:
        """Makes a stage forget and frees its engine, between two of its inputs."""
        with self._locks[stage.name]:
            stage.reset()
            stage.close()

    def close(self) -> None:
        """Frees the engines of all stages, of the others too where one raises."""
        with ExitStack() as stack:
            for stage in self.stages:
                stack.callback(stage.close)

    def _is_fed(self, topics: dict[str, str], port_name: str) -> bool:
        producer = self._producers.get(topics[port_name])
        return producer is not None and producer.readiness is Readiness.READY

    def _run(self, stage: Stage, call: Callable[[], Iterable[tuple[str, Any]]]) -> Iterator[Result]:
        produced: list[tuple[str, Any]] = []
        with self._locks[stage.name]:  # both branches of a live host feed a fusing stage
            start = time.perf_counter()
            try:
                produced = list(call())
            except PerceptionError as error:
                stage.drop(drop_cause(error), error=str(error))
            elapsed_ms = (time.perf_counter() - start) * 1e3
            if produced:
                self.monitors[stage.name].add(elapsed_ms)
                self.monitors[stage.name].add_steps(stage.take_steps_ms())
            errors, stage.pending_errors = stage.pending_errors, []
            turn = self._turns[stage.name]
            turn.acquire()  # what the other branch makes next does not overtake this
        try:
            if self._on_error is not None:
                for cause, message in errors:
                    self._on_error(stage, cause, message)
            if not produced:
                return
            ports = {port.name: port for port in stage.outputs}
            for name, value in produced:
                port = ports[name]
                yield port, value
                yield from self.push(port.topic, value)
            yield self._latency_ports[stage.name], Latency(elapsed_ms)
        finally:
            turn.release()


def _taken(stage: Stage, port: Port, value: Any) -> Outputs:
    """Returns what a value leads to; nothing while the stage is not ready, which keeps state alone.

    Called behind the stage's lock: a stage that was just released must not load its engine anew.
    """
    if stage.readiness is Readiness.READY or port.kind in _ALWAYS_TAKEN:
        return stage.push(port.name, value)
    if stage.readiness is not Readiness.INACTIVE:
        stage.drop(DropCause.ENGINE)
    return ()


def _check_ports(stage: Stage) -> None:
    for ports in (stage.inputs, stage.outputs):
        names = [port.name for port in ports]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(
                f"stage '{stage.name}' has a port '{twice}' twice: names of cameras and of LiDARs"
                " must be unique"
            )


def latency_port(stage_name: str) -> Port:
    """Returns the port on which a stage's computing time is published."""
    topic = f"/perception/{stage_name}/latency_ms"
    return Port("latency", topic, LATENCY, PortKind.RESULT)


def drop_cause(error: PerceptionError) -> DropCause:
    """Returns under which cause an error is counted."""
    for kind, cause in _CAUSES.items():
        if isinstance(error, kind):
            return cause
    return DropCause.ENGINE


def _in_dependency_order(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Returns producers before consumers; otherwise the order given.

    Raises:
        ConfigError: stages feed each other in a circle.
    """
    waiting, ordered = list(stages), []
    while waiting:
        pending = {port.topic for stage in waiting for port in stage.outputs}
        ready = [s for s in waiting if not any(port.topic in pending for port in s.inputs)]
        if not ready:
            raise ConfigError(f"stages feed each other: {', '.join(s.name for s in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return tuple(ordered)
