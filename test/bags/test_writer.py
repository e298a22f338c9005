"""Bags as rosbags and rosbag2 read them, however the writer ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from spatial_perception.bags import BagReader, BagWriter, TopicInfo
from spatial_perception.core import Latency
from spatial_perception.errors import DatasetError
from spatial_perception.messages import DETECTIONS_3D, LATENCY, QosProfile
from spatial_perception.messages.typestore import type_hash

from .recording import recorded, write_reference


def write_all(path: Path, compress: bool = True) -> Path:
    with BagWriter(path, compress=compress) as writer:
        for message in recorded():
            writer.write(message.topic, message.ros_type, message.log_time_ns, message.data)
    return path


@pytest.mark.parametrize("compress", [True, False])
def test_rosbags_reads_what_was_written(tmp_path: Path, compress: bool) -> None:
    with Reader(write_all(tmp_path / "bag", compress)) as reader:
        read = [(c.topic, c.msgtype, t, bytes(data)) for c, t, data in reader.messages()]
    assert read == [(m.topic, m.ros_type, m.log_time_ns, m.data) for m in recorded()]


def test_readers_without_our_types_decode_from_the_definitions_in_the_bag(tmp_path: Path) -> None:
    from spatial_perception.core.examples import example_detections3d

    with BagWriter(tmp_path / "bag") as writer:
        data = DETECTIONS_3D.encode(example_detections3d())
        writer.write("/objects", DETECTIONS_3D.ros_type, 5, data)
    with AnyReader([tmp_path / "bag"]) as reader:
        ((connection, _, raw),) = reader.messages()
        message = reader.deserialize(raw, connection.msgtype)
    assert message.detections[0].results[0].hypothesis.class_id == "car"


def test_qos_and_type_hash_are_recorded_for_each_topic(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        sensor = QosProfile(reliable=False, depth=1)
        writer.write("/a", LATENCY.ros_type, 1, b"\0\1\0\0" + bytes(8), sensor)
        latched = QosProfile(transient_local=True, depth=1)
        writer.write("/b", LATENCY.ros_type, 2, b"\0\1\0\0" + bytes(8), latched)
    with Reader(tmp_path / "bag") as reader:
        (a,), (b,) = (connection.ext.offered_qos_profiles for connection in reader.connections)
    assert (a.reliability, a.durability) == (QosReliability.BEST_EFFORT, QosDurability.VOLATILE)
    assert (b.reliability, b.durability) == (QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL)
    with BagReader(tmp_path / "bag") as bag:
        assert bag.topics["/a"].qos == sensor
        assert bag.topics["/b"].qos == latched
    metadata = yaml.safe_load((tmp_path / "bag" / "metadata.yaml").read_text())
    topics = metadata["rosbag2_bagfile_information"]["topics_with_message_count"]
    hashes = {topic["topic_metadata"]["type_description_hash"] for topic in topics}
    assert hashes == {type_hash(LATENCY.ros_type)}


def test_static_transforms_are_latched_without_being_told(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/tf_static", "tf2_msgs/msg/TFMessage", 1, b"\0\1\0\0\0\0\0\0")
    with BagReader(tmp_path / "bag") as bag:
        assert bag.topics["/tf_static"].qos == QosProfile(transient_local=True, depth=100)


def test_topics_of_unknown_types_are_copied_with_their_definition(tmp_path: Path) -> None:
    info = TopicInfo("my_msgs/msg/Count", 0, definition="uint32 count\n")
    with BagWriter(tmp_path / "bag") as writer:
        writer.declare("/count", info)
        writer.write("/count", info.ros_type, 1, b"\0\1\0\0\x07\0\0\0")
    with AnyReader([tmp_path / "bag"]) as reader:
        ((connection, _, raw),) = reader.messages()
        assert reader.deserialize(raw, connection.msgtype).count == 7


def test_an_unknown_type_without_definition_is_refused(tmp_path: Path) -> None:
    expected = pytest.raises(DatasetError, match="'my_msgs/msg/Count' of /count is unknown")
    with BagWriter(tmp_path / "bag") as writer, expected:
        writer.write("/count", "my_msgs/msg/Count", 1, b"")


def test_a_topic_keeps_its_type(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        writer.write("/a", LATENCY.ros_type, 1, b"\0\1\0\0" + bytes(8))
        with pytest.raises(DatasetError, match="/a has type 'std_msgs/msg/Float64', not"):
            writer.write("/a", "std_msgs/msg/Bool", 2, b"\0\1\0\0\1")


def test_an_existing_output_is_not_overwritten(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    before = (bag / "bag.mcap").read_bytes()
    with pytest.raises(DatasetError, match="exists already; remove it or choose another output"):
        BagWriter(bag)
    assert (bag / "bag.mcap").read_bytes() == before


def test_an_output_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match=r"file/bag: cannot be written"):
        BagWriter(tmp_path / "file" / "bag")


def test_a_bag_without_messages_opens(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag"):
        pass
    with BagReader(tmp_path / "bag") as bag:
        assert bag.message_count == 0
        assert list(bag.messages()) == []


def test_an_exception_in_the_block_leaves_a_complete_bag(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with BagWriter(tmp_path / "bag") as writer:
            for message in recorded()[:7]:
                writer.write(message.topic, message.ros_type, message.log_time_ns, message.data)
            raise RuntimeError("something else broke")

    with pytest.raises(RuntimeError, match="something else broke"):
        write_and_fail()
    with Reader(tmp_path / "bag") as reader:
        assert reader.message_count == 7


RECORDER = """
    import signal, sys
    from spatial_perception.bags import BagWriter
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    with BagWriter(sys.argv[1]) as writer:
        for number in range(10_000_000):
            data = number.to_bytes(4, "little") * 20_000
            writer.write("/a", "std_msgs/msg/ByteMultiArray", number + 1, b"\\0\\1\\0\\0" + data)
            if number == 2000:  # enough that whole chunks have left the process
                print("running", flush=True)
"""


def interrupted(path: Path, number: signal.Signals) -> list[int]:
    """Returns the log times in the bag of a recorder that got a signal while it wrote."""
    command = [sys.executable, "-c", textwrap.dedent(RECORDER), str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == "running\n"
        recorder.send_signal(number)
    with BagReader(path) as bag:
        return [message.log_time_ns for message in bag.messages()]


def test_a_bag_cut_off_by_ctrl_c_is_complete(tmp_path: Path) -> None:
    times = interrupted(tmp_path / "bag", signal.SIGINT)
    assert len(times) > 50
    assert times == list(range(1, len(times) + 1))
    assert (tmp_path / "bag" / "metadata.yaml").is_file()


def test_a_bag_whose_writer_was_killed_reads_as_far_as_it_goes(tmp_path: Path) -> None:
    times = interrupted(tmp_path / "bag", signal.SIGKILL)
    assert len(times) > 20
    assert times == list(range(1, len(times) + 1))
    assert not (tmp_path / "bag" / "metadata.yaml").exists()


def test_what_was_flushed_is_read_while_the_bag_is_still_written(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        writer.flush()
        data = LATENCY.encode(Latency(1.0))
        writer.write("/latency", LATENCY.ros_type, 1, data)
        writer.flush()
        with BagReader(tmp_path / "bag") as reader:
            assert [bytes(message.data) for message in reader.messages()] == [data]
        writer.write("/latency", LATENCY.ros_type, 2, data)
    with BagReader(tmp_path / "bag") as reader:
        assert [message.log_time_ns for message in reader.messages()] == [1, 2]
