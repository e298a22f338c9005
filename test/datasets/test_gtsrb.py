import cv2
import numpy as np
import pytest

from spatial_perception.datasets.gtsrb import GTSRB_LABELS, read_gtsrb, track
from spatial_perception.errors import DatasetError


@pytest.fixture
def root(tmp_path):
    """Two classes with ten tracks of three frames, as published."""
    for label in (0, 14):
        folder = tmp_path / "Final_Training" / "Images" / f"{label:05d}"
        folder.mkdir(parents=True)
        (folder / f"GT-{label:05d}.csv").write_text("Filename;Width\n")
        for number in range(10):
            for frame in range(3):
                path = folder / f"{number:05d}_{frame:05d}.ppm"
                cv2.imwrite(str(path), np.full((8, 8, 3), label, np.uint8))
    return tmp_path


def test_there_are_43_classes():
    assert len(GTSRB_LABELS) == 43
    assert GTSRB_LABELS.index("stop") == 14


def test_no_track_is_in_both_parts_and_none_is_lost(root):
    train, val, both = (read_gtsrb(root, split) for split in ("train", "val", "trainval"))
    assert len(both) == 60
    assert set(train.paths) | set(val.paths) == set(both.paths)
    tracks = [{(p.parent.name, track(p)) for p in part.paths} for part in (train, val)]
    assert not tracks[0] & tracks[1]
    assert len(tracks[1]) == 4, "every fifth track of each class validates"


def test_labels_are_the_folders(root):
    every = read_gtsrb(root, "trainval")
    assert sorted(set(every.labels.tolist())) == [0, 14]
    assert every.pictures(8)[every.labels == 14].max() == 14


@pytest.mark.parametrize("suffix", [".ppm", ".png"])
def test_the_tests_classes_come_from_the_table(tmp_path, suffix):
    folder = tmp_path / "Final_Test" / "Images"
    folder.mkdir(parents=True)
    for name in ("00000", "00001"):
        cv2.imwrite(str(folder / f"{name}{suffix}"), np.zeros((8, 8, 3), np.uint8))
    table = "Filename;Width;Height;ClassId\n00000.ppm;8;8;16\n00001.ppm;8;8;1\n"
    (folder / "GT-final_test.csv").write_text(table)
    test = read_gtsrb(tmp_path, "test")
    assert test.labels.tolist() == [16, 1]
    assert [path.suffix for path in test.paths] == [suffix] * 2


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(DatasetError, match="must hold Final_Training/Images"):
        read_gtsrb(tmp_path, "train")
    with pytest.raises(DatasetError, match=r"GT-final_test\.csv: no such file"):
        read_gtsrb(tmp_path, "test")


def test_a_class_beyond_the_list_is_refused(root):
    extra = root / "Final_Training" / "Images" / "00043"
    extra.mkdir()
    with pytest.raises(DatasetError, match="expected a class 0 to 42, got '00043'"):
        read_gtsrb(root, "train")


def test_a_file_name_without_track_is_refused(root):
    folder = root / "Final_Training" / "Images" / "00000"
    (folder / "photo.ppm").touch()
    with pytest.raises(DatasetError, match=r"photo\.ppm: expected a name TRACK_FRAME"):
        read_gtsrb(root, "train")


@pytest.mark.parametrize("row", ["00000.ppm", "\xe9.ppm;1;\xe9"])
def test_a_damaged_table_of_classes_is_named(tmp_path, row):
    folder = tmp_path / "Final_Test" / "Images"
    folder.mkdir(parents=True)
    table = f"Filename;Width;ClassId\n{row}\n".encode("utf-8-sig")
    (folder / "GT-final_test.csv").write_bytes(table.replace("\xe9".encode(), b"\xe9"))
    with pytest.raises(DatasetError, match=r"GT-final_test\.csv: expected a class"):
        read_gtsrb(tmp_path, "test")
