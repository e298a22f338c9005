import json

import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.datasets.boxes import (
    BoxPicture,
    read_box_list,
    read_kitti_boxes,
    write_box_list,
)
from spatial_perception.errors import DatasetError

KITTI = """Car 0.00 0 -1.57 100.00 120.00 180.00 170.00 1.5 1.6 4.0 1.0 1.5 20.0 -1.5
Cyclist 0.00 0 -1.57 10.00 20.00 30.00 70.00 1.5 0.6 1.8 1.0 1.5 20.0 -1.5
Pedestrian 0.00 0 -1.57 50.00 60.00 70.00 110.00 1.7 0.6 0.8 1.0 1.5 20.0 -1.5
DontCare -1 -1 -10 200.00 120.00 240.00 140.00 -1 -1 -1 -1000 -1000 -1000 -10
"""


@pytest.fixture
def kitti(tmp_path):
    for name in ("image_2", "label_2"):
        (tmp_path / "training" / name).mkdir(parents=True)
    picture = np.zeros((20, 60, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "training" / "image_2" / "000003.png"), picture)
    (tmp_path / "training" / "label_2" / "000003.txt").write_text(KITTI)
    return tmp_path


def test_kittis_classes_become_ours(kitti):
    (picture,) = read_kitti_boxes(kitti)
    names = [CAMERA_OBJECT_LABELS.name(int(label)) for label in picture.labels]
    assert names == ["car", "person"]
    np.testing.assert_array_equal(picture.boxes_xyxy_px[0], [100, 120, 180, 170])
    assert len(picture.ignored_xyxy_px) == 2, "a cyclist is a person and a bicycle in one box"
    assert picture.image().shape == (20, 60, 3)


def test_a_damaged_label_file_is_named_with_its_line(kitti):
    path = kitti / "training" / "label_2" / "000003.txt"
    path.write_text("Car 0 0 0 1 2 3\n")
    with pytest.raises(DatasetError, match=r"000003\.txt:1: expected 15 fields"):
        read_kitti_boxes(kitti)
    path.unlink()
    with pytest.raises(DatasetError, match=r"000003\.txt: no such file"):
        read_kitti_boxes(kitti)


def test_a_box_list_comes_back(tmp_path):
    picture = BoxPicture(
        tmp_path / "a" / "b.png",
        np.array([[1.04, 2, 3, 4.5]], np.float32),
        np.array([CAMERA_OBJECT_LABELS.index("bus")], np.int32),
        np.array([[5, 6, 7, 8]], np.float32),
    )
    write_box_list(tmp_path / "boxes.json", tmp_path, [picture])
    (found,) = read_box_list(tmp_path / "boxes.json", tmp_path)
    assert found.path == picture.path
    np.testing.assert_allclose(found.boxes_xyxy_px, [[1.0, 2, 3, 4.5]], atol=1e-6)
    np.testing.assert_array_equal(found.labels, picture.labels)
    np.testing.assert_array_equal(found.ignored_xyxy_px, picture.ignored_xyxy_px)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        json.dumps({"pictures": None}),
        json.dumps({"pictures": [{"file": "a.png", "boxes": [[1, 2, 3, 4, "dragon"]]}]}),
        json.dumps({"pictures": [{"file": "a.png", "boxes": [[1, 2]]}]}),
        json.dumps({"pictures": [{"boxes": []}]}),
    ],
)
def test_a_damaged_box_list_is_one_clear_error(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"boxes\.json"):
        read_box_list(path, tmp_path)
