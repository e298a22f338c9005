import cv2
import numpy as np
import pytest

from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.mask_evaluators import evaluate_camvid
from spatial_perception.evaluation.measurement import Request
from spatial_perception.pipelines.model import EngineOptions

SKY, ROAD, CAR, VOID = 0, 3, 8, 11
COLORS = np.array([[0, 0, 255], [255, 0, 0], [0, 255, 0]], np.uint8)  # sky road car
HEIGHT, WIDTH = 32, 64


@pytest.fixture
def root(tmp_path):
    """Two pictures: upper half sky, lower half road; in the second a strip of road is car."""
    folder = tmp_path / "camvid"
    for name in ("val", "valannot"):
        (folder / name).mkdir(parents=True)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2], image[HEIGHT // 2 :] = COLORS[0], COLORS[1]
    truth = np.full((HEIGHT, WIDTH), SKY, np.uint8)
    truth[HEIGHT // 2 :] = ROAD
    truth[:, :4] = VOID
    for name in ("a", "b"):
        if name == "b":
            truth[-8:, 4:] = CAR
        assert cv2.imwrite(str(folder / "val" / f"{name}.png"), image[..., ::-1])
        assert cv2.imwrite(str(folder / "valannot" / f"{name}.png"), truth)
    return folder


@pytest.fixture
def model(color_segmenter):
    """Tells sky, road and car by colour, listed in another order than the data set does."""
    names = ("car", "sky", "road")
    weights = np.array([[0, 0, 9], [9, 0, 0], [0, 9, 0]], float)
    return str(color_segmenter(names, weights, (HEIGHT, WIDTH)))


def measured(model, root, **options):
    request = Request(
        model, "camvid", root, engine=EngineOptions("onnxruntime", "fp32", 1), **options
    )
    return evaluate_camvid(request, lambda done, total: None)


def test_metrics_by_hand(root, model):
    result = measured(model, root)
    metrics = result.compute(np.ones(2, np.int64))
    # in rows of 60 labelled pixels: 32 of sky, 24 of road, 8 of car that are called road
    assert metrics["iou_sky"] == 100.0
    assert metrics["iou_road"] == pytest.approx(100 * 24 / 32)
    assert metrics["iou_car"] == 0.0
    assert metrics["miou"] == pytest.approx(175 / 3)
    assert metrics["accuracy"] == pytest.approx(100 * 56 / 64)
    assert "iou_tree" not in metrics


def test_the_worse_picture_is_known_and_drawn_beside_its_truth(root, model):
    shown = measured(model, root).illustration
    assert shown.names[int(np.argmax(shown.errors))] == "b"
    picture = shown.picture(1)
    assert picture.shape == (HEIGHT, 3 * WIDTH, 3)
    colors = CAMVID_LABELS.colors
    assert picture[-1, WIDTH + 10].tolist() == colors[ROAD].tolist()  # predicted
    assert picture[-1, 2 * WIDTH + 10].tolist() == colors[CAR].tolist()  # true
    assert picture[-1, 2 * WIDTH].tolist() == [0, 0, 0]  # void


def test_frames_are_taken_by_name(root, model):
    result = measured(model, root, frames=("a",))
    assert result.frames == 1
    assert result.compute(np.ones(1, np.int64))["miou"] == 100.0


def test_a_mask_of_another_size_is_named(root, model):
    assert cv2.imwrite(str(root / "valannot" / "a.png"), np.zeros((8, 16), np.uint8))
    with pytest.raises(DatasetError, match=r"a\.png: is \(8, 16\), its picture \(32, 64\)"):
        measured(model, root)


def test_the_test_is_taken_where_it_is_there(root, model):
    assert measured(model, root).split == "val"
    for name in ("val", "valannot"):
        (root / name).rename(root / name.replace("val", "test"))
    assert measured(model, root).split == "test"


def test_a_missing_split_is_told(root, model):
    with pytest.raises(DatasetError, match="test: no such folder"):
        measured(model, root, split="test")
