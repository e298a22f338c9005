import json

import numpy as np
import pytest

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.datasets.boxes import (
    BoxPicture,
    read_box_list,
    write_box_list,
)
from spatial_perception.errors import DatasetError


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
        json.dumps({"pictures": [{"file": "a.png", "boxes": [[200, 90, 50, 30, "car"]]}]}),
        json.dumps({"pictures": [{"file": "a.png", "boxes": [[float("nan"), 2, 3, 4, "car"]]}]}),
    ],
)
def test_a_damaged_box_list_is_one_clear_error(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"boxes\.json"):
        read_box_list(path, tmp_path)
