import json
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.cli.main import main
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.datasets.boxes import read_box_list
from spatial_perception.simulation.pictures import LabelledPicture, simulate_picture


@pytest.fixture(scope="module")
def pictures() -> list[LabelledPicture]:
    return [simulate_picture(seed) for seed in range(3)]


def test_a_seed_gives_the_same_picture(pictures: list[LabelledPicture]) -> None:
    again = simulate_picture(1)

    np.testing.assert_array_equal(again.pixels, pictures[1].pixels)
    np.testing.assert_array_equal(again.boxes_xyxy_px, pictures[1].boxes_xyxy_px)
    assert not np.array_equal(pictures[0].boxes_xyxy_px, pictures[1].boxes_xyxy_px)


def test_boxes_lie_in_the_picture_and_are_large_enough_to_name(
    pictures: list[LabelledPicture],
) -> None:
    for picture in pictures:
        height, width = picture.pixels.shape[:2]
        boxes = picture.boxes_xyxy_px
        assert len(boxes)
        assert len(boxes) == len(picture.labels)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2] <= width).all()
        assert (boxes[:, 3] <= height).all()
        assert (boxes[:, 3] - boxes[:, 1] >= 11).all()


def test_streets_show_vehicles_people_and_signs(pictures: list[LabelledPicture]) -> None:
    seen = {CAMERA_OBJECT_LABELS.name(k) for picture in pictures for k in picture.labels}

    assert {"car", "person", "traffic_sign"} <= seen


def test_command_writes_pictures_and_their_boxes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pictures"
    command = ["simulate", str(out), "--pictures", "--count", "2", "--seed", "5", "--workers", "1"]
    assert main(command) == 0
    listed = read_box_list(out / "boxes.json", out)
    expected = simulate_picture(5)

    assert [picture.path.name for picture in listed] == ["0000005.jpg", "0000006.jpg"]
    np.testing.assert_array_equal(listed[0].boxes_xyxy_px, expected.boxes_xyxy_px)
    np.testing.assert_array_equal(listed[0].labels, expected.labels)
    error = np.abs(listed[0].image().astype(float) - expected.pixels)
    assert error.mean() < 6.0
    assert len(json.loads((out / "boxes.json").read_text())["pictures"]) == 2

    assert main(command) == 2
    assert "exists" in capsys.readouterr().err


def test_pictures_and_shards_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", str(tmp_path / "x"), "--pictures", "--shards"])
