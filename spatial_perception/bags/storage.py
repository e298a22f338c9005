"""One file of a bag, whatever its storage: MCAP with or without index, SQLite3, zstd around it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import Reader

from spatial_perception.bags import zstd
from spatial_perception.bags.mcap_scan import McapScan, has_index
from spatial_perception.bags.topics import BagMessage, TopicInfo, merged_topics, named_info
from spatial_perception.errors import DatasetError

STORAGE_OF_SUFFIX = {".mcap": "mcap", ".db3": "sqlite3"}
ZSTD_SUFFIXES = (".zstd", ".zst")
_ROS1_SUFFIX = ".bag"

_COPIED_BYTES = 1 << 20


class Storage(Protocol):
    """One file of a bag; messages come as they are stored."""

    topics: dict[str, TopicInfo]
    start_ns: int | None
    end_ns: int | None
    is_cut_off: bool

    def messages(self, topics: Collection[str]) -> Iterator[BagMessage]:
        """Yields the messages of `topics` in the order of their log times."""

    def close(self) -> None:
        """Closes the file."""


class IndexedStorage:
    """A finished MCAP file or an SQLite3 file.

    Raises:
        DatasetError: The file is damaged or holds messages that are not CDR.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # SQLite's write-ahead log of a recorder that was killed is not read
        journal = path.with_name(f"{path.name}-wal")
        self.is_cut_off = journal.is_file() and journal.stat().st_size > 0
        self._reader = Reader(path)
        try:
            self._reader.open()
        except Exception as error:  # on damaged bytes rosbags raises whatever they lead to
            raise DatasetError(f"{path}: no readable bag file ({_reason(error)})") from error
        self.topics = merged_topics(map(named_info, self._reader.connections))
        has_messages = self._reader.message_count > 0
        self.start_ns = self._reader.start_time if has_messages else None
        self.end_ns = self._reader.end_time - 1 if has_messages else None
        for connection in self._reader.connections:
            ext = connection.ext
            if isinstance(ext, ConnectionExtRosbag2) and ext.serialization_format != "cdr":
                self.close()
                raise DatasetError(
                    f"{path}: topic {connection.topic} is serialized as "
                    f"'{ext.serialization_format}'; only cdr can be read"
                )

    def messages(self, topics: Collection[str]) -> Iterator[BagMessage]:
        """Yields the messages of `topics` in the order of their log times.

        Raises:
            DatasetError: The file is damaged.
        """
        wanted = [item for item in self._reader.connections if item.topic in topics]
        if not wanted:
            return
        try:
            for connection, log_time_ns, data in self._reader.messages(wanted):
                yield BagMessage(connection.topic, connection.msgtype, log_time_ns, data)
        except Exception as error:
            raise DatasetError(f"{self._path}: damaged ({_reason(error)})") from error

    def close(self) -> None:
        """Closes the file."""
        self._reader.close()


def open_storage(path: Path, stack: ExitStack) -> Storage:
    """Returns the storage of one file, closed by `stack`.

    Args:
        path: `.mcap` or `.db3`, or one of these compressed as a whole (`.mcap.zstd`).
        stack: Closes the file, and removes what was unpacked.

    Raises:
        DatasetError: Another kind of file, or a damaged one.
    """
    if path.suffix in ZSTD_SUFFIXES:
        path = _unpacked(path, Path(stack.enter_context(TemporaryDirectory())))
    if path.suffix not in STORAGE_OF_SUFFIX:
        known = ", ".join(STORAGE_OF_SUFFIX)
        hint = "; rosbags-convert reads bags of ROS 1" if path.suffix == _ROS1_SUFFIX else ""
        raise DatasetError(f"{path}: unknown kind of bag file; known are {known}{hint}")
    storage: Storage
    try:
        if path.suffix == ".mcap" and not has_index(path):
            storage = McapScan(path)
        else:
            storage = IndexedStorage(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    stack.callback(storage.close)
    return storage


def _unpacked(path: Path, folder: Path) -> Path:
    """Returns the unpacked copy of a compressed file, as far as it goes."""
    target = folder / path.stem
    decompressor = zstd.ZstdDecompressor()
    try:
        with path.open("rb") as source, target.open("wb") as sink:
            while not decompressor.eof and (packed := source.read(_COPIED_BYTES)):
                sink.write(decompressor.decompress(packed))
    except zstd.ZstdError as error:
        raise DatasetError(f"{path}: damaged ({error})") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    return target


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
