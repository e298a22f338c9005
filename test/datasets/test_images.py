import os

import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import LabelSet
from spatial_perception.datasets.images import (
    LabelledCrops,
    image_files,
    read_labels,
    read_rgb,
    resize_crop,
)
from spatial_perception.errors import DatasetError


def test_pictures_are_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / "red.png"), np.full((4, 6, 3), (0, 0, 255), np.uint8))
    image = read_rgb(tmp_path / "red.png")
    assert image.shape == (4, 6, 3)
    assert image[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_missing_or_damaged_picture_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.png: (no such file|not a readable image)"):
        read_rgb(tmp_path / "a.png")


def test_a_picture_may_have_a_name_that_is_not_utf_8(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9 1")
    folder.mkdir()
    _, png = cv2.imencode(".png", np.full((4, 6, 3), 7, np.uint8))
    (folder / "a.png").write_bytes(png.tobytes())
    assert read_rgb(folder / "a.png").shape == (4, 6, 3)


def test_a_mask_of_three_channels_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "mask.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"mask\.png: expected one channel"):
        read_labels(tmp_path / "mask.png")


def test_files_come_by_name_and_pictures_alone(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == ["a.png", "b.JPG"]


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        image_files(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        image_files(tmp_path / "none")


def test_crops_become_squares_of_one_size(tmp_path):
    paths = []
    for number, size in enumerate(((10, 40, 3), (64, 64, 3))):
        paths.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(paths[-1]), np.full(size, 50 * number, np.uint8))
    crops = LabelledCrops(tuple(paths), np.array([1, 0], np.uint8), LabelSet(("a", "b")))
    pictures = crops.pictures(32)
    assert pictures.shape == (2, 32, 32, 3)
    assert pictures[:, 16, 16, 0].tolist() == [0, 50]
    assert crops.selected(np.array([False, True])).labels.tolist() == [0]


def test_shrinking_takes_the_mean():
    checker = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = resize_crop(np.repeat(checker[..., None], 3, 2), 16)
    assert np.abs(small.astype(int) - 127).max() <= 1
