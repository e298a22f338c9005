import cv2
import numpy as np
import pytest

from spatial_perception.evaluation.crop_evaluators import evaluate_gtsrb, evaluate_lights
from spatial_perception.evaluation.measurement import Request
from spatial_perception.pipelines.model import EngineOptions

RED, YELLOW, GREEN = (200, 0, 0), (200, 200, 0), (0, 200, 0)
ENGINE = EngineOptions("onnxruntime", "fp32", 1)


def write_crop(path, color, size=(20, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((*size, 3), color[::-1], np.uint8))


@pytest.fixture
def lights(tmp_path):
    """Eleven crops, of which a red and a green one are painted in the other's colour."""
    root = tmp_path / "lights"
    for index in range(5):
        write_crop(root / "red" / f"r{index}.png", GREEN if index == 0 else RED)
        write_crop(root / "green" / f"g{index}.png", RED if index == 0 else GREEN)
    write_crop(root / "yellow" / "y0.png", YELLOW)
    return root


@pytest.fixture
def model(color_classifier):
    """Certain of red and green (logits 12 apart), classes in another order than the data's."""
    weights = np.array([[0, 15, 8], [15, 0, 8], [0, 0, 0]], float)
    return str(color_classifier(("green", "red", "yellow"), weights))


def measured(evaluate, model, dataset, root, **options):
    calls = []
    request = Request(model, dataset, root, engine=ENGINE, **options)
    result = evaluate(request, lambda done, total: calls.append((done, total)))
    return result, result.compute(np.ones(result.frames, int)), calls


def test_accuracy_and_calibration_of_lights_by_hand(lights, model):
    result, metrics, calls = measured(evaluate_lights, model, "lights", lights, split="test")
    assert (result.split, result.frames) == ("test", 11)
    assert metrics["accuracy"] == pytest.approx(100 * 9 / 11)
    unit = 200 / 255  # red: logits 0, 15, 8 times unit
    sure = 1 / (1 + np.exp(-7 * unit) + np.exp(-15 * unit))
    yellow = np.exp(16 * unit) / (np.exp(16 * unit) + 2 * np.exp(15 * unit))
    expected = abs(10 * sure - 8) / 11 + abs(yellow - 1) / 11
    assert metrics["ece"] == pytest.approx(100 * expected, abs=1e-3)
    assert calls[-1] == (11, 11)


def test_temperature_softens_the_probabilities(lights, color_classifier):
    weights = np.array([[0, 15, 8], [15, 0, 8], [0, 0, 0]], float)
    path = color_classifier(("green", "red", "yellow"), weights, temperature=100.0)
    _, metrics, _ = measured(evaluate_lights, str(path), "lights", lights, split="test")
    assert metrics["accuracy"] == pytest.approx(100 * 9 / 11)
    assert metrics["ece"] > 40


def test_the_worst_crop_is_one_that_was_taken_for_another(lights, model):
    result, _, _ = measured(evaluate_lights, model, "lights", lights, split="test")
    worst = int(np.argmax(result.illustration.errors))
    assert result.illustration.names[worst] in (
        "red/r0: red,\nsaid green",
        "green/g0: green,\nsaid red",
    )
    assert result.illustration.picture(worst).shape == (160, 160, 3)
    assert result.illustration.confusion.tolist() == [
        [4, 0, 1, 0],
        [0, 1, 0, 0],
        [1, 0, 4, 0],
    ]


def test_only_the_frames_asked_for_are_measured(lights, model):
    options = {"split": "test", "frames": ("red/r0", "red/r1")}
    result, metrics, _ = measured(evaluate_lights, model, "lights", lights, **options)
    assert (result.frames, metrics["accuracy"]) == (2, 50.0)


def test_crops_at_the_root_are_a_test_those_under_training_are_not(lights, model):
    result, _, _ = measured(evaluate_lights, model, "lights", lights)
    assert (result.split, result.frames) == ("test", 11)
    (lights / "training").mkdir()
    for name in ("red", "yellow", "green"):
        (lights / name).rename(lights / "training" / name)
    result, _, _ = measured(evaluate_lights, model, "lights", lights)
    assert result.split == "val"
    assert 0 < result.frames < 11


def test_signs_are_measured_on_the_test_table(tmp_path, color_classifier):
    images = tmp_path / "Final_Test" / "Images"
    write_crop(images / "00000.ppm", RED)
    write_crop(images / "00001.ppm", GREEN)
    table = "Filename;Width;ClassId\n00000.ppm;20;14\n00001.ppm;20;12\n"
    (images / "GT-final_test.csv").write_text(table)
    path = color_classifier(("stop", "cat"), np.array([[9, 0], [0, 9], [0, 0]], float))
    result, metrics, _ = measured(evaluate_gtsrb, str(path), "gtsrb", tmp_path)
    assert (result.split, result.frames, metrics["accuracy"]) == ("test", 2, 50.0)
