"""Train a few steps, export, load again: the three commands on a data set of sixty crops."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file

from spatial_perception.cli.main import main
from spatial_perception.datasets.lights import LIGHT_LABELS
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.networks import build
from spatial_perception.runtime.spec import MetricRecord, ModelSpec
from spatial_perception.training import export as export_module
from spatial_perception.training.model_card import model_card
from spatial_perception.training.onnx_graph import compress_weights
from spatial_perception.training.tasks import export_model, load_task, tasks, train

CONFIGS = Path(__file__).parents[2] / "config" / "training"


@pytest.fixture(scope="module")
def crops(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("lights")
    generator = np.random.default_rng(0)
    for channel, name in enumerate(LIGHT_LABELS.names):
        (root / name).mkdir()
        for number in range(20):
            picture = generator.integers(0, 80, (20, 20, 3), dtype=np.uint8)
            picture[5 * channel + 2 : 5 * channel + 7, 7:13, 2 - channel] = 250
            cv2.imwrite(str(root / name / f"{number}.png"), picture)
    return root


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Path:
    content = yaml.safe_load((CONFIGS / "light_classifier.yaml").read_text())
    content |= {"width": 8, "batch_size": 16}
    content["fit"] |= {"steps": 30, "validate_every": 15, "device": "cpu"}
    path = tmp_path_factory.mktemp("config") / "light_classifier.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def models(crops, config, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    result = train("light_classifier", config, crops, folder / "run", show=False)
    export_model("light_classifier", config, crops, result.weights, folder)
    return folder


def test_every_model_has_its_configuration_file():
    assert set(tasks) == {path.stem for path in CONFIGS.glob("*.yaml")}


def test_an_export_that_fails_leaves_the_model_as_it_was(models, crops, config, monkeypatch):
    before = {path.name: path.read_bytes() for path in (models / "light_classifier").iterdir()}

    def differ(*_):
        raise EngineError("off by much")

    monkeypatch.setattr(export_module, "compare_with_runtime", differ)
    with pytest.raises(EngineError):
        export_model("light_classifier", config, crops, models / "run" / "best.pt", models)
    after = {path.name: path.read_bytes() for path in (models / "light_classifier").iterdir()}
    assert after == before
    assert sorted(path.name for path in models.iterdir()) == ["light_classifier", "run"]


def test_train_and_export_write_what_they_measured(crops, config, tmp_path, capsys):
    train_json, export_json = tmp_path / "train.json", tmp_path / "export.json"
    common = ["light_classifier", "--data", str(crops), "--config", str(config)]
    run, models = tmp_path / "run", tmp_path / "models"
    assert main(["train", *common, "--output", str(run), "--json", str(train_json)]) == 0
    trained = json.loads(train_json.read_text())
    assert (trained["model"], trained["steps"]) == ("light_classifier", 30)
    assert trained["weights"] == str(run / "best.pt")
    arguments = ["--checkpoint", trained["weights"], "--output", str(models)]
    assert main(["export", *common, *arguments, "--json", str(export_json)]) == 0
    exported = json.loads(export_json.read_text())
    (record,) = ModelSpec.load(models / "light_classifier").metrics
    assert exported["metrics"] == record.values
    assert exported["frames"] == record.frames
    assert set(exported["files"]) == {"weights.safetensors", "model.onnx"}
    assert exported["folder"] == str(models / "light_classifier")
    assert "accuracy" in capsys.readouterr().out


def test_a_library_that_is_not_installed_is_named(crops, config, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    arguments = ["--data", str(crops), "--config", str(config), "--output", str(tmp_path)]
    assert main(["train", "light_classifier", *arguments]) == 2
    wanted = "training needs torch.utils.tensorboard: pip install 'spatial_perception[training]'"
    assert wanted in capsys.readouterr().err


def test_model_yaml_is_complete_and_its_checksums_hold(models):
    spec = ModelSpec.load(models / "light_classifier")
    assert spec.decoder == "classification"
    assert spec.label_set.names == LIGHT_LABELS.names
    assert spec.variants[0].inputs["crops"].shape == (8, 3, 32, 32)
    assert spec.variants[0].outputs["logits"].shape == (8, 3)
    assert set(spec.files) == {"weights.safetensors", "model.onnx"}
    assert spec.metrics[0].values["accuracy"] > 40.0
    assert spec.decoder_arguments["temperature"] > 0.0
    assert spec.data_licence


def test_the_graph_is_the_stored_weights_and_nothing_else(models):
    folder = models / "light_classifier"
    spec = ModelSpec.load(folder)
    network = build(spec.network.name, **spec.network.arguments)
    stored = load_file(folder / "weights.safetensors")
    assert all(v.dtype == torch.float16 for v in stored.values() if v.ndim > 1)
    network.load_state_dict({key: value.float() for key, value in stored.items()})
    crops = 255.0 * torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network.eval()(crops).numpy()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    found = session.run(["logits"], {"crops": crops.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_the_graph_is_small_and_says_nothing_of_the_machine(models):
    path = models / "light_classifier" / "model.onnx"
    graph = onnx.load(path)
    operators = {node.op_type for node in graph.graph.node}
    assert "GridSample" in operators
    assert "BatchNormalization" not in operators, "folded into the convolutions"
    assert str(Path.home()).encode() not in path.read_bytes()
    assert b".py" not in path.read_bytes()


def test_compressed_weights_change_little_and_halve_the_file():
    weight = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [4, 64]) for n in "xy")
    constant = numpy_helper.from_array(weight, "w")
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y], [constant]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    before = len(model.SerializeToString())
    compress_weights(model)
    onnx.checker.check_model(model)
    assert len(model.SerializeToString()) < 0.55 * before
    values = np.random.default_rng(1).normal(size=(4, 64)).astype(np.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(None, {"x": values})[0]
    np.testing.assert_allclose(found, values @ weight.astype(np.float16), rtol=1e-4, atol=1e-4)


def test_a_shape_that_is_exported_no_more_leaves_no_file(models, crops, config):
    stale = models / "light_classifier" / "model_8x8.onnx"
    stale.touch()
    export_model("light_classifier", config, crops, models / "run" / "best.pt", models)
    assert not stale.exists()
    assert (models / "light_classifier" / "model.onnx").exists()


def test_the_card_calls_the_configuration_a_fresh_run_and_says_where_the_rest_stands(models):
    card = (models / "light_classifier" / "MODEL_CARD.md").read_text()
    training = Path(__file__).parents[2] / "docs" / "training.md"
    assert "`config/training/light_classifier.yaml`" in card
    assert "of a fresh run (seed 0)" in card
    assert 'docs/training.md ("The shipped weights")' in card
    assert "## The shipped weights" in training.read_text()


def test_the_card_has_commands_and_metrics(models):
    card = (models / "light_classifier" / "MODEL_CARD.md").read_text()
    for text in ("spatial-perception train", "export", "evaluate", "accuracy", "GFLOP"):
        assert text in card


def test_the_card_shows_intervals_where_a_record_has_some(models, crops, config):
    values = {"accuracy": 96.0, "ece": 3.5}
    records = (
        MetricRecord("with", 8, values, interval_90={"accuracy": (72.5, 100.0)}),
        MetricRecord("without", 8, values),
    )
    task = load_task("light_classifier", config, crops)
    network = task.network()
    spec = replace(ModelSpec.load(models / "light_classifier"), metrics=records)
    card = model_card(spec, task.export_plan(network), task, network)
    shown, plain = card.split("## Metrics")[1].split("without (8")
    assert "| metric | value | 90 % interval over samples |\n|---|---|---|\n" in shown
    assert "| accuracy | 96 | 72.5 .. 100 |\n| ece | 3.5 | - |\n" in shown
    assert "| metric | value |\n|---|---|\n| accuracy | 96 |\n| ece | 3.5 |\n" in plain


def test_the_licence_of_the_weights_that_training_began_with_binds(models, crops, config, tmp_path):
    begun = tmp_path / "begun"
    shutil.copytree(models / "light_classifier", begun)
    before = replace(ModelSpec.load(begun), data_licence="non-commercial", training_data="a drive")
    before.save(begun)
    content = yaml.safe_load(config.read_text()) | {"initial": str(begun / "weights.safetensors")}
    other = tmp_path / "light_classifier.yaml"
    other.write_text(yaml.safe_dump(content))
    export_model("light_classifier", other, crops, models / "run" / "best.pt", tmp_path)
    spec = ModelSpec.load(tmp_path / "light_classifier")
    assert spec.data_licence == "none stated by its publisher; non-commercial"
    assert spec.training_data.endswith("; begun from light_classifier (a drive)")


def test_a_checkpoint_of_another_network_is_refused(models, crops, config, tmp_path):
    content = yaml.safe_load(config.read_text()) | {"width": 12}
    other = tmp_path / "light_classifier.yaml"
    other.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="weights do not fit the configuration"):
        export_model("light_classifier", other, crops, models / "run" / "best.pt", tmp_path)


def test_an_unknown_option_is_refused_with_the_near_miss(config, crops, tmp_path):
    other = tmp_path / "light_classifier.yaml"
    other.write_text(config.read_text().replace("batch_size:", "batchsize:"))
    with pytest.raises(ConfigError, match="'batchsize'; did you mean 'batch_size'"):
        train("light_classifier", other, crops, tmp_path)


def test_an_unknown_model_is_refused_with_the_near_miss(config, crops, tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'light_classifier'"):
        train("light_clasifier", config, crops, tmp_path)


@pytest.mark.parametrize("share", [0.005, 0.02])
def test_kernels_may_change_an_output_by_a_hundredth_by_rounding(share, tmp_path):
    exact = {"logits": np.array([1.0, -2.0, 3.0])}
    rounded = {"logits": exact["logits"] * (1.0 + share)}
    if share < 0.01:
        export_module._check_rounding(rounded, exact, tmp_path)
    else:
        with pytest.raises(EngineError, match="fp16 kernels change output 'logits' by 2.0e-02"):
            export_module._check_rounding(rounded, exact, tmp_path)


def test_what_is_no_number_is_no_exported_output(tmp_path):
    finite, broken = np.array([1.0, 2.0]), np.array([np.nan, 2.0])
    with pytest.raises(EngineError, match="fp16 kernels change output 'logits'"):
        export_module._check_rounding({"logits": broken}, {"logits": finite}, tmp_path)
    node = helper.make_node("Log", ["x"], ["y"])
    ports = ([helper.make_tensor_value_info(n, TensorProto.FLOAT, [2])] for n in "xy")
    graph = helper.make_graph([node], "logarithm", *ports)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    inputs = {"x": torch.tensor([-1.0, 1.0])}
    with pytest.raises(EngineError, match="output 'y' is off by nan"):
        export_module.compare_with_runtime(
            tmp_path / "model.onnx", inputs, {"y": np.array([5.0, 0.0], np.float32)}
        )
