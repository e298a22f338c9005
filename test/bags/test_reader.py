"""Reading bags of every storage, whole, split, compressed and damaged."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest
import yaml
from rosbags.rosbag2 import CompressionMode, StoragePlugin

from spatial_perception.bags import BagReader, BagWriter, TopicInfo
from spatial_perception.errors import DatasetError

from .recording import START_NS, STEP_NS, recorded, write_reference

STORAGES = [
    (StoragePlugin.MCAP, CompressionMode.NONE),
    (StoragePlugin.MCAP, CompressionMode.STORAGE),
    (StoragePlugin.MCAP, CompressionMode.FILE),
    (StoragePlugin.MCAP, CompressionMode.MESSAGE),
    (StoragePlugin.SQLITE3, CompressionMode.NONE),
    (StoragePlugin.SQLITE3, CompressionMode.FILE),
    (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
]


@pytest.fixture(params=STORAGES, ids=lambda pair: f"{pair[0].name}-{pair[1].name}".lower())
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    storage, compression = request.param
    return write_reference(tmp_path / "bag", recorded(), storage, compression)


def only_file(bag: Path) -> Path:
    (file,) = (file for file in bag.iterdir() if file.name != "metadata.yaml")
    return file


def test_every_storage_gives_the_same_messages(stored: Path) -> None:
    with BagReader(stored) as bag:
        assert list(bag.messages()) == recorded()
        assert {topic: info.count for topic, info in bag.topics.items()} == {
            "/points": 10,
            "/latency_ms": 30,
        }
        assert bag.message_count == 40
        assert bag.start_ns == START_NS
        assert bag.end_ns == START_NS + 39 * STEP_NS


def test_a_bag_without_metadata_reads_like_one_with_it(stored: Path) -> None:
    (stored / "metadata.yaml").unlink()
    with BagReader(stored) as bag:
        assert list(bag.messages()) == recorded()


def test_a_single_file_is_a_bag(stored: Path) -> None:
    with BagReader(only_file(stored)) as bag:
        assert list(bag.messages()) == recorded()


def test_only_the_topics_asked_for_come(stored: Path) -> None:
    with BagReader(stored) as bag:
        assert {message.topic for message in bag.messages(["/points"])} == {"/points"}
        assert list(bag.messages([])) == []


def test_messages_recorded_out_of_order_come_in_log_order(tmp_path: Path) -> None:
    shuffled = recorded()[::-1]
    with BagReader(write_reference(tmp_path / "bag", shuffled)) as bag:
        assert list(bag.messages()) == recorded()


def test_split_files_come_in_log_order_over_all_files(tmp_path: Path) -> None:
    messages = recorded()
    bag = tmp_path / "bag"
    bag.mkdir()
    parts = [messages[0::3], messages[1::3], messages[2::3]]
    for index, part in enumerate(parts):
        file = only_file(write_reference(tmp_path / f"part{index}", part))
        file.rename(bag / f"bag_{index}.mcap")
    information = {
        "version": 9,
        "storage_identifier": "mcap",
        "relative_file_paths": [f"bag/bag_{index}.mcap" for index in range(3)],
    }
    (bag / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": information}))
    with BagReader(bag) as reader:
        assert list(reader.messages()) == messages
        assert reader.topics["/points"].count == 10


def test_the_definition_and_type_of_a_topic_are_known(tmp_path: Path) -> None:
    with BagReader(write_reference(tmp_path / "bag", recorded())) as bag:
        info = bag.topics["/latency_ms"]
        assert info.ros_type == "std_msgs/msg/Float64"
        assert info.definition.startswith("float64 data")


def test_an_unknown_topic_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    expected = pytest.raises(DatasetError, match="no topic /cloud; topics: /points, /latency_ms")
    with BagReader(write_reference(tmp_path / "bag", recorded())) as bag, expected:
        bag.messages(["/cloud"])


def test_a_missing_bag_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere: no such bag$"):
        BagReader(tmp_path / "nowhere")


def test_an_empty_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no bag in this folder \(no metadata.yaml"):
        BagReader(tmp_path)


def test_an_unknown_storage_is_named(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    metadata = bag / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace(": mcap", ": parquet"))
    with pytest.raises(DatasetError, match="unknown storage 'parquet'; known are mcap, sqlite3"):
        BagReader(bag)


def test_a_file_that_metadata_lists_but_is_gone_is_named(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    only_file(bag).unlink()
    with pytest.raises(DatasetError, match=r"bag.mcap: missing, but metadata.yaml lists it"):
        BagReader(bag)


@pytest.mark.parametrize("text", ["a: [", "just words", "rosbag2_bagfile_information: {}"])
def test_a_damaged_metadata_says_what_to_do(tmp_path: Path, text: str) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    (bag / "metadata.yaml").write_text(text)
    with pytest.raises(DatasetError, match="damaged; remove it"):
        BagReader(bag)


@pytest.mark.parametrize("name", ["bag.mcap", "bag.db3", "bag.txt", "bag.mcap.zstd"])
def test_a_file_that_is_no_bag_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no bag at all, but some bytes of text" * 10)
    with pytest.raises(DatasetError) as caught:
        BagReader(tmp_path / name)
    assert name.removesuffix(".zstd") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_sqlite_file_with_messages_left_in_its_journal_is_cut_off(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded(), StoragePlugin.SQLITE3)
    with BagReader(bag) as reader:
        assert not reader.is_cut_off
    recorder = sqlite3.connect(bag / "bag.db3")
    with recorder:
        recorder.execute("PRAGMA journal_mode=WAL")
    with recorder:
        recorder.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 0, x'00')")
    with BagReader(bag) as reader:
        assert reader.is_cut_off
    recorder.close()


def test_a_damaged_sqlite_file_is_one_clear_line(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded(), StoragePlugin.SQLITE3)
    file = only_file(bag)
    content = bytearray(file.read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"bag.db3") as caught, BagReader(bag) as reader:
        list(reader.messages())
    assert "\n" not in str(caught.value)


def test_type_hashes_of_metadata_are_told(tmp_path: Path) -> None:
    digest = "RIHS01_" + "ab" * 32
    with BagWriter(tmp_path / "bag") as writer:
        writer.declare("/radar", TopicInfo("acme_msgs/msg/Radar", 0, type_hash=digest))
        writer.write("/radar", "acme_msgs/msg/Radar", 1, b"\x00\x01\x00\x00")
    with BagReader(tmp_path / "bag") as reader:
        assert reader.topics["/radar"].type_hash == digest


@pytest.mark.parametrize("compression", [CompressionMode.NONE, CompressionMode.STORAGE])
def test_damaged_bytes_anywhere_are_no_other_error(
    tmp_path: Path, compression: CompressionMode
) -> None:
    bag = write_reference(tmp_path / "bag", recorded(3, points=5), compression=compression)
    content = (bag / "bag.mcap").read_bytes()
    (tmp_path / "damaged").mkdir()
    file = tmp_path / "damaged" / "bag.mcap"
    complaints = 0
    for offset, value in itertools.product(range(8, len(content) - 8, 13), (b"\xff", b"\x7f")):
        file.write_bytes(content[:offset] + value * 8 + content[offset + 8 :])
        try:
            with BagReader(file.parent) as reader:
                list(reader.messages())
        except DatasetError:
            complaints += 1
    assert complaints > 10


def test_a_bag_of_ros_1_is_told_from_other_files(tmp_path: Path) -> None:
    (tmp_path / "old.bag").write_bytes(b"#ROSBAG V2.0\n")
    with pytest.raises(DatasetError, match="rosbags-convert"):
        BagReader(tmp_path / "old.bag")
