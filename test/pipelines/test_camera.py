"""Camera pipelines: answers of known networks, in source pixels, and models that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core import CameraImage, Detections2D, Header, LabelSet
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from test.pipelines.models import constant_model

HEADER = Header(7, "camera")
BOXES = np.array([[[10, 20, 30, 40], [11, 20, 31, 40], [50, 20, 60, 30]]], np.float32)
SCORES = np.array([[[0.9, 0.1], [0.8, 0.1], [0.1, 0.2]]], np.float32)


def picture(height: int, width: int) -> CameraImage:
    return CameraImage(HEADER, np.full((height, width, 3), 90, np.uint8))


def detector(tmp_path: Path, **fields: object) -> CameraDetector:
    outputs = {"boxes": BOXES, "scores": SCORES}
    model = constant_model(
        tmp_path / "det", (1, 3, 64, 96), outputs, ("car", "person"), decoder="boxes", **fields
    )
    return CameraDetector(CameraDetectorConfig(model=model, score_threshold=0.15))


def test_boxes_come_back_in_source_pixels_once_each(tmp_path: Path) -> None:
    found = detector(tmp_path)(picture(128, 192))  # twice the input: no padding
    np.testing.assert_allclose(found.boxes_xyxy_px, [[20, 40, 60, 80], [100, 40, 120, 60]])
    assert found.labels.tolist() == [0, 1]
    np.testing.assert_allclose(found.scores, [0.9, 0.2], atol=1e-3)
    assert found.header == HEADER
    assert found.picture_wh == (192, 128)


def test_padding_of_the_letterbox_is_taken_off(tmp_path: Path) -> None:
    found = detector(tmp_path)(picture(64, 48))  # 24 columns of padding at the left
    np.testing.assert_allclose(found.boxes_xyxy_px[0], [0, 20, 6, 40])


def test_classes_that_do_not_fit_the_scores_are_refused(tmp_path: Path) -> None:
    outputs = {"boxes": BOXES, "scores": SCORES}
    model = constant_model(tmp_path / "det", (1, 3, 64, 96), outputs, ("car",), decoder="boxes")
    with pytest.raises(
        EngineError, match=r"output 'scores' has shape \(1, 3, 2\), axis 2 must be 1"
    ):
        CameraDetector(CameraDetectorConfig(model=model))


def test_a_decoder_of_another_task_is_refused(tmp_path: Path) -> None:
    model = constant_model(
        tmp_path / "m", (1, 3, 8, 8), {"logits": np.zeros((1, 2, 8, 8))}, ("a", "b"),
        decoder="class_map",
    )  # fmt: skip
    with pytest.raises(EngineError, match="has the decoder 'class_map', expected boxes or yolox"):
        CameraDetector(CameraDetectorConfig(model=model))


def test_a_missing_output_is_named(tmp_path: Path) -> None:
    model = constant_model(
        tmp_path / "m", (1, 3, 8, 8), {"boxes": BOXES}, ("a", "b"), decoder="boxes"
    )
    with pytest.raises(EngineError, match="needs an output 'scores', model.yaml lists boxes"):
        CameraDetector(CameraDetectorConfig(model=model))


def test_a_network_that_takes_several_pictures_at_once_is_refused(tmp_path: Path) -> None:
    outputs = {"boxes": np.zeros((4, 3, 4)), "scores": np.zeros((4, 3, 2))}
    model = constant_model(tmp_path / "m", (4, 3, 8, 8), outputs, ("a", "b"), decoder="boxes")
    with pytest.raises(EngineError, match=r"of shape \(1, 3, height, width\)"):
        CameraDetector(CameraDetectorConfig(model=model))


def test_a_typo_in_preprocessing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown option 'colour'; did you mean 'color'"):
        detector(tmp_path, preprocessing={"colour": "bgr"})


def test_class_map_has_the_pictures_size_and_the_best_class(tmp_path: Path) -> None:
    logits = np.zeros((1, 3, 8, 12), np.float32)
    logits[0, 1, :, 6:] = 1.0
    logits[0, 2, 4:] = 2.0
    model = constant_model(
        tmp_path / "seg", (1, 3, 8, 12), {"logits": logits}, ("a", "b", "c"), decoder="class_map"
    )
    found = CameraSegmenter(CameraSegmenterConfig(model=model))(picture(16, 24))
    assert found.labels.shape == (16, 24)
    assert found.labels[0, 0] == 0
    assert found.labels[0, 23] == 1
    assert found.labels[15, 0] == 2


def classifier(tmp_path: Path, best: float, **options: object) -> CropClassifier:
    logits = np.tile(np.array([[0.0, best, 0.0]]), (2, 1))
    model = constant_model(
        tmp_path / "cls",
        (2, 3, 32, 32),
        {"logits": logits},
        ("stop", "yield", "limit"),
        input_name="crops",
        decoder="classification",
        decoder_arguments={"temperature": 2.0},
    )
    config = CropClassifierConfig(model=model, classes=("sign",), **options)  # type: ignore[arg-type]
    return CropClassifier(config)


def boxes(count: int, side: float = 20.0) -> Detections2D:
    corners = np.arange(count)[:, None] * np.array([[5.0, 0, 5.0, 0]]) + [0, 0, side, side]
    scores = np.linspace(0.9, 0.3, count).astype(np.float32)
    labels = np.ones(count, np.int32)
    return Detections2D(
        HEADER, corners.astype(np.float32), scores, labels, LabelSet(("car", "sign"))
    )


def test_names_carry_the_calibrated_probability_times_the_boxes_score(tmp_path: Path) -> None:
    named = classifier(tmp_path, best=8.0)(picture(64, 200), boxes(3))
    probability = np.exp(4) / (np.exp(4) + 2)  # logits 0, 8, 0 over a temperature of 2
    assert [named.label_set.name(label) for label in named.labels] == ["yield"] * 3
    np.testing.assert_allclose(named.scores, boxes(3).scores * probability, rtol=1e-4)


def test_an_unsure_answer_is_unknown(tmp_path: Path) -> None:
    named = classifier(tmp_path, best=0.5)(picture(64, 200), boxes(1))
    assert named.label_set.name(int(named.labels[0])) == "unknown"


def test_work_is_bounded_and_small_or_other_boxes_are_left_out(tmp_path: Path) -> None:
    classify = classifier(tmp_path, best=8.0, max_crops=4)
    assert len(classify(picture(64, 400), boxes(30))) == 4
    assert len(classify(picture(64, 400), boxes(5, side=5.0))) == 0
    cars = boxes(3)
    others = Detections2D(HEADER, cars.boxes_xyxy_px, cars.scores, cars.labels * 0, cars.label_set)
    assert len(classify(picture(64, 400), others)) == 0
