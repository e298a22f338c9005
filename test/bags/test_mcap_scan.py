"""MCAP files that were cut off anywhere."""

from __future__ import annotations

import struct
from binascii import crc32
from pathlib import Path

import lz4.frame
import pytest
from rosbags.rosbag2 import CompressionMode

from spatial_perception.bags import BagMessage, BagReader
from spatial_perception.bags.mcap_scan import McapScan, has_index
from spatial_perception.errors import DatasetError

from .recording import recorded, write_reference

MAGIC = b"\x89MCAP0\r\n"


def record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def text(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode()


def head() -> bytes:
    schema = struct.pack("<H", 1) + text("std_msgs/msg/Float64") + text("ros2msg")
    channel = struct.pack("<HH", 1, 1) + text("/latency_ms") + text("cdr") + struct.pack("<I", 0)
    return record(3, schema + text("float64 data\n")) + record(4, channel)


def message(log_time_ns: int, data: bytes) -> bytes:
    return record(5, struct.pack("<HIQQ", 1, 0, log_time_ns, log_time_ns) + data)


def chunk(records: bytes, compression: str, crc: int = 0) -> bytes:
    packed = lz4.frame.compress(records) if compression == "lz4" else records
    content = struct.pack("<QQQI", 0, 9, len(records), crc) + text(compression)
    return record(6, content + struct.pack("<Q", len(packed)) + packed)


def scanned(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(MAGIC + record(1, text("ros2") + text("test")) + content)
    with BagReader(path) as bag:
        return [item.data for item in bag.messages()]


@pytest.mark.parametrize("compression", [CompressionMode.NONE, CompressionMode.STORAGE])
def test_a_cut_file_gives_the_messages_before_the_cut(
    tmp_path: Path, compression: CompressionMode
) -> None:
    messages = recorded(count=120, points=8000)
    bag = write_reference(tmp_path / "bag", messages, compression=compression)
    content = (bag / "bag.mcap").read_bytes()
    counts = []
    for length in [8, 100, *range(20_000, len(content), len(content) // 12), len(content) - 1]:
        file = tmp_path / "cut.mcap"
        file.write_bytes(content[:length])
        assert not has_index(file)
        with BagReader(file) as reader:
            read = list(reader.messages())
        assert read == messages[: len(read)]
        counts.append(len(read))
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == 120
    assert len(set(counts)) > 8


def test_messages_outside_of_chunks_are_read_in_log_order(tmp_path: Path) -> None:
    content = head() + message(7, b"\0\1\0\0late") + message(3, b"\0\1\0\0soon")
    assert scanned(tmp_path / "a.mcap", content) == [b"\0\1\0\0soon", b"\0\1\0\0late"]


def test_lz4_chunks_are_read_up_to_the_cut(tmp_path: Path) -> None:
    first = chunk(head() + message(1, b"\0\1\0\0" + bytes(100)), "lz4")
    second = chunk(message(2, b"\0\1\0\0" + bytes(100)), "lz4")
    assert len(scanned(tmp_path / "a.mcap", first + second)) == 2
    assert len(scanned(tmp_path / "b.mcap", first + second[:-30])) == 1


def test_a_chunk_with_a_wrong_checksum_is_left_out(tmp_path: Path) -> None:
    good = chunk(head() + message(1, b"\0\1\0\0good"), "")
    bad = chunk(message(2, b"\0\1\0\0baad"), "", crc=1)
    after = chunk(message(3, b"\0\1\0\0more"), "")
    assert scanned(tmp_path / "a.mcap", good + bad + after) == [b"\0\1\0\0good", b"\0\1\0\0more"]


def test_random_damage_ends_the_reading_without_an_exception(tmp_path: Path) -> None:
    content = head() + b"".join(message(n, b"\0\1\0\0" + bytes(8)) for n in range(20))
    for position in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        assert len(scanned(tmp_path / "a.mcap", bytes(damaged))) <= 20


def test_a_finished_file_has_an_index(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    assert has_index(bag / "bag.mcap")
    scan = McapScan(bag / "bag.mcap")
    assert list(scan.messages({"/points", "/latency_ms"})) == recorded()
    scan.close()


def test_a_damaged_index_is_not_used(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded(count=12))
    file = bag / "bag.mcap"
    whole, content = list(BagReader(file).messages()), bytearray(file.read_bytes())
    (start,) = struct.unpack_from("<Q", content, len(content) - 28)
    content[-12:-8] = struct.pack("<I", crc32(content[start:-12]))
    file.write_bytes(content)
    assert has_index(file)
    for damaged in range(start, len(content) - 12, 97):
        content[damaged] ^= 0xFF
        file.write_bytes(content)
        assert not has_index(file)
        with BagReader(file) as reader:
            assert list(reader.messages()) == whole
        content[damaged] ^= 0xFF


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"ID3\x03 not this format")
    with pytest.raises(DatasetError, match=r"a.mcap: no MCAP file"):
        McapScan(tmp_path / "a.mcap")


def test_a_compressed_message_that_is_damaged_is_one_clear_line(tmp_path: Path) -> None:
    broken = BagMessage("/latency_ms", "std_msgs/msg/Float64", 1, b"\x28\xb5\x2f\xfd broken")
    bag = write_reference(tmp_path / "bag", [broken])
    with BagReader(bag) as reader, pytest.raises(DatasetError, match="/latency_ms is damaged"):
        list(reader.messages())
