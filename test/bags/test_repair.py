"""metadata.yaml for bags that lost theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rosbags.rosbag2 import CompressionMode, Reader, StoragePlugin

from spatial_perception.bags import BagReader, repair_metadata
from spatial_perception.errors import DatasetError

from .recording import recorded, write_reference


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize(
    "compression", [CompressionMode.NONE, CompressionMode.FILE, CompressionMode.MESSAGE]
)
def test_a_repaired_bag_reads_in_rosbags_too(
    tmp_path: Path, storage: StoragePlugin, compression: CompressionMode
) -> None:
    bag = write_reference(tmp_path / "bag", recorded(), storage, compression)
    before = yaml.safe_load((bag / "metadata.yaml").read_text())
    (bag / "metadata.yaml").unlink()
    assert repair_metadata(bag) == bag / "metadata.yaml"
    after = yaml.safe_load((bag / "metadata.yaml").read_text())
    for key in ("storage_identifier", "starting_time", "duration", "message_count", "files",
                "compression_mode", "compression_format"):  # fmt: skip
        name = "rosbag2_bagfile_information"
        assert after[name][key] == before[name][key], key
    with Reader(bag) as reader:
        assert [bytes(data) for _, _, data in reader.messages()] == [m.data for m in recorded()]


def test_a_cut_file_gets_metadata_of_what_is_left(tmp_path: Path) -> None:
    messages = recorded(count=120, points=8000)
    bag = write_reference(tmp_path / "bag", messages)
    (bag / "metadata.yaml").unlink()
    file = bag / "bag.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    repair_metadata(bag)
    with BagReader(bag) as reader:
        count = len(list(reader.messages()))
    information = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert 0 < count < 120
    assert information["message_count"] == count
    last_ns = information["starting_time"]["nanoseconds_since_epoch"]
    last_ns += information["duration"]["nanoseconds"]
    assert last_ns == messages[count - 1].log_time_ns


def test_good_metadata_stays_as_it_is(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    before = (bag / "metadata.yaml").read_bytes()
    repair_metadata(bag)
    assert (bag / "metadata.yaml").read_bytes() == before


def test_a_folder_without_a_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no bag in this folder"):
        repair_metadata(tmp_path)
    assert not (tmp_path / "metadata.yaml").exists()


@pytest.mark.parametrize("name", ["bag_1.mcap", "../no_bag"])
def test_a_bag_that_is_not_there_is_not_called_complete(tmp_path: Path, name: str) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    write_reference(tmp_path / "other", recorded())
    (tmp_path / "other" / "metadata.yaml").rename(tmp_path / "metadata.yaml")
    with pytest.raises(DatasetError, match="no such bag"):
        repair_metadata(bag / name)


def test_a_file_beside_another_bag_is_not_called_complete(tmp_path: Path) -> None:
    bag = write_reference(tmp_path / "bag", recorded())
    other = bag / "other.mcap"
    other.write_bytes((bag / "bag.mcap").read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"does not list other\.mcap"):
        repair_metadata(other)
    assert repair_metadata(bag / "bag.mcap") == bag / "metadata.yaml"
