"""What classifiers of signs and lights look at: few crops, of the full resolution, in batches."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core import CameraImage, Detections2D, Header, LabelImage, LabelSet
from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from spatial_perception.runtime.recording import record_inputs
from test.pipelines.models import constant_model

HEADER = Header(7, "camera")
SIGN = CAMVID_LABELS.index("signsymbol")
BATCH = 4


def network(folder: Path, channels: int = 3, color: str = "rgb") -> str:
    return constant_model(
        folder,
        (BATCH, channels, 32, 32),
        {"logits": np.tile(np.array([[0.0, 8.0]]), (BATCH, 1))},
        ("stop", "yield"),
        input_name="crops",
        decoder="classification",
        preprocessing={"color": color},
    )


def classifier(tmp_path: Path, **options: object) -> CropClassifier:
    model = network(tmp_path / "cls")
    options = {"model": model, "classes": ("sign",), "max_crops": 6, **options}
    return CropClassifier(CropClassifierConfig(**options))  # type: ignore[arg-type]


def picture(height: int = 400, width: int = 600) -> CameraImage:
    return CameraImage(HEADER, np.full((height, width, 3), 90, np.uint8))


def boxes(corners: np.ndarray) -> Detections2D:
    count = len(corners)
    scores = np.linspace(0.9, 0.3, count).astype(np.float32)
    labels = np.zeros(count, np.int32)
    return Detections2D(HEADER, corners.astype(np.float32), scores, labels, LabelSet(("sign",)))


def no_boxes() -> Detections2D:
    return Detections2D.empty(HEADER, LabelSet(("sign",)))


def scattered(count: int) -> np.ndarray:
    places = np.random.default_rng(0).uniform(0, 350, (count, 2))
    return np.concatenate([places, places + 20.0], axis=1)


def spotted(count: int, side: int = 12) -> LabelImage:
    """A class map with `count` square signs apart from each other."""
    labels = np.full((400, 600), CAMVID_LABELS.index("building"), np.uint8)
    for index in range(count):
        row, column = divmod(index, 600 // (side + 3))
        top, left = row * (side + 3), column * (side + 3)
        labels[top : top + side, left : left + side] = SIGN
    return LabelImage(HEADER, labels, CAMVID_LABELS)


@pytest.mark.parametrize("count", [6, 7, 3000])
def test_a_picture_costs_at_most_so_many_batches_whatever_the_number_of_boxes(
    tmp_path: Path, count: int
) -> None:
    classify = classifier(tmp_path)
    with record_inputs(100) as recorded:
        named = classify(picture(), boxes(scattered(count)))
    ((batches),) = recorded.values()
    assert len(named) == 6
    assert [batch["crops"].shape[0] for batch in batches] == [BATCH, BATCH]


def test_a_picture_costs_at_most_so_many_batches_whatever_the_number_of_regions(
    tmp_path: Path,
) -> None:
    classify = classifier(tmp_path, regions="signsymbol")
    with record_inputs(100) as recorded:
        named = classify(picture(), boxes(scattered(2)), spotted(900))
    ((batches),) = recorded.values()
    assert len(batches) == 2
    assert len(named) == 6, "two boxes, and four of 900 regions"
    np.testing.assert_array_equal(named.boxes_xyxy_px[:2], boxes(scattered(2)).boxes_xyxy_px)


def test_crops_have_the_resolution_of_the_picture(tmp_path: Path) -> None:
    pixels = np.zeros((64, 4000, 3), np.uint8)
    pixels[:, ::2] = 255  # lines of one pixel: any network input of this picture would blur them
    with record_inputs(1) as recorded:
        classifier(tmp_path, margin=0.0)(
            CameraImage(HEADER, pixels), boxes(np.array([[2000, 10, 2032, 42]]))
        )
    ((batch,),) = recorded.values()
    np.testing.assert_array_equal(
        batch["crops"][0], pixels[10:42, 2000:2032].transpose(2, 0, 1).astype(np.float32)
    )


def test_regions_that_a_box_stands_for_are_looked_at_once(tmp_path: Path) -> None:
    classify = classifier(tmp_path, regions="signsymbol")
    labels = np.zeros((400, 600), np.uint8)
    labels[100:130, 200:230] = SIGN
    labels[300:320, 500:520] = SIGN
    labels[5:9, 5:9] = SIGN  # shorter than min_size_px
    segmentation = LabelImage(HEADER, labels, CAMVID_LABELS)
    named = classify(picture(), boxes(np.array([[198, 99, 233, 131]])), segmentation)
    np.testing.assert_allclose(named.boxes_xyxy_px, [[198, 99, 233, 131], [500, 300, 520, 320]])
    probability = 1.0 / (1.0 + np.exp(-8.0))
    np.testing.assert_allclose(named.scores, [0.9 * probability, probability], rtol=1e-4)


def test_regions_alone_are_enough(tmp_path: Path) -> None:
    classify = classifier(tmp_path, regions="signsymbol")
    assert len(classify(picture(), no_boxes(), spotted(3))) == 3
    assert len(classify(picture(), no_boxes(), spotted(0))) == 0


def test_regions_of_a_smaller_class_map_lie_where_they_do_in_the_picture(tmp_path: Path) -> None:
    classify = classifier(tmp_path, regions="signsymbol")
    whole, half = classify(picture(), no_boxes(), spotted(3)), spotted(3)
    half = LabelImage(HEADER, half.labels[::2, ::2], CAMVID_LABELS)
    found = classify(picture(), no_boxes(), half)
    assert len(found) == 3
    np.testing.assert_allclose(
        np.sort(found.boxes_xyxy_px, axis=0), np.sort(whole.boxes_xyxy_px, axis=0), atol=2.0
    )


def test_without_the_option_regions_are_left_alone(tmp_path: Path) -> None:
    assert len(classifier(tmp_path)(picture(), no_boxes(), spotted(3))) == 0


def test_a_class_that_the_segmentation_lacks_is_named(tmp_path: Path) -> None:
    classify = classifier(tmp_path, regions="signsymbl")
    with pytest.raises(ConfigError, match="did you mean 'signsymbol'"):
        classify(picture(), no_boxes(), spotted(1))


def test_boxes_that_are_no_numbers_or_far_too_large_do_no_harm(tmp_path: Path) -> None:
    corners = np.array([[np.nan, 0, 20, 20], [0, 0, np.inf, 20], [-1e9, -1e9, 1e9, 1e9]])
    named = classifier(tmp_path)(picture(), boxes(corners))
    assert len(named) == 1


def test_networks_of_other_crops_are_refused(tmp_path: Path) -> None:
    gray, bgr = network(tmp_path / "gray", channels=1), network(tmp_path / "bgr", color="bgr")
    with pytest.raises(EngineError, match=r"square crops \(B, 3, S, S\) of type float32"):
        CropClassifier(CropClassifierConfig(model=gray))
    with pytest.raises(ConfigError, match="color: expected one of rgb, got 'bgr'"):
        CropClassifier(CropClassifierConfig(model=bgr))
