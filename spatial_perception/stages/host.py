"""What every host does between bytes and the graph: decode, push, encode where somebody listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from spatial_perception.errors import ConfigError, DecodeError
from spatial_perception.messages import Codec
from spatial_perception.stages.graph import Graph, Result
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import DropCause, Stage

Encoded = tuple[Port, bytes]
DropHandler = Callable[[str, DropCause, str], None]


TIME_JUMP_NS = 1_000_000_000


class ByteGraph:
    """A graph that takes and gives CDR bytes.

    A sensor message that is no newer than the one before it is stale and dropped; one that is older
    by more than a second means that time jumped back (a looping bag), and every stage forgets.

    Args:
        graph: the stages.
        on_drop: called with topic, cause and message when a message cannot be used.
        is_listened: whether somebody takes an output now; what nobody takes is not encoded,
            latched outputs excepted. Without it everything is encoded.
    """

    def __init__(
        self,
        graph: Graph,
        on_drop: DropHandler | None = None,
        is_listened: Callable[[Port], bool] | None = None,
    ) -> None:
        self.graph = graph
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
    ) -> Iterator[Encoded]:
        """Yields the encoded outputs that one message leads to, in a fixed order.

        Only what somebody listens to is encoded.

        Args:
            port: the input port.
            codec: the codec of the topic that the message came on.
            data: CDR bytes.
            only: give it to these stages alone.
        """
        value = self.decode(port, codec, data)
        if value is None or not self._is_in_time(port, value):
            return
        yield from self._encoded(self.graph.push(port.topic, value, only))

    def _is_in_time(self, port: Port, value: Any) -> bool:
        if port.kind is not PortKind.SENSOR:
            return True
        stamp_ns: int = value.header.stamp_ns
        with self._lock:
            newest_ns = self._newest_ns.get(port.topic)
            if newest_ns is not None and stamp_ns < newest_ns - TIME_JUMP_NS:
                self._newest_ns.clear()
                self.graph.reset()
            elif newest_ns is not None and stamp_ns <= newest_ns:
                self.drop(port, DropCause.STALE)
                return False
            self._newest_ns[port.topic] = stamp_ns
        return True

    def flush(self) -> Iterator[Encoded]:
        """Yields the encoded outputs that still wait."""
        yield from self._encoded(self.graph.flush())

    def _encoded(self, results: Iterable[Result]) -> Iterator[Encoded]:
        for port, value in results:
            latched = port.kind is PortKind.LATCHED
            if latched or self._is_listened is None or self._is_listened(port):
                yield port, port.codec.encode(value)


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


def remapped(topic: str, remappings: Mapping[str, str]) -> str:
    """Returns the actual name of a topic; a compressed picture follows its raw topic."""
    if topic in remappings:
        return remappings[topic]
    base, separator, transport = topic.rpartition("/compressed")
    if separator and not transport and base in remappings:
        return f"{remappings[base]}/compressed"
    return topic
