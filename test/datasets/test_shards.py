"""Shards written by hand, read into scans."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.errors import DatasetError


def write_shard(path: Path, **changes: object) -> Path:
    arrays: dict[str, object] = {
        "points": np.array([[1, 2, 0.5, 0.25], [3, 4, 1, 0.5]], np.float16),
        "labels": np.array([0, 6], np.uint8),
        "instance": np.array([0, 1], np.uint16),
        "boxes": np.array([[3, 4, 1, 4, 2, 1.5, 0.1]], np.float32),
        "box_labels": np.array([0], np.uint8),
        "box_hits": np.array([1], np.int32),
        "voxel_labels": np.full((2, 3, 3), 254, np.uint8),
        "voxel_visible": np.packbits(np.eye(18, dtype=bool)[4]),
        "voxel_origin_m": np.array([-1.0, -1, -1]),
        "voxel_size_m": np.full(3, 0.5),
    }
    arrays.update(changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_a_shard_becomes_core_types(tmp_path: Path) -> None:
    scan = read_shard(write_shard(tmp_path / "a.npz"))
    assert scan.points.dtype == np.float32
    assert scan.cloud().cloud.intensity == pytest.approx([0.25, 0.5])
    assert scan.cloud().label_set.name(int(scan.cloud().labels[1])) == "vehicle"
    assert scan.detections().boxes() == pytest.approx(scan.boxes)


def test_packed_visibility_is_unpacked(tmp_path: Path) -> None:
    voxels = read_shard(write_shard(tmp_path / "a.npz")).voxels
    assert voxels is not None
    assert np.argwhere(voxels.visible).tolist() == [[0, 1, 1]]
    plain = np.zeros((2, 3, 3), bool)
    again = read_shard(write_shard(tmp_path / "b.npz", voxel_visible=plain)).voxels
    assert again is not None
    assert not again.visible.any()


def test_voxels_are_left_out_on_request_or_where_there_are_none(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.npz")
    assert read_shard(path, with_voxels=False).voxels is None
    assert read_shard(write_shard(tmp_path / "b.npz", voxel_labels=None)).voxels is None


def test_splits_are_folders(tmp_path: Path) -> None:
    for name in ("train/b.npz", "train/a.npz", "val/c.npz"):
        write_shard(tmp_path / name)
    assert [path.name for path in shard_files(tmp_path, "train")] == ["a.npz", "b.npz"]
    assert [path.name for path in shard_files(tmp_path, "val")] == ["c.npz"]


def test_a_folder_without_shards_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no shards"):
        shard_files(tmp_path, "train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": np.array([[np.nan, 0, 0, 0], [1, 2, 3, 0]])}, "'points' that are not finite"),
        ({"boxes": np.full((1, 7), np.inf)}, "'boxes' that are not finite"),
        ({"labels": np.array([0, 9], np.uint8)}, "labels other than 0..8 and 255"),
        ({"labels": np.array([0, 6])}, "labels: expected dtype uint8"),
    ],
)
def test_what_is_no_number_or_no_class_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError, match=rf"a\.npz.*{message}"):
        read_shard(write_shard(tmp_path / "a.npz", **changes))


@pytest.mark.parametrize(
    "damage", ["truncated", "empty", "a single array", "garbled", "array missing", "missing"]
)
def test_damaged_shards_are_named(tmp_path: Path, damage: str) -> None:
    without: dict[str, object] = {"boxes": None} if damage == "array missing" else {}
    path = write_shard(tmp_path / "a.npz", **without)
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:300])
    if damage == "empty":
        path.write_bytes(b"")
    if damage == "a single array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    if damage == "garbled":
        np.savez_compressed(path, points=np.random.default_rng(0).random((1000, 4)))
        content = bytearray(path.read_bytes())
        content[60:80] = b"\xff" * 20
        path.write_bytes(content)
    if damage == "missing":
        path.unlink()
    with pytest.raises(DatasetError, match="a.npz"):
        read_shard(path)
