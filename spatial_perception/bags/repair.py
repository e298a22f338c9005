"""Making metadata.yaml for a bag whose writer was killed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from rosbags.rosbag2.metadata import dump_qos_v9

from spatial_perception.bags.reader import METADATA_FILE, ZSTD_MAGIC, BagReader, bag_files
from spatial_perception.bags.storage import STORAGE_OF_SUFFIX, ZSTD_SUFFIXES, Storage, open_storage
from spatial_perception.bags.topics import TopicInfo, rosbag_qos
from spatial_perception.errors import DatasetError

_VERSION = 9


def repair_metadata(path: Path | str) -> Path:
    """Returns the metadata.yaml written for a bag, made from what its files hold.

    Args:
        path: Folder of the bag, or its one file. An existing metadata.yaml stays as it is.

    Raises:
        DatasetError: No bag there, nothing readable in it, a file that belongs to no bag of its
            folder, or the metadata cannot be written.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such bag")
    folder = path if path.is_dir() else path.parent
    target = folder / METADATA_FILE
    if target.exists() and target.stat().st_size:
        with BagReader(folder):
            listed = {file.name for file in bag_files(folder)}
        if path.is_file() and path.name not in listed:
            raise DatasetError(
                f"{target}: is of another bag, it does not list {path.name};"
                " move that into a folder of its own"
            )
        return target
    with BagReader(path) as reader, ExitStack() as stack:
        files = bag_files(path)
        storages = [open_storage(file, stack) for file in files]
        content = _metadata(reader, files, storages)
    partial = target.with_suffix(".yaml.partial")
    try:
        partial.write_text(yaml.safe_dump(content, sort_keys=False))
        partial.replace(target)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written ({error.strerror})") from error
    return target


def _metadata(reader: BagReader, files: list[Path], storages: list[Storage]) -> dict[str, Any]:
    compression = _compression(files[0], storages[0])
    return {
        "rosbag2_bagfile_information": {
            "version": _VERSION,
            "storage_identifier": _storage_identifier(files[0]),
            "duration": {"nanoseconds": reader.end_ns - reader.start_ns},
            "starting_time": {"nanoseconds_since_epoch": reader.start_ns},
            "message_count": reader.message_count,
            "topics_with_message_count": [
                _topic(name, info) for name, info in reader.topics.items()
            ],
            "compression_format": "zstd" if compression else "",
            "compression_mode": compression,
            "relative_file_paths": [file.name for file in files],
            "files": [_file(file, storage) for file, storage in zip(files, storages, strict=True)],
            "custom_data": None,
            "ros_distro": "unknown",
        }
    }


def _storage_identifier(file: Path) -> str:
    name = Path(file.stem) if file.suffix in ZSTD_SUFFIXES else file
    return STORAGE_OF_SUFFIX[name.suffix]


def _compression(file: Path, storage: Storage) -> str:
    if file.suffix in ZSTD_SUFFIXES:
        return "file"
    first = next(storage.messages(storage.topics), None)
    return "message" if first is not None and first.data.startswith(ZSTD_MAGIC) else ""


def _file(file: Path, storage: Storage) -> dict[str, Any]:
    start_ns, end_ns = storage.start_ns or 0, storage.end_ns or 0
    return {
        "path": file.name,
        "starting_time": {"nanoseconds_since_epoch": start_ns},
        "duration": {"nanoseconds": end_ns - start_ns},
        "message_count": sum(info.count for info in storage.topics.values()),
    }


def _topic(name: str, info: TopicInfo) -> dict[str, Any]:
    return {
        "topic_metadata": {
            "name": name,
            "type": info.ros_type,
            "serialization_format": "cdr",
            "offered_qos_profiles": dump_qos_v9([rosbag_qos(info.qos)] if info.qos else []),
            "type_description_hash": info.type_hash,
        },
        "message_count": info.count,
    }
