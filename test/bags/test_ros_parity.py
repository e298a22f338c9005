"""Bags between this package and rosbag2 itself, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from spatial_perception.bags import BagReader, BagWriter, repair_metadata
from spatial_perception.messages import QosProfile

from .recording import recorded, write_reference

rosbag2_py = pytest.importorskip("rosbag2_py", reason="needs a real ROS 2 with rosbag2")

pytestmark = pytest.mark.ros


def read_by_rosbag2(path: Path) -> list[tuple[str, int, bytes]]:
    reader = rosbag2_py.SequentialReader()
    reader.open(
        rosbag2_py.StorageOptions(uri=str(path), storage_id=""),
        rosbag2_py.ConverterOptions("", ""),
    )
    messages = []
    while reader.has_next():
        topic, data, log_time_ns = reader.read_next()
        messages.append((topic, log_time_ns, data))
    return messages


def expected(count: int = 40) -> list[tuple[str, int, bytes]]:
    return [(item.topic, item.log_time_ns, item.data) for item in recorded(count)]


def test_rosbag2_reads_what_was_written(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        for item in recorded():
            qos = QosProfile(reliable=False, depth=1)
            writer.write(item.topic, item.ros_type, item.log_time_ns, item.data, qos)
    assert read_by_rosbag2(tmp_path / "bag") == expected()


def test_rosbag2_reads_a_cut_bag_after_its_repair(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded(count=120))
    (bag / "metadata.yaml").unlink()
    content = (bag / "bag.mcap").read_bytes()
    (bag / "bag.mcap").write_bytes(content[: len(content) - 200])
    repair_metadata(bag)
    read = read_by_rosbag2(bag)
    assert len(read) > 10
    assert read == expected(120)[: len(read)]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("compression", ["", "file", "message"])
def test_a_split_bag_of_rosbag2_reads_the_same(
    tmp_path: Path, storage: str, compression: str
) -> None:
    path, messages = tmp_path / "bag", recorded(points=30_000)
    options = rosbag2_py.StorageOptions(
        uri=str(path), storage_id=storage, max_bagfile_size=1_000_000
    )
    writer = rosbag2_py.SequentialWriter()
    if compression:
        mode = {
            "file": rosbag2_py.CompressionMode.FILE,
            "message": rosbag2_py.CompressionMode.MESSAGE,
        }[compression]
        writer = rosbag2_py.SequentialCompressionWriter(
            rosbag2_py.CompressionOptions("zstd", mode, 0, 1)
        )
    writer.open(options, rosbag2_py.ConverterOptions("cdr", "cdr"))
    types = dict.fromkeys((item.topic, item.ros_type) for item in messages)
    for index, (topic, ros_type) in enumerate(types):
        writer.create_topic(rosbag2_py.TopicMetadata(index, topic, ros_type, "cdr"))
    for item in messages:
        writer.write(item.topic, item.data, item.log_time_ns)
    del writer  # closes the bag; only one of the two kinds has close()
    assert len(list(path.glob("bag_*"))) > 1
    with BagReader(path) as bag:
        assert sorted(bag.messages(), key=lambda item: item.log_time_ns) == messages
        times = [item.log_time_ns for item in bag.messages()]
    assert times == sorted(times)
