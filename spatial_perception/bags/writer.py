"""Writing rosbag2 bags that `ros2 bag`, RViz and Foxglove read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Literal

from rosbags.interfaces import Connection
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.rosbag2.storage_mcap import McapWriter

from spatial_perception.bags.topics import TopicInfo, rosbag_qos
from spatial_perception.errors import DatasetError
from spatial_perception.messages.qos import QosProfile
from spatial_perception.messages.typestore import (
    definition_text,
    hash_of_definition,
    is_known,
)

_NO_HASH = "RIHS01_" + "0" * 64
_STATIC_QOS = QosProfile(transient_local=True, depth=100)
"""Without it `ros2 bag play` publishes /tf_static so that whoever comes later never sees it."""
_METADATA_VERSION: Literal[9] = 9


class BagWriter:
    """A new MCAP bag; use it as a context manager.

    The bag is closed however the block is left, by CTRL-C too. Where the process is killed, the
    folder holds an MCAP file without metadata.yaml, which `BagReader` reads as far as it goes.

    Args:
        path: Folder of the bag; must not exist yet.
        compress: Compress chunks with zstd.

    Raises:
        DatasetError: The path exists already or cannot be written.
    """

    def __init__(self, path: Path | str, compress: bool = True) -> None:
        self.path = Path(path)
        if self.path.exists():
            raise DatasetError(f"{self.path}: exists already; remove it or choose another output")
        self._writer = Writer(
            self.path, version=_METADATA_VERSION, storage_plugin=StoragePlugin.MCAP
        )
        if compress:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._connections: dict[str, Connection] = {}
        try:
            self._writer.open()
        except OSError as error:
            raise self._cannot_write(error) from error

    def declare(self, topic: str, info: TopicInfo) -> None:
        """Prepares a topic with all that another bag says of it, for types known or not.

        Raises:
            DatasetError: The topic has another type already.
        """
        if topic in self._connections:
            self._connection(topic, info.ros_type, info.qos)
            return
        known = definition_text(info.ros_type) if is_known(info.ros_type) else ""
        definition = info.definition or known
        digest = info.type_hash or hash_of_definition(info.ros_type, definition) or _NO_HASH
        qos = info.qos or (_STATIC_QOS if topic.endswith("/tf_static") else None)
        with _interrupts_deferred():
            self._connections[topic] = self._writer.add_connection(
                topic,
                info.ros_type,
                msgdef=definition,
                rihs01=digest,
                offered_qos_profiles=[rosbag_qos(qos)] if qos else [],
            )

    def write(
        self,
        topic: str,
        ros_type: str,
        log_time_ns: int,
        data: bytes | memoryview,
        qos: QosProfile | None = None,
    ) -> None:
        """Writes one message.

        Args:
            topic: Full topic name.
            ros_type: `package/msg/Name`, one that the typestore knows or `declare` told.
            log_time_ns: When it was received, nanoseconds since the epoch.
            data: CDR bytes.
            qos: Profile of the topic's publisher, taken from the first message of each topic.

        Raises:
            DatasetError: An unknown type, a topic with another type, or a disk that is full.
        """
        connection = self._connection(topic, ros_type, qos)
        try:
            with _interrupts_deferred():
                self._writer.write(connection, log_time_ns, data)
        except OSError as error:
            raise self._cannot_write(error) from error

    def flush(self) -> None:
        """Hands what was written to the system, so that it is kept if this process is killed.

        Raises:
            DatasetError: The disk is full.
        """
        storage = self._writer.storage
        try:
            with _interrupts_deferred():
                if isinstance(storage, McapWriter):
                    if storage.chunk.msgs:
                        storage.close_chunk()
                    storage.bio.flush()
        except OSError as error:
            raise self._cannot_write(error) from error

    def _connection(self, topic: str, ros_type: str, qos: QosProfile | None) -> Connection:
        connection = self._connections.get(topic)
        if connection is None:
            if not is_known(ros_type):
                raise DatasetError(
                    f"{self.path}: type '{ros_type}' of {topic} is unknown; declare the topic "
                    "with its definition first"
                )
            self.declare(topic, TopicInfo(ros_type, 0, qos))
            connection = self._connections[topic]
        if connection.msgtype != ros_type:
            raise DatasetError(
                f"{self.path}: {topic} has type '{connection.msgtype}', not '{ros_type}'"
            )
        return connection

    def close(self) -> None:
        """Writes the index and metadata.yaml; nothing where it is closed already.

        Raises:
            DatasetError: The disk is full.
        """
        if self._writer.storage is None:
            return
        try:
            with _interrupts_deferred():
                self._writer.close()
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> DatasetError:
        return DatasetError(f"{self.path}: cannot be written ({error.strerror or error})")

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Holds CTRL-C back while a record is half written; it strikes in the main thread only."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if received:
        handler(*received[-1])
