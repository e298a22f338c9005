"""What every host does between bytes and the graph: decode, push, encode where somebody listens."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from spatial_perception.config import near_miss
from spatial_perception.errors import ConfigError, DecodeError
from spatial_perception.messages import Codec
from spatial_perception.stages.graph import Graph, Result
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import TIME_JUMP_NS, DropCause, Stage

Encoded = tuple[Port, bytes]
DropHandler = Callable[[str, DropCause, str], None]
logger = logging.getLogger(__name__)


class ByteGraph:
    """A graph that takes and gives CDR bytes.

    A sensor message that is no newer than the one before it is stale and dropped; one that is older
    by more than a second means that time jumped back (a looping bag), and every stage forgets.

    Args:
        graph: the stages.
        on_drop: called with topic, cause and message when a message cannot be used.
        is_listened: whether somebody takes an output now; what nobody takes is not encoded,
            latched outputs excepted. Without it everything is encoded.
        now_ns: the clock that stamps are compared with, to tell how late results are; None where
            there is none, as in a replay that does not keep time.
    """

    def __init__(
        self,
        graph: Graph,
        on_drop: DropHandler | None = None,
        is_listened: Callable[[Port], bool] | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        self.graph = graph
        self._now_ns = now_ns
        self._on_drop = on_drop
        self._is_listened = is_listened
        if is_listened is not None:
            graph.listen(is_listened)
        self._newest_ns: dict[str, int] = {}
        self._lock = threading.Lock()

    def decode(self, port: Port, codec: Codec[Any], data: bytes | memoryview) -> Any | None:
        """Returns the value in a message, or None after counting it as dropped."""
        try:
            return codec.decode(data)
        except DecodeError as error:
            self.drop(port, DropCause.DECODE, str(error))
            return None

    def drop(self, port: Port, cause: DropCause, message: str = "") -> None:
        """Counts a message as dropped by every stage that takes the topic."""
        for stage in self.graph.consumers(port.topic):
            stage.drops[cause] += 1
            if message:
                stage.last_error = message
        if self._on_drop is not None:
            self._on_drop(port.topic, cause, message)

    def push(
        self,
        port: Port,
        codec: Codec[Any],
        data: bytes | memoryview,
        only: Iterable[Stage] | None = None,
        arrived_s: float | None = None,
    ) -> Iterator[Encoded]:
        """Yields the encoded outputs that one message leads to, in a fixed order.

        Only what somebody listens to is encoded. An output counts as published when the next one
        is asked for.

        Args:
            port: the input port.
            codec: the codec of the topic that the message came on.
            data: CDR bytes.
            only: give it to these stages alone.
            arrived_s: when the message came, by `time.perf_counter`; None where nobody waits.
        """
        start_s = time.perf_counter()
        value = self.decode(port, codec, data)
        if value is None or not self._is_in_time(port, value):
            return
        if port.kind is PortKind.SENSOR:
            steps = {"decode": (time.perf_counter() - start_s) * 1e3}
            if arrived_s is not None:
                steps = {"wait": (start_s - arrived_s) * 1e3, **steps}
            for stage in self.graph.consumers(port.topic):
                if only is None or stage in only:
                    self.graph.monitors[stage.name].add_steps(steps)
        yield from self._encoded(self.graph.push(port.topic, value, only), arrived_s)

    def _is_in_time(self, port: Port, value: Any) -> bool:
        if port.kind is not PortKind.SENSOR:
            return True
        stamp_ns: int = value.header.stamp_ns
        with self._lock:
            newest_ns = self._newest_ns.get(port.topic)
            if newest_ns is not None and stamp_ns < newest_ns - TIME_JUMP_NS:
                logger.warning(
                    "%s: time jumped back by %.1f s, every stage forgets what it remembers",
                    port.topic,
                    (newest_ns - stamp_ns) / 1e9,
                )
                self._newest_ns.clear()
                self.graph.reset()
            elif newest_ns is not None and stamp_ns <= newest_ns:
                text = f"stamp {stamp_ns / 1e9:.3f} s is not later than the one before it"
                self.drop(port, DropCause.STALE, text)
                return False
            self._newest_ns[port.topic] = stamp_ns
        return True

    def flush(self) -> Iterator[Encoded]:
        """Yields the encoded outputs that still wait."""
        yield from self._encoded(self.graph.flush(), None)

    def _encoded(self, results: Iterable[Result], arrived_s: float | None) -> Iterator[Encoded]:
        for port, value in results:
            latched = port.kind is PortKind.LATCHED
            start_s = time.perf_counter()
            if latched or self._is_listened is None or self._is_listened(port):
                data = port.codec.encode(value)
                encode_ms = (time.perf_counter() - start_s) * 1e3
                yield port, data
                self._count_publication(port, value, encode_ms, arrived_s)

    def _count_publication(
        self, port: Port, value: Any, encode_ms: float, arrived_s: float | None
    ) -> None:
        stage, header = self.graph.producer(port.topic), getattr(value, "header", None)
        if stage is None or header is None:
            return
        latency_ms = response_ms = None
        if self._now_ns is not None:
            latency_ms = (self._now_ns() - header.stamp_ns) / 1e6
        if arrived_s is not None:
            response_ms = (time.perf_counter() - arrived_s) * 1e3
        monitor = self.graph.monitors[stage.name]
        monitor.add_steps({f"encode_{port.name.rpartition('/')[2]}": encode_ms})
        monitor.add_publication(latency_ms, response_ms)


def parse_remappings(texts: list[str]) -> dict[str, str]:
    """Returns {default topic: actual topic} of `from:=to` arguments.

    Raises:
        ConfigError: an argument has another form.
    """
    remappings = {}
    for text in texts:
        source, separator, target = text.partition(":=")
        if not separator or not source.startswith("/") or not target.startswith("/"):
            raise ConfigError(f"remapping '{text}': expected /default/topic:=/actual/topic")
        remappings[source] = target
    return remappings


def unused_remappings(
    graph: Graph, remappings: Mapping[str, str], others: Iterable[str] = (), namespace: str = "/"
) -> tuple[str, ...]:
    """Returns a line for each remapping of a topic that no stage of a graph has.

    Args:
        graph: the stages.
        remappings: default topic, with or without the namespace, to actual topic.
        others: topics that the host has itself.
        namespace: of all nodes and topics.
    """
    known = {topic for port in graph.external_inputs() for topic, _ in port.sources}
    known |= {port.topic for port in graph.outputs()} | set(others)
    prefix = namespace.rstrip("/")
    return tuple(
        f"remapping of {source}: no stage here has that topic{near_miss(source, known)}"
        for source in remappings
        if source not in known and source.removeprefix(prefix) not in known
    )


def remapped(topic: str, remappings: Mapping[str, str]) -> str:
    """Returns the actual name of a topic; a compressed picture follows its raw topic."""
    if topic in remappings:
        return remappings[topic]
    base, separator, transport = topic.rpartition("/compressed")
    if separator and not transport and base in remappings:
        return f"{remappings[base]}/compressed"
    return topic
