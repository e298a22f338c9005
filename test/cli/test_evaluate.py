import argparse
import json

import numpy as np
import pytest

from spatial_perception.cli import evaluate
from spatial_perception.cli.main import main
from spatial_perception.errors import ConfigError
from spatial_perception.evaluation import evaluators
from spatial_perception.evaluation.measurement import Illustration, Measurement
from spatial_perception.runtime.spec import ClassSpec, ModelSpec, TensorSpec, Variant


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"")
    variant = Variant("model.onnx", {"x": TensorSpec((1,))}, {"y": TensorSpec((1,))})
    classes = (ClassSpec("red"),)
    ModelSpec(name="net", decoder="classification", variants=(variant,), classes=classes).save(
        folder
    )
    return str(folder)


@pytest.fixture
def requests(monkeypatch):
    """Takes the place of the evaluator of lights and notes what it is asked for."""
    asked = []

    def measured(request, progress):
        asked.append(request)
        values = np.array([40.0, 60.0, 80.0])
        for done in (1, 2, 3):
            progress(done, 3)
        return Measurement(
            request.split or "val",
            3,
            lambda weights: {"accuracy": float(weights @ values / weights.sum())},
            Illustration(["a", "b", "c"], 100.0 - values, lambda i: np.zeros((8, 8, 3), np.uint8)),
        )

    monkeypatch.setitem(evaluators.EVALUATORS, "lights", {"classification": measured})
    return asked


def run(*arguments):
    parser = argparse.ArgumentParser()
    evaluate.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["evaluate", *map(str, arguments)])
    return parsed.run(parsed)


def test_prints_a_table_and_writes_the_documented_json(model, requests, tmp_path, capsys):
    target = tmp_path / "out" / "metrics.json"
    code = run(
        model, "--dataset", "lights", "--root", tmp_path, "--split", "test",
        "--frames", "a,b", "--backend", "openvino", "--precision", "bf16", "--json", target,
    )  # fmt: skip
    assert code == 0
    report = json.loads(target.read_text())
    low, high = report.pop("interval_90")["accuracy"]
    assert report == {
        "model": "net",
        "dataset": "lights",
        "split": "test",
        "frames": 3,
        "metrics": {"accuracy": 60.0},
    }
    assert 40.0 <= low < 60.0 < high <= 80.0
    printed = capsys.readouterr().out
    assert "net on lights (test), 3 frames" in printed
    assert "60.00" in printed
    (request,) = requests
    assert (request.split, request.frames) == ("test", ("a", "b"))
    assert (request.engine.backend, request.engine.precision) == ("openvino", "bf16")


def test_figures_go_into_the_folder_asked_for(model, requests, tmp_path):
    folder = tmp_path / "figures"
    run(model, "--dataset", "lights", "--root", tmp_path, "--figures", folder)
    assert {path.name for path in folder.iterdir()} == {"worst.png", "best.png"}


def test_a_model_that_the_data_set_does_not_measure_is_refused(model, tmp_path):
    message = "'net' has the decoder 'classification'; kitti measures models with centers or boxes"
    with pytest.raises(ConfigError, match=message):
        run(model, "--dataset", "kitti", "--root", tmp_path)


def test_several_data_sets_are_pooled_where_the_model_finds_boxes_in_space(model, tmp_path):
    message = "has the decoder 'classification'; kitti . vod measures models with centers"
    with pytest.raises(ConfigError, match=message):
        run(model, "--dataset", "kitti", "--root", tmp_path, "--dataset", "vod", "--root", tmp_path)


def test_every_data_set_has_a_root_of_its_own(model, tmp_path):
    with pytest.raises(ConfigError, match="2 --dataset but 1 --root"):
        run(model, "--dataset", "kitti", "--dataset", "vod", "--root", tmp_path)


def test_a_missing_layout_ends_with_2_and_one_line(model, tmp_path, capsys):
    root = tmp_path / "absent"
    code = main(["evaluate", model, "--dataset", "gtsrb", "--root", str(root)])
    assert code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert f"{root}/Final_Training/Images: no such folder" in lines[0]


@pytest.mark.parametrize(
    ("dataset", "arguments", "message"),
    [
        ("lights", ("--config", "graph.yaml"), "--config says nothing of lights"),
        ("lights", ("--replayed", "bags"), "--replayed says nothing of lights"),
        ("drives", ("--figures", "figures"), "--figures says nothing of drives"),
        ("lights", ("--threads", "-2"), "command line: threads: expected a value in"),
        ("lights", ("--largest-px", "-1"), "command line: largest_px: expected a value in"),
    ],
)
def test_options_that_would_have_no_effect_are_refused(
    model, requests, tmp_path, dataset, arguments, message
):
    with pytest.raises(ConfigError, match=message):
        run(model, "--dataset", dataset, "--root", tmp_path, *arguments)
    assert not requests


def test_an_unknown_data_set_is_a_usage_error(model, capsys):
    with pytest.raises(SystemExit) as caught:
        run(model, "--dataset", "kiti", "--root", ".")
    assert caught.value.code == 2
    assert "kiti" in capsys.readouterr().err
