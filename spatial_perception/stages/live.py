"""What every live host does around its transport: load, switch, deliver, count, report."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spatial_perception.core import Diagnostics
from spatial_perception.messages import Codec
from spatial_perception.stages.delivery import LiveDelivery, Publish
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.host_config import DeliveryMode, DiagnosticsConfig
from spatial_perception.stages.loader import Loader
from spatial_perception.stages.log import Logger, ThrottledLog
from spatial_perception.stages.monitor import diagnostics
from spatial_perception.stages.port import Port
from spatial_perception.stages.stage import DropCause, Readiness, Stage

DIAGNOSTICS_TOPIC = "/diagnostics"
DIAGNOSTICS_PERIOD_S = 1.0
STOP_TIMEOUT_S = 0.4  # of each thread, so that a process ends within two seconds


class LiveGraph:
    """Stages whose engines load in a worker, fed with bytes by a live host from any thread.

    Args:
        stages: the graph; all start inactive.
        publish: called by the workers with every encoded output.
        is_listened: whether somebody takes an output now.
        mode: delivery of sensor messages.
        logger: of a stage's node by the stage's name; of the process with an empty name.
        now_ns: the clock that the sensors' stamps are compared with.
        thresholds: of `/diagnostics`, by the stage's name.

    Attributes:
        graph: the stages, wired.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        publish: Publish,
        is_listened: Callable[[Port], bool],
        mode: DeliveryMode,
        logger: Callable[[str], Logger],
        now_ns: Callable[[], int],
        thresholds: Mapping[str, DiagnosticsConfig] | None = None,
    ) -> None:
        self.graph = Graph(stages, self._on_error)
        self._stages = {stage.name: stage for stage in self.graph.stages}
        self._loaded = dict.fromkeys(self._stages, Readiness.INACTIVE)
        self._active: set[str] = set()
        self._requests = dict.fromkeys(self._stages, 0)
        self._lock = threading.Lock()
        self._logger = logger
        self._now_ns = now_ns
        self._log = ThrottledLog()
        self._loader = Loader()
        self._update_readiness()
        for name, values in (thresholds or {}).items():
            self.graph.monitors[name].thresholds = values
        host = ByteGraph(self.graph, self._on_drop, is_listened, now_ns)
        self._delivery = LiveDelivery(host, publish, mode)

    def offer(self, port: Port, codec: Codec[Any], data: bytes | memoryview) -> None:
        """Takes a message of an input; see `LiveDelivery.offer`."""
        self._delivery.offer(port, codec, data)

    def count_lost(self, port: Port, topic: str, count: int) -> None:
        """Counts messages that the middleware knows to be lost on their way to an input."""
        for stage in self.graph.consumers(port.topic):
            stage.drops[DropCause.LOST] += count
        text = f"{topic}: {count} messages lost on the network; see 'Large clouds' in docs/ros.md"
        self._log.error(self._logger(""), (topic, DropCause.LOST), text)

    def announce(self, names: Sequence[str]) -> None:
        """Tells which stages will be loaded soon, so that "all ready" waits for them."""
        with self._lock:
            self._loaded.update(dict.fromkeys(names, Readiness.LOADING))

    def load(self, name: str) -> None:
        """Starts to load a stage's engine; returns at once."""
        request = self._request(name, Readiness.LOADING)
        self._loader.submit(functools.partial(self._load, name, request))

    def unload(self, name: str) -> None:
        """Starts to free a stage's engine and makes the stage forget; returns at once."""
        self._request(name, Readiness.INACTIVE)
        self._loader.submit(functools.partial(self._free, name))

    def activate(self, name: str) -> None:
        """Lets inputs reach a stage, and loads its engine anew where it was freed."""
        with self._lock:
            self._active.add(name)
            is_freed = self._loaded[name] is Readiness.INACTIVE
        if is_freed:
            self.load(name)
        self._update_readiness()

    def deactivate(self, name: str) -> None:
        """Lets inputs pass a stage by, and frees its engine; returns at once."""
        with self._lock:
            self._active.discard(name)
        self.unload(name)

    def diagnostics(self) -> Diagnostics:
        """Returns the state of all stages now."""
        return diagnostics(self.graph.monitors.values(), self._now_ns())

    def drain(self, timeout_s: float = 60.0) -> bool:
        """Waits until everything offered is processed; returns whether that happened in time."""
        return self._delivery.drain(timeout_s)

    def close(self) -> bool:
        """Ends the workers and frees the engines; returns whether all ended in time."""
        has_loaded = self._loader.stop(STOP_TIMEOUT_S)
        has_ended = self._delivery.stop(STOP_TIMEOUT_S) and has_loaded
        if has_ended:
            self.graph.close()
        return has_ended

    def _request(self, name: str, state: Readiness) -> int:
        """Returns the number of a request; what is still queued of earlier ones is outdated."""
        with self._lock:
            self._requests[name] += 1
            self._loaded[name] = state
        self._update_readiness()
        return self._requests[name]

    def _load(self, name: str, request: int) -> None:
        if request != self._requests[name]:
            return
        stage, logger = self._stages[name], self._logger(name)
        start_s = time.monotonic()
        try:
            stage.load()
        except Exception as error:  # whatever a backend raises; the node stays and says so
            stage.last_error = str(error) or type(error).__name__
            logger.error(f"{name} cannot be loaded: {error}")
            outcome = Readiness.FAILED
        else:
            logger.info(f"{name} ready after {time.monotonic() - start_s:.1f} s")
            outcome = Readiness.READY
        with self._lock:
            if request == self._requests[name]:
                self._loaded[name] = outcome
        self._update_readiness()
        states = list(self._loaded.values())
        if Readiness.LOADING not in states:
            ready = states.count(Readiness.READY)
            self._logger("").info(f"{ready} of {len(states)} stages ready")

    def _free(self, name: str) -> None:
        try:
            self.graph.release(self._stages[name])
        except Exception as error:  # whatever a backend raises; the loader serves other stages
            self._logger(name).error(f"{name} cannot be freed: {error}")

    def _update_readiness(self) -> None:
        with self._lock:
            for name, stage in self._stages.items():
                is_active = name in self._active
                stage.readiness = self._loaded[name] if is_active else Readiness.INACTIVE

    def _on_error(self, stage: Stage, cause: DropCause, message: str) -> None:
        text = f"{cause.value}: {message}"
        self._log.error(self._logger(stage.name), (stage.name, cause), text)

    def _on_drop(self, topic: str, cause: DropCause, message: str) -> None:
        if message:
            text = f"{topic}: {message} ({cause.value})"
            self._log.error(self._logger(""), (topic, cause), text)
