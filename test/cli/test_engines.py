"""`engines`, `bench` and `doctor` on a tiny model: results, exit codes, JSON, clear errors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.cli import bag_run, bench, doctor, engines
from spatial_perception.cli.engine_arguments import thread_count
from spatial_perception.errors import DatasetError, EngineError, PerceptionError
from spatial_perception.evaluation import parity
from spatial_perception.evaluation.measurement import Illustration, Measurement, Request
from spatial_perception.runtime import BACKENDS, create_engine
from spatial_perception.runtime.backends import get_backend
from spatial_perception.runtime.cache import EngineCache
from spatial_perception.runtime.spec import (
    ClassSpec,
    ModelSpec,
    TensorSpec,
    Variant,
    file_sha256,
)

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

Command = Callable[..., int]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with one: a 1x1 convolution whose answer is known."""
    from onnx import TensorProto, helper, numpy_helper

    folder = tmp_path / "models" / "blend"
    folder.mkdir(parents=True)
    weight = numpy_helper.from_array(np.full((2, 3, 1, 1), 0.5, np.float32), "w")
    shapes = {"image": [1, 3, 8, 8], "logits": [1, 2, 8, 8]}
    ports = {k: helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()}
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["logits"], "conv")],
        "blend",
        [ports["image"]],
        [ports["logits"]],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    tensors = {name: TensorSpec(tuple(shape)) for name, shape in shapes.items()}
    ModelSpec(
        "blend",
        "class_map",
        (Variant("model.onnx", {"image": tensors["image"]}, {"logits": tensors["logits"]}),),
        (ClassSpec("a"), ClassSpec("b")),
        files={"model.onnx": file_sha256(folder / "model.onnx")},
    ).save(folder)
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(folder.parent))
    monkeypatch.setenv("SPATIAL_PERCEPTION_CACHE", str(tmp_path / "cache"))
    return folder.parent


@pytest.fixture
def command(models: Path) -> Command:
    """Runs a command line and returns its exit code."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for module in (engines, bench, doctor):
        module.add_parser(subparsers)

    def call(*arguments: object) -> int:
        parsed = parser.parse_args([str(argument) for argument in arguments])
        return int(parsed.run(parsed))

    return call


def needs_openvino() -> None:
    if reason := get_backend("openvino").unavailable():
        pytest.skip(f"openvino {reason}")


def test_build_list_and_clear(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    needs_openvino()
    assert command("engines", "build", "--backend", "openvino") == 0
    assert command("engines", "build", "--backend", "openvino") == 0
    built, again = [line for line in capsys.readouterr().out.splitlines() if "blend" in line]
    assert built.endswith(": built")
    assert again.endswith(": stored already")
    assert command("engines", "list") == 0
    assert "blend" in capsys.readouterr().out
    assert command("engines", "clear") == 0
    assert "1 engines" in capsys.readouterr().out
    assert EngineCache().entries() == []


def test_verify_passes_and_writes_what_it_found(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "real.npz", image=np.full((4, 1, 3, 8, 8), 2, np.float32))
    path = tmp_path / "deep" / "verify.json"
    arguments = ("--backend", "onnxruntime", "--input", tmp_path / "real.npz", "--json", path)
    assert command("engines", "verify", "blend", *arguments) == 0
    (result,) = json.loads(path.read_text())["verified"]
    assert (result["samples"], result["agreement"]) == (4, 1.0)
    assert result["outputs"][0]["name"] == "logits"
    assert "100.00%" in capsys.readouterr().out


def test_verify_on_a_bag_takes_what_the_graph_feeds_its_engines(
    command: Command, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def graph_over_bag(console: object, bag: Path, backend: str = "auto") -> dict[str, object]:
        engine = create_engine(ModelSpec.load(models / "blend"), backend="onnxruntime")
        for level in range(10):
            engine.infer({"image": np.full((1, 3, 8, 8), level, np.float32)})
        return {}

    monkeypatch.setattr(bag_run, "run_over_bag", graph_over_bag)
    path = tmp_path / "v.json"
    verify = ("engines", "verify", "--backend", "onnxruntime", "--bag", "drive", "--json", path)
    assert command(*verify, "--samples", 4) == 0
    assert json.loads(path.read_text())["verified"][0]["samples"] == 4
    monkeypatch.setattr(bag_run, "run_over_bag", lambda console, bag, backend="auto": {})
    assert command(*verify) == 1, "nothing was compared"
    assert json.loads(path.read_text())["verified"] == []


def test_all_backends_are_those_that_can_run_the_model(command: Command, tmp_path: Path) -> None:
    """PyTorch cannot: model.yaml of a network of others names no architecture."""
    if get_backend("torch").unavailable():
        pytest.skip("torch is not installed")
    path = tmp_path / "v.json"
    assert command("engines", "verify", "--json", path) == 0
    engines = [result["engine"] for result in json.loads(path.read_text())["verified"]]
    assert "onnxruntime" in [engine["backend"] for engine in engines]
    assert command("engines", "build", "--backend", "all", "--precision", "fp32") == 0
    assert command("engines", "verify", "--precision", "fp16", "--json", path) == 0, (
        "not all have it"
    )


def test_verify_exits_1_when_an_engine_disagrees_or_does_not_run(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    verify = ("engines", "verify", "--backend", "onnxruntime")
    assert command(*verify, "--agreement", "100.1") == 1
    assert "FAILED blend/model.onnx on onnxruntime: agreement" in capsys.readouterr().out
    assert command(*verify, "--precision", "bf16") == 1
    assert "has no precision 'bf16'" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("engines", "verify", "--bag", "drive", "--input", "real.npz"),
        ("engines", "build", "--bag", "drive", "--calibration", "real.npz"),
        ("bench", "--threads", "-1"),
    ],
)
def test_options_that_contradict_one_another_are_a_usage_error(
    arguments: tuple[str, ...], command: Command
) -> None:
    with pytest.raises(SystemExit) as caught:
        command(*arguments)
    assert caught.value.code == 2


def test_no_threads_are_all_of_them() -> None:
    assert thread_count("0") is None
    assert thread_count("4") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bench", "--realtime", 2), "--realtime needs --bag"),
        (("engines", "verify", "--samples", "0"), "--samples 0: expected 1 or more"),
        (("engines", "build", "blent"), "did you mean 'blend'"),
        (("engines", "verify", "--input", "gone.npz"), r"gone\.npz: not an npz file with inputs"),
        (("engines", "build", "--backend", "onnxruntime", "--precision", "int8"), "calibration"),
        (("engines", "build", "--calibration", "c.npz"), "--precision int8 alone"),
        (
            ("engines", "build", "--backend", "openvino", "--compute-capability", "8.9"),
            "tensorrt_rtx alone",
        ),
    ],
)
def test_bad_input_is_one_line(arguments: tuple, message: str, command: Command) -> None:
    with pytest.raises(PerceptionError, match=message) as caught:
        command(*arguments)
    assert "\n" not in str(caught.value)


def test_calibration_file_without_an_input_is_refused(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", picture=np.zeros(3))
    with pytest.raises(EngineError, match="no array 'image', there are picture"):
        command("engines", "build", "--calibration", tmp_path / "c.npz", "--precision", "int8")


def test_an_input_that_is_a_single_number_is_refused(command: Command, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", image=np.float32(3))
    with pytest.raises(EngineError, match="'image' is a single number"):
        command("engines", "verify", "--input", tmp_path / "c.npz")


def test_int8_engine_is_built_after_calibration(command: Command, tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (3, 1, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "c.npz", image=images)
    build = ("engines", "build", "--backend", "onnxruntime", "--precision", "int8")
    assert command(*build, "--calibration", tmp_path / "c.npz") == 0
    assert command(*build) == 0


def test_engine_for_other_machines_is_built_without_a_gpu(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorrt_rtx")
    assert command("engines", "build", "--compute-capability", "8.9", "12.0") == 0
    keys = [entry.key for entry in EngineCache().entries() if entry.key is not None]
    devices = sorted(key.device for key in keys if key.backend == "tensorrt_rtx")
    assert devices == ["compute capability 12.0", "compute capability 8.9"]


def test_bench_compares_with_the_references_and_writes_json(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_openvino()
    path = tmp_path / "bench.json"
    assert command("bench", "--backend", "openvino", "--runs", "4", "--json", path) == 0
    content = json.loads(path.read_text())
    backends = [engine["backend"] for engine in content["engines"]]
    assert backends == ["openvino", "onnxruntime"]  # no torch: model.yaml names no network
    for engine in content["engines"]:
        assert 0 < engine["p50_ms"] <= engine["p90_ms"] <= engine["p99_ms"]
    assert content["peak_rss_mb"] > 10
    assert "ONNX Runtime" in capsys.readouterr().out.replace("\n", " ")


def test_bench_measures_a_reference_in_the_precision_asked_for(
    command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "bench.json"
    asked = ("--backend", "onnxruntime", "--precision", "fp16", "--runs", "2")
    assert command("bench", *asked, "--json", path) == 0
    (engine,) = json.loads(path.read_text())["engines"]
    assert (engine["backend"], engine["precision"]) == ("onnxruntime", "fp16")


def test_doctor_is_content_with_a_working_machine(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("doctor") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in (*BACKENDS, "blend", "engine cache"))


def test_repair_of_what_is_no_bag_is_one_line(command: Command, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        command("doctor", "--repair", tmp_path / "gone")
    assert "gone" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_doctor_exits_1_on_a_damaged_model_or_without_any_backend(
    command: Command,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        for name in BACKENDS:
            patch.setattr(get_backend(name), "unavailable", lambda: "is not installed: get it")
        assert command("doctor") == 1
        assert "get it" in capsys.readouterr().out
    (models / "blend" / "model.onnx").write_bytes(b"")
    assert command("doctor") == 1
    assert "sha256" in capsys.readouterr().out


def test_verify_on_a_data_set_compares_metrics_and_exits_1_above_the_loss(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def measured(request: Request, progress: object) -> Measurement:
        assert (request.dataset, request.split, request.limit) == ("camvid", "val", 5)
        reference, other = {"miou": 60.0, "iou_a": 9.0}, {"miou": 59.0}
        metrics = reference if request.engine.backend == "onnxruntime" else other
        picture = Illustration(["a"], np.zeros(1), lambda i: np.zeros((8, 8, 3), np.uint8))
        return Measurement("val", 1, lambda weights: metrics, picture)

    monkeypatch.setattr(parity, "measure", measured)
    path = tmp_path / "parity.json"
    verify = ("engines", "verify", "blend", "--dataset", "camvid", "--root", tmp_path)
    verify += ("--split", "val", "--limit", 5, "--backend", "openvino", "--json", path)
    assert command(*verify, "--max-loss", "1.5") == 0
    assert command(*verify) == 1
    assert "loses 1.00 points" in capsys.readouterr().out
    content = json.loads(path.read_text())
    assert content["reference"] == {"miou": 60.0, "iou_a": 9.0}
    assert content["engines"][0]["lost"] == {"miou": 1.0}
    assert len(content["failed"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--root", "."), "needs one MODEL and --root"),
        (("blend",), "needs one MODEL and --root"),
        (("blend", "--root", ".", "--calibrate-split", "train"), "--precision int8 alone"),
        (("blend", "--root", ".", "--bag", "drive"), "leave one out"),
    ],
)
def test_verify_on_a_data_set_says_what_is_missing(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        command("engines", "verify", "--dataset", "camvid", *arguments)
