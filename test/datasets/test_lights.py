import cv2
import numpy as np
import pytest

from spatial_perception.datasets.lights import LIGHT_LABELS, read_lights
from spatial_perception.errors import DatasetError
from test.datasets.real_data import unpacked


def fill(folder, count: int) -> None:
    for label, name in enumerate(LIGHT_LABELS.names):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            picture = np.full((6, 6, 3), label, np.uint8)
            cv2.imwrite(str(folder / name / f"{name}-{number}.png"), picture)


@pytest.mark.parametrize("inner", ["training", "train", "."])
def test_the_training_folder_is_found(tmp_path, inner):
    fill(tmp_path / inner, 40)
    train, val, both = (read_lights(tmp_path, split) for split in ("train", "val", "trainval"))
    assert len(both) == 120
    assert not set(train.paths) & set(val.paths)
    assert len(train) + len(val) == 120
    assert 10 < len(val) < 40


def test_the_split_does_not_depend_on_what_else_is_there(tmp_path):
    fill(tmp_path / "training", 20)
    before = {path.name for path in read_lights(tmp_path, "val").paths}
    picture = tmp_path / "training" / "red" / "another.png"
    cv2.imwrite(str(picture), np.zeros((6, 6, 3), np.uint8))
    assert {path.name for path in read_lights(tmp_path, "val").paths} - {picture.name} == before


def test_a_test_folder_is_taken_where_there_is_one(tmp_path):
    fill(tmp_path / "test", 2)
    test = read_lights(tmp_path, "test")
    assert len(test) == 6
    assert sorted(test.labels.tolist()) == [0, 0, 1, 1, 2, 2]


def test_a_missing_class_is_named(tmp_path):
    fill(tmp_path, 2)
    for path in (tmp_path / "yellow").iterdir():
        path.unlink()
    with pytest.raises(DatasetError, match="yellow: holds no images"):
        read_lights(tmp_path, "train")


def test_the_published_crops_read(tmp_path):
    root = unpacked("traffic_lights_train", tmp_path)
    every = read_lights(root, "trainval")
    assert len(every) == 1187
    assert set(every.labels.tolist()) == {0, 1, 2}
