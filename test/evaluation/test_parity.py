"""What other engines cost in metrics: signs, frames, calibration."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.evaluation import evaluators, parity
from spatial_perception.evaluation.measurement import Illustration, Measurement, Request
from spatial_perception.evaluation.parity import calibrate_on, compare_metrics, points_lost
from spatial_perception.pipelines.model import EngineOptions
from test.pipelines.models import constant_model

pytest.importorskip("onnxruntime")


def quiet(done: int, total: int) -> None:
    """Shows nothing."""


@pytest.fixture
def lights(tmp_path: Path) -> Request:
    """Twelve crops and a model that calls each of them red."""
    for name in ("red", "yellow", "green"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.full((20, 20, 3), 40 * number, np.uint8)
            cv2.imwrite(str(tmp_path / "data" / name / f"{number}.png"), pixels)
    model = constant_model(
        tmp_path / "lights",
        (2, 3, 32, 32),
        {"logits": np.tile([[3.0, 0.0, 0.0]], (2, 1))},
        ("red", "yellow", "green"),
        input_name="crops",
        decoder="classification",
    )
    return Request(model, "lights", tmp_path / "data", "trainval")


def test_losses_are_positive_whichever_way_a_metric_counts() -> None:
    lost = points_lost({"accuracy": 99.5, "ece": 0.2}, {"accuracy": 98.0, "ece": 0.9})
    assert lost == pytest.approx({"accuracy": 1.5, "ece": 0.7})
    gained = points_lost({"accuracy": 99.5, "ece": 0.2}, {"accuracy": 99.6, "ece": 0.1})
    assert gained == pytest.approx({"accuracy": -0.1, "ece": -0.1})


def test_the_calibration_error_of_a_class_is_lost_when_it_grows() -> None:
    lost = points_lost({"car_ece": 2.0, "iou_fence": 60.0}, {"car_ece": 9.0, "iou_fence": 59.0})
    assert lost == pytest.approx({"car_ece": 7.0, "iou_fence": 1.0})


def test_a_metric_that_one_engine_does_not_have_is_left_out() -> None:
    reference = {"car_bev_ap_0.5": 80.0, "car_heading_accuracy": 97.0}
    assert points_lost(reference, {"car_bev_ap_0.5": 0.0}) == {"car_bev_ap_0.5": 80.0}


def test_an_engine_that_answers_alike_loses_nothing(lights: Request) -> None:
    found = compare_metrics(lights, [EngineOptions("onnxruntime", "fp32")], quiet)
    assert (found.model, found.split, found.frames) == ("lights", "trainval", 12)
    assert found.reference["accuracy"] == pytest.approx(100 / 3)
    (engine,) = found.engines
    assert engine.worst == 0.0
    assert engine.metrics == found.reference


def test_an_engine_that_answers_worse_is_found_out(
    lights: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(request: Request, progress: object) -> Measurement:
        accuracy = {"fp32": 99.0, "int8": 97.5}[request.engine.precision]
        picture = Illustration(["a"], np.zeros(1), lambda i: np.zeros((8, 8, 3), np.uint8))
        return Measurement("val", 1, lambda weights: {"accuracy": accuracy}, picture)

    monkeypatch.setattr(parity, "measure", measured)
    found = compare_metrics(lights, [EngineOptions("openvino", "int8")], quiet)
    assert found.engines[0].lost == {"accuracy": pytest.approx(1.5)}
    assert found.engines[0].worst == pytest.approx(1.5)


def test_limit_spreads_over_the_data_set(lights: Request) -> None:
    few = Request(lights.model, "lights", lights.root, "trainval", limit=3)
    measured = evaluators.measure(few, quiet)
    assert measured.frames == 3
    assert [name[0] for name in measured.illustration.names] == ["r", "y", "g"]


def test_int8_is_calibrated_on_what_the_data_set_feeds_the_network(
    lights: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx")
    monkeypatch.setenv("SPATIAL_PERCEPTION_CACHE", str(tmp_path / "cache"))
    taken = []
    monkeypatch.setattr(
        parity, "calibrate", lambda spec, samples, variant: taken.append((variant, samples))
    )
    assert calibrate_on(lights, quiet) == 6  # batches of two
    ((variant, samples),) = taken
    assert variant == 0
    levels = {float(crop.mean()) for sample in samples for crop in sample["crops"]}
    assert levels == {0.0, 40.0, 80.0, 120.0}
