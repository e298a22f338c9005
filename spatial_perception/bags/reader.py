"""Reading rosbag2 bags: what topics there are, and their messages in log order."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePath
from types import TracebackType

import yaml

from spatial_perception.bags import zstd
from spatial_perception.bags.storage import (
    STORAGE_OF_SUFFIX,
    ZSTD_SUFFIXES,
    open_storage,
)
from spatial_perception.bags.topics import BagMessage, merged_topics
from spatial_perception.errors import DatasetError

METADATA_FILE = "metadata.yaml"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
"""CDR starts with 00 00 or 00 01, so these bytes mark a message that was compressed by itself."""


class BagReader:
    """A bag: a folder, or a single `.mcap` or `.db3` file; use it as a context manager.

    Split bags, file and message compression (zstd) read like any other. A bag whose writer was
    killed (no metadata.yaml, no index) is read as far as it goes.

    Attributes:
        path: Where the bag is.
        topics: What it holds, by topic.
        start_ns: Log time of the first message, nanoseconds; 0 without messages.
        end_ns: Log time of the last message, nanoseconds; 0 without messages.

    Raises:
        DatasetError: No bag there, or one that cannot be read. Says which file and why.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._stack = ExitStack()
        with ExitStack() as opening:
            self._storages = [open_storage(file, opening) for file in bag_files(self.path)]
            self._stack = opening.pop_all()
        found = (item for storage in self._storages for item in storage.topics.items())
        hashes = _listed_hashes(self.path / METADATA_FILE)
        self.topics = {
            topic: replace(info, type_hash=info.type_hash or hashes.get(topic, ""))
            for topic, info in merged_topics(found).items()
        }
        self.start_ns = min(
            (s.start_ns for s in self._storages if s.start_ns is not None), default=0
        )
        self.end_ns = max((s.end_ns for s in self._storages if s.end_ns is not None), default=0)

    @property
    def message_count(self) -> int:
        """Number of messages of all topics."""
        return sum(info.count for info in self.topics.values())

    @property
    def is_cut_off(self) -> bool:
        """Whether a file ends before its writer closed it: messages may be missing at the end."""
        return any(storage.is_cut_off for storage in self._storages)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yields messages in the order of their log times, over all topics and files.

        Args:
            topics: Only these; None for all.

        Raises:
            DatasetError: A topic is not in the bag, or a file turns out to be damaged.
        """
        missing = sorted(set(topics or ()) - set(self.topics))
        if missing:
            raise DatasetError(
                f"{self.path}: no topic {', '.join(missing)}; topics: {', '.join(self.topics)}"
            )
        wanted = frozenset(self.topics if topics is None else topics)
        streams = [storage.messages(wanted) for storage in self._storages]
        return map(self._decompressed, heapq.merge(*streams, key=lambda item: item.log_time_ns))

    def _decompressed(self, message: BagMessage) -> BagMessage:
        if not message.data.startswith(ZSTD_MAGIC):
            return message
        try:
            return replace(message, data=zstd.decompress(message.data))
        except zstd.ZstdError as error:
            raise DatasetError(f"{self.path}: a message of {message.topic} is damaged") from error

    def close(self) -> None:
        """Closes all files."""
        self._stack.close()

    def __enter__(self) -> BagReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def bag_files(path: Path) -> list[Path]:
    """Returns the files of a bag in the order of recording.

    Raises:
        DatasetError: No bag there, a file is missing, or its storage is unknown.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DatasetError(f"{path}: no such bag")
    listed = _listed_files(path / METADATA_FILE)
    if listed is not None:
        return listed
    found = sorted(
        (file for file in path.iterdir() if _is_bag_file(file)), key=lambda f: (len(f.name), f.name)
    )
    if not found:
        raise DatasetError(
            f"{path}: no bag in this folder (no {METADATA_FILE}, no .mcap, no .db3 file)"
        )
    return found


def _is_bag_file(file: Path) -> bool:
    name = Path(file.stem) if file.suffix in ZSTD_SUFFIXES else file
    return name.suffix in STORAGE_OF_SUFFIX and file.is_file()


def _listed_files(metadata: Path) -> list[Path] | None:
    """Returns the files that a metadata.yaml lists, None where there is none or an empty one."""
    try:
        content = yaml.safe_load(metadata.read_text()) if metadata.exists() else None
        if content is None:
            return None
        information = content["rosbag2_bagfile_information"]
        storage = information["storage_identifier"]
        names = [PurePath(name).name for name in information["relative_file_paths"]]
    except (yaml.YAMLError, KeyError, TypeError, OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{metadata}: damaged; remove it and the bag is read without it"
        ) from error
    if storage not in STORAGE_OF_SUFFIX.values():
        known = ", ".join(STORAGE_OF_SUFFIX.values())
        raise DatasetError(f"{metadata}: unknown storage '{storage}'; known are {known}")
    files = [metadata.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise DatasetError(f"{file}: missing, but {METADATA_FILE} lists it")
    return files


def _listed_hashes(metadata: Path) -> dict[str, str]:
    """Returns the type hashes that a metadata.yaml lists by topic; MCAP files have none."""
    try:
        content = yaml.safe_load(metadata.read_text()) if metadata.exists() else {}
        listed = content["rosbag2_bagfile_information"]["topics_with_message_count"]
        topics = [entry["topic_metadata"] for entry in listed]
        return {topic["name"]: topic.get("type_description_hash") or "" for topic in topics}
    except (yaml.YAMLError, KeyError, TypeError, OSError, UnicodeDecodeError):
        return {}
