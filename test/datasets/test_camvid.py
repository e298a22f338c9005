import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import CAMVID_LABELS, UNLABELED
from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.errors import DatasetError
from test.datasets.real_data import unpacked


@pytest.fixture
def root(tmp_path):
    (tmp_path / "val").mkdir()
    (tmp_path / "valannot").mkdir()
    for number in range(2):
        cv2.imwrite(str(tmp_path / "val" / f"f{number}.jpg"), np.zeros((12, 16, 3), np.uint8))
        mask = np.arange(12 * 16).reshape(12, 16) % 12
        cv2.imwrite(str(tmp_path / "valannot" / f"f{number}.png"), mask.astype(np.uint8))
    return tmp_path


def test_frames_have_picture_and_labels(root):
    frames = read_camvid(root, "val")
    assert [frame.name for frame in frames] == ["f0", "f1"]
    assert frames[0].image().shape == (12, 16, 3)
    labels = frames[0].labels()
    assert labels[0, :12].tolist() == [*range(11), UNLABELED], "void becomes unlabeled"


def test_a_picture_without_mask_is_named(root):
    (root / "valannot" / "f1.png").unlink()
    with pytest.raises(DatasetError, match=r"f1\.png: no such mask for f1\.jpg"):
        read_camvid(root, "val")


def test_a_mask_with_another_class_is_refused(root):
    cv2.imwrite(str(root / "valannot" / "f0.png"), np.full((12, 16), 12, np.uint8))
    with pytest.raises(DatasetError, match=r"f0\.png: expected classes 0 to 11, got 12"):
        read_camvid(root, "val")[0].labels()


def test_a_mask_of_another_size_than_its_picture_is_refused(root):
    frame = read_camvid(root, "val")[0]
    image, labels = frame.pair()
    assert image.shape[:2] == labels.shape
    cv2.imwrite(str(frame.mask_path), np.zeros((6, 8), np.uint8))
    with pytest.raises(DatasetError, match=r"f0\.png: is \(6, 8\), its picture \(12, 16\)"):
        frame.pair()


def test_a_missing_split_is_named(root):
    with pytest.raises(DatasetError, match="train: no such folder"):
        read_camvid(root, "train")


def test_the_published_release_reads(tmp_path):
    root = unpacked("camvid11_trainval", tmp_path)
    assert [len(read_camvid(root, split)) for split in ("train", "val")] == [367, 101]
    frame = read_camvid(root, "val")[0]
    assert frame.image().shape == (360, 480, 3)
    road = CAMVID_LABELS.index("road")
    assert (frame.labels()[300:] == road).mean() > 0.5, "the camera looks along a road"
