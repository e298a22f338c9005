"""Engines: parity with a hand calculation, and clear errors for wrong arrays and wrong models."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import correlate

from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.runtime import create_engine, engine_factory
from spatial_perception.runtime.backends import BACKENDS, get_backend
from spatial_perception.runtime.spec import ModelSpec, TensorSpec, file_sha256

CPU_BACKENDS = ["openvino", "onnxruntime"]


def needs(name: str) -> None:
    if reason := get_backend(name).unavailable():
        pytest.skip(f"{name} {reason}")


def expected_logits(spec: ModelSpec, image: np.ndarray) -> np.ndarray:
    """The tiny network by scipy: an implementation of its own."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(spec.onnx_path()).graph
    value = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in graph.initializer}
    padded = np.pad(image[0].astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    maps = [correlate(padded, kernel, mode="valid")[0] for kernel in value["conv_weight"]]
    active = np.maximum(np.stack(maps) + value["conv_bias"][:, None, None], 0)
    body = [correlate(active, kernel, mode="valid")[0] for kernel in value["body_weight"]]
    return np.mean(body, axis=(1, 2)) @ value["fc_weight"] + value["fc_bias"]


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_fp32_engine_computes_what_the_graph_says(
    name: str, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    needs(name)
    with create_engine(tiny, backend=name, precision="fp32", threads=1) as engine:
        logits = engine.infer(image)["logits"]
    assert logits.shape == (1, 5)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits[0], expected_logits(tiny, image["image"]), rtol=2e-4)


def test_bf16_engine_is_close_but_not_fp32(tiny: ModelSpec, image: dict[str, np.ndarray]) -> None:
    needs("openvino")
    if get_backend("openvino").half_precision() != "bf16":
        pytest.skip("this CPU does not compute in bf16")
    engine = create_engine(tiny, backend="openvino")
    assert engine.info.precision == "bf16"
    reference = expected_logits(tiny, image["image"])
    difference = np.abs(engine.infer(image)["logits"][0] - reference).max()
    assert 1e-6 < difference / np.abs(reference).max() < 0.02


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_outputs_belong_to_the_caller(
    name: str, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    needs(name)
    engine = create_engine(tiny, backend=name, precision="fp32")
    first = engine.infer(image)["logits"]
    kept = first.copy()
    engine.infer({"image": image["image"][..., ::-1] * 0.1})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: {}, "input 'image' is missing"),
        (lambda x: {"imag": x}, "no input 'imag'; did you mean 'image'"),
        (lambda x: {"image": x[0]}, "expected 1x3x16x16 float32, got 3x16x16 float32"),
        (lambda x: {"image": x.astype(np.float64)}, "got 1x3x16x16 float64"),
        (lambda x: {"image": x.tolist()}, "expected a numpy array, got list"),
    ],
)
def test_wrong_inputs_are_named(change, message: str, tiny: ModelSpec, image) -> None:
    needs("onnxruntime")
    engine = create_engine(tiny, backend="onnxruntime")
    with pytest.raises(EngineError, match=message) as caught:
        engine.infer(change(image["image"]))
    assert "\n" not in str(caught.value)


def test_closed_engine_says_so(tiny: ModelSpec, image: dict[str, np.ndarray]) -> None:
    needs("onnxruntime")
    engine = create_engine(tiny, backend="onnxruntime")
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(image)


class Crowded:
    """A session that counts how many of its kind run at once."""

    running = 0
    most = 0
    counting = threading.Lock()

    def __init__(self, session) -> None:
        self._session = session

    def run(self, inputs):
        with Crowded.counting:
            Crowded.running += 1
            Crowded.most = max(Crowded.most, Crowded.running)
        time.sleep(0.01)
        outputs = self._session.run(inputs)
        with Crowded.counting:
            Crowded.running -= 1
        return outputs

    def close(self) -> None:
        self._session.close()


def test_engines_on_one_device_never_run_at_once(tiny: ModelSpec, image) -> None:
    needs("onnxruntime")
    engines = [create_engine(tiny, 0, "onnxruntime") for _ in range(3)]
    for engine in engines:
        engine._session = Crowded(engine._session)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda engine: engine.infer(image), engines * 3))
    assert Crowded.most == 1


def test_auto_takes_the_first_that_works_and_says_why_not_the_others(
    tiny: ModelSpec, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_factory, "_announced", set())
    works = [name for name in BACKENDS if not get_backend(name).unavailable()]
    if not works:
        pytest.skip("no backend here")
    with caplog.at_level(logging.INFO):
        engine = create_engine(tiny)
        create_engine(tiny)
    assert engine.info.backend == works[0]
    for name in BACKENDS[: BACKENDS.index(works[0])]:
        assert name in caplog.text
    assert sum("runs on" in r.message for r in caplog.records if r.levelno >= logging.INFO) <= 1


def test_the_licence_of_training_data_is_said_once_a_model_where_the_command_line_shows_it(
    tiny: ModelSpec, caplog: pytest.LogCaptureFixture
) -> None:
    needs("onnxruntime")
    one = dataclasses.replace(tiny, name="one", data_licence="no commerce")
    other = dataclasses.replace(one, name="other")
    with caplog.at_level(logging.WARNING):  # the level of the command line
        for spec in (tiny, one, one, other):
            create_engine(spec, backend="onnxruntime")
    lines = [line for line in caplog.messages if "licence" in line]
    assert lines == [
        "model 'one': licence of its training data: no commerce",
        "model 'other': licence of its training data: no commerce",
    ]


def test_auto_with_no_backend_lists_what_each_lacks(
    tiny: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BACKENDS:
        monkeypatch.setattr(get_backend(name), "unavailable", lambda: "is switched off")
    with pytest.raises(EngineError) as caught:
        create_engine(tiny)
    assert all(f"'{name}' is switched off" in str(caught.value) for name in BACKENDS)


def test_unknown_backend_and_precision_suggest_the_near_miss(tiny: ModelSpec) -> None:
    needs("onnxruntime")
    with pytest.raises(ConfigError, match="did you mean 'onnxruntime'"):
        create_engine(tiny, backend="onxruntime")
    with pytest.raises(EngineError, match="no precision 'bf16'"):
        create_engine(tiny, backend="onnxruntime", precision="bf16")


def test_unknown_variant_says_how_many_there_are(tiny: ModelSpec) -> None:
    with pytest.raises(EngineError, match="no variant 3, there are 1"):
        create_engine(tiny, variant=3)


def with_variant(spec: ModelSpec, **changes: object) -> ModelSpec:
    return dataclasses.replace(spec, variants=(dataclasses.replace(spec.variants[0], **changes),))


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_model_yaml_out_of_step_with_the_graph_is_refused(name: str, tiny: ModelSpec) -> None:
    needs(name)
    shape = with_variant(tiny, inputs={"image": TensorSpec((1, 3, 16, 32))})
    with pytest.raises(EngineError, match=r"says 1x3x16x32 float32, the ONNX file 1x3x16x16"):
        create_engine(shape, backend=name)
    output = with_variant(tiny, outputs={"scores": TensorSpec((1, 5))})
    with pytest.raises(EngineError, match="'scores' of model.yaml is not in the ONNX file"):
        create_engine(output, backend=name)


def test_auto_does_not_hide_a_model_out_of_step_behind_another_backend(tiny: ModelSpec) -> None:
    needs("onnxruntime")
    with pytest.raises(EngineError, match="out of step"):
        create_engine(with_variant(tiny, inputs={"image": TensorSpec((1, 3, 16, 32))}))


def test_auto_warns_when_a_backend_that_is_there_fails(
    tiny: ModelSpec, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    needs("openvino")
    needs("onnxruntime")

    def refuse(job: object) -> bytes:
        raise EngineError("this graph is beyond me")

    monkeypatch.setattr(get_backend("openvino"), "build", refuse)
    assert create_engine(tiny).info.backend == "onnxruntime"
    (record,) = (r for r in caplog.records if r.levelno == logging.WARNING)
    assert record.getMessage() == "this graph is beyond me; trying the next backend"


@pytest.mark.parametrize("name", CPU_BACKENDS)
def test_damaged_graph_gives_one_line_with_the_file(name: str, tiny: ModelSpec) -> None:
    needs(name)
    path = tiny.onnx_path()
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(EngineError, match=r"tiny/model\.onnx.*export the model again") as caught:
        create_engine(tiny, backend=name)
    assert "\n" not in str(caught.value)


def test_wrong_checksum_is_refused_on_load(tiny: ModelSpec) -> None:
    path = tiny.onnx_path()
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(EngineError, match="sha256"):
        ModelSpec.load(path.parent)


def test_missing_graph_is_named(tiny: ModelSpec) -> None:
    needs("onnxruntime")
    tiny.onnx_path().unlink()
    with pytest.raises(EngineError, match="cannot be read"):
        create_engine(tiny, backend="onnxruntime")


@pytest.mark.parametrize("text", ["", "name: [", "name: tiny\n", "- 1\n", "nmae: tiny\n"])
def test_damaged_model_yaml_gives_one_line(text: str, tiny: ModelSpec) -> None:
    path = Path(tiny.folder) / "model.yaml"
    path.write_text(text)
    with pytest.raises((ConfigError, EngineError), match=r"model\.yaml"):
        ModelSpec.load(path.parent)


def test_spec_survives_a_round_trip(tiny: ModelSpec, tmp_path: Path) -> None:
    tiny.save(tmp_path)
    (tmp_path / "model.onnx").write_bytes(tiny.onnx_path().read_bytes())
    assert file_sha256(tmp_path / "model.onnx") == tiny.files["model.onnx"]
    assert dataclasses.replace(ModelSpec.load(tmp_path), folder=tiny.folder) == tiny
