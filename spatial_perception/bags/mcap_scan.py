"""Sequential reading of MCAP files without an index, such as those of a recorder that was killed.

Follows the MCAP specification (https://mcap.dev/spec): a file is a row of records, each an opcode,
a length and its content. A file that was cut off leaves every complete record readable and, in a
compressed chunk, every message before the cut.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lz4.frame import LZ4FrameDecompressor  # type: ignore[import-untyped]
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.metadata import parse_qos

from spatial_perception.bags import zstd
from spatial_perception.bags.topics import BagMessage, TopicInfo, merged_topics, named_info
from spatial_perception.errors import DatasetError

_MAGIC = b"\x89MCAP0\r\n"
_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _CHUNK_INDEX, _DATA_END = 0x03, 0x04, 0x05, 0x06, 0x08, 0x0F
_FOOTER = 0x02
_FOOTER_BYTES = 9 + 20 + len(_MAGIC)
_CACHED_CHUNKS = 8

_U16, _U32, _U64 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")
_RECORD = struct.Struct("<BQ")
_MESSAGE_HEADER = struct.Struct("<HIQQ")
_CHUNK_HEADER = struct.Struct("<QQQI")


class _Entry(NamedTuple):
    """Where a message lies; sorts by log time, then by the order of writing."""

    log_time_ns: int
    order: int
    channel: int
    chunk: int | None
    """Offset of the chunk record's content in the file; None: the message lies in the file."""
    offset: int
    length: int


def has_index(path: Path) -> bool:
    """Returns whether an MCAP file is finished and has an undamaged index of its chunks."""
    with path.open("rb") as stream:
        if stream.seek(0, 2) < _FOOTER_BYTES + len(_MAGIC):
            return False
        stream.seek(-_FOOTER_BYTES, 2)
        footer = stream.read()
        (summary_start,) = struct.unpack_from("<Q", footer, 9)
        is_footer = footer.endswith(_MAGIC) and footer[0] == _FOOTER
        if not is_footer or not 0 < summary_start < stream.tell():
            return False
        stream.seek(summary_start)
        summary = stream.read()[: -len(_MAGIC)]
        (checksum,) = _U32.unpack(summary[-_U32.size :])
        if checksum and crc32(summary[: -_U32.size]) != checksum:
            return False
        stream.seek(summary_start)
        return any(opcode == _CHUNK_INDEX for opcode, _, _ in _records(stream))


class McapScan:
    """An MCAP file, read from its start as far as it goes.

    Attributes:
        topics: What it holds, by topic.
        start_ns: Log time of the first message, None without messages.
        end_ns: Log time of the last message, None without messages.
        is_cut_off: Whether the file ends before its writer closed it.

    Raises:
        DatasetError: The file is no MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        if self._stream.read(len(_MAGIC)) != _MAGIC:
            self._stream.close()
            raise DatasetError(f"{path}: no MCAP file")
        self._schemas: dict[int, tuple[str, MessageDefinition]] = {}
        self._channels: dict[int, Connection] = {}
        self._entries: list[_Entry] = []
        self.is_cut_off = True
        self._cached_chunk = lru_cache(maxsize=_CACHED_CHUNKS)(self._chunk)
        # What is damaged ends the scan; what came before it counts.
        with suppress(struct.error, UnicodeDecodeError, KeyError, ReaderError):
            self._scan(self._stream, None)
        self._entries.sort()
        self.start_ns = self._entries[0].log_time_ns if self._entries else None
        self.end_ns = self._entries[-1].log_time_ns if self._entries else None
        counts = Counter(entry.channel for entry in self._entries)
        self.topics: dict[str, TopicInfo] = merged_topics(
            named_info(channel._replace(msgcount=counts[channel.id]))
            for channel in self._channels.values()
        )

    def _scan(self, stream: BinaryIO, chunk: int | None) -> None:
        for opcode, offset, length in _records(stream):
            if opcode == _MESSAGE:
                head = stream.read(_MESSAGE_HEADER.size)
                channel, _, log_time_ns, _ = _MESSAGE_HEADER.unpack(head)
                start, size = offset + len(head), length - len(head)
                if size >= 0 and channel in self._channels:
                    order = len(self._entries)
                    self._entries.append(_Entry(log_time_ns, order, channel, chunk, start, size))
            elif opcode == _SCHEMA:
                self._add_schema(BytesIO(stream.read(length)))
            elif opcode == _CHANNEL:
                self._add_channel(BytesIO(stream.read(length)))
            elif opcode == _CHUNK and chunk is None:
                self._scan(BytesIO(self._cached_chunk(offset)), offset)
            elif opcode == _DATA_END:
                self.is_cut_off = False
                return

    def _add_schema(self, content: BytesIO) -> None:
        (schema,) = _U16.unpack(content.read(2))
        name, encoding, text = _text(content), _text(content), _text(content)
        known = {"ros2msg": MessageDefinitionFormat.MSG, "ros2idl": MessageDefinitionFormat.IDL}
        definition_format = known.get(encoding, MessageDefinitionFormat.NONE)
        self._schemas[schema] = name, MessageDefinition(definition_format, text)

    def _add_channel(self, content: BytesIO) -> None:
        channel, schema = _U16.unpack(content.read(2))[0], _U16.unpack(content.read(2))[0]
        topic, encoding = _text(content), _text(content)
        metadata = BytesIO(_sized(content))
        pairs: dict[str, str] = {}
        while metadata.tell() < _size(metadata):
            key = _text(metadata)
            pairs[key] = _text(metadata)
        ros_type, definition = self._schemas[schema]
        qos = parse_qos(pairs.get("offered_qos_profiles", ""))
        self._channels[channel] = Connection(
            id=channel,
            topic=topic,
            msgtype=ros_type,
            msgdef=definition,
            digest=pairs.get("topic_type_hash", ""),
            msgcount=0,
            ext=ConnectionExtRosbag2(encoding, qos),
            owner=None,
        )

    def _chunk(self, offset: int) -> bytes:
        """Returns the records of the chunk whose content starts at `offset`, up to a cut."""
        position = self._stream.tell()
        self._stream.seek(offset)
        _, _, size, checksum = _CHUNK_HEADER.unpack(self._stream.read(_CHUNK_HEADER.size))
        compression = _text(self._stream)
        (compressed_size,) = _U64.unpack(self._stream.read(8))
        content = self._stream.read(min(compressed_size, _size(self._stream)))
        self._stream.seek(position)
        records = _decompressed(content, compression)
        if checksum and len(records) == size and crc32(records) != checksum:
            return b""
        return records

    def messages(self, topics: Collection[str]) -> Iterator[BagMessage]:
        """Yields the messages of `topics` in the order of their log times."""
        wanted = {
            key: channel for key, channel in self._channels.items() if channel.topic in topics
        }
        for entry in self._entries:
            channel = wanted.get(entry.channel)
            if channel is None:
                continue
            if entry.chunk is None:
                self._stream.seek(entry.offset)
                data = self._stream.read(entry.length)
            else:
                chunk = self._cached_chunk(entry.chunk)
                data = chunk[entry.offset : entry.offset + entry.length]
            yield BagMessage(channel.topic, channel.msgtype, entry.log_time_ns, data)

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()


def _records(stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yields opcode, offset and length of each record's content; only a chunk may be cut off."""
    end = _size(stream)
    while len(head := stream.read(_RECORD.size)) == _RECORD.size:
        opcode, length = _RECORD.unpack(head)
        offset = stream.tell()
        is_cut = offset + length > end
        if opcode == 0 or (is_cut and opcode != _CHUNK):
            return
        yield opcode, offset, length
        if is_cut:
            return
        stream.seek(offset + length)


def _size(stream: BinaryIO) -> int:
    position = stream.tell()
    size = stream.seek(0, 2)
    stream.seek(position)
    return size


def _sized(stream: BinaryIO) -> bytes:
    return stream.read(_U32.unpack(stream.read(4))[0])


def _text(stream: BinaryIO) -> str:
    return _sized(stream).decode()


def _decompressed(content: bytes, compression: str) -> bytes:
    """Returns as much as a chunk's bytes give, nothing where they are damaged."""
    try:
        if compression == "zstd":
            return zstd.ZstdDecompressor().decompress(content)
        if compression == "lz4":
            return bytes(LZ4FrameDecompressor().decompress(content))
    except (zstd.ZstdError, RuntimeError):
        return b""
    return content if compression == "" else b""
