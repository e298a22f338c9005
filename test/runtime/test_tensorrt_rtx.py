"""TensorRT-RTX engines built from every shipped model, on a machine without a GPU."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine, find_models_dir
from spatial_perception.runtime.backends import tensorrt
from spatial_perception.runtime.backends.base import Job
from spatial_perception.runtime.backends.tensorrt import TensorRTRtxBackend
from spatial_perception.runtime.engine_factory import build_ahead
from spatial_perception.runtime.models import model_names
from spatial_perception.runtime.precision import to_fp16
from spatial_perception.runtime.spec import Precision

AMPERE_TO_BLACKWELL = ("8.6", "8.9", "12.0")


@pytest.fixture(scope="module")
def rtx() -> TensorRTRtxBackend:
    backend = TensorRTRtxBackend()
    if reason := backend.cannot_build():
        pytest.skip(f"tensorrt_rtx {reason}")
    return backend


def shipped() -> list[tuple[str, int]]:
    """Name and variant of every shipped ONNX file."""
    try:
        names = model_names()
    except EngineError:
        return []
    specs = {n: ModelSpec.load(find_models_dir() / n, check_files=False) for n in names}
    return [(name, i) for name, spec in specs.items() for i in range(len(spec.variants))]


def job(spec: ModelSpec, variant: int, precision: Precision) -> Job:
    graph = spec.onnx_path(variant).read_bytes()
    if precision == "fp16":
        graph = to_fp16(graph, spec.name)
    return Job(spec, spec.variants[variant], graph, precision)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("name", "variant"), shipped())
def test_every_shipped_graph_compiles(
    name: str, variant: int, precision: Precision, rtx: TensorRTRtxBackend
) -> None:
    spec = ModelSpec.load(find_models_dir() / name)
    engine = rtx.build_for(job(spec, variant, precision), ["8.9"])
    assert len(engine) > 10_000


@pytest.mark.parametrize("capability", AMPERE_TO_BLACKWELL)
def test_tiny_graph_compiles_for_each_generation(
    capability: str, rtx: TensorRTRtxBackend, tiny: ModelSpec
) -> None:
    assert len(rtx.build_for(job(tiny, 0, "fp16"), [capability])) > 10_000


def test_one_engine_for_several_generations_is_larger(
    rtx: TensorRTRtxBackend, tiny: ModelSpec
) -> None:
    one = rtx.build_for(job(tiny, 0, "fp32"), ["8.9"])
    assert len(rtx.build_for(job(tiny, 0, "fp32"), ["8.6", "8.9", "12.0"])) > len(one)


def test_engine_built_ahead_is_found_on_a_machine_with_such_a_gpu(
    rtx: TensorRTRtxBackend, tiny: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = build_ahead(tiny, "8.9")
    gpu = SimpleNamespace(compute_capability=lambda: "8.9")
    monkeypatch.setattr(tensorrt, "_cuda", lambda: gpu)
    monkeypatch.setattr(TensorRTRtxBackend, "unavailable", lambda self: "")
    variant = tiny.variants[0]
    session = SimpleNamespace(inputs=variant.inputs, outputs=variant.outputs)
    monkeypatch.setattr(TensorRTRtxBackend, "load", lambda self, engine, job: session)
    info = create_engine(tiny, backend="tensorrt_rtx").info
    assert (info.from_cache, info.cache_key) == (True, entry.path.stem)


def test_engine_built_ahead_that_cannot_be_stored_is_an_error(
    tiny: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TensorRTRtxBackend, "cannot_build", lambda self: "")
    monkeypatch.setattr(TensorRTRtxBackend, "version", lambda self: "1.0")
    monkeypatch.setattr(TensorRTRtxBackend, "build_for", lambda self, job, capabilities: b"engine")
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match=f"cannot be stored in {tmp_path}/file"):
        build_ahead(tiny, "8.9", cache_dir=tmp_path / "file")


@pytest.mark.parametrize("capability", ["8.7", "9.0"])
def test_unsupported_generation_is_refused_with_those_that_are(
    capability: str, rtx: TensorRTRtxBackend, tiny: ModelSpec
) -> None:
    with pytest.raises(EngineError, match=rf"capability {capability} .*SM75.*SM89"):
        rtx.build_for(job(tiny, 0, "fp32"), [capability])


def test_damaged_graph_is_refused_with_the_parsers_reason(
    rtx: TensorRTRtxBackend, tiny: ModelSpec
) -> None:
    tiny.onnx_path().write_bytes(b"not a graph")
    with pytest.raises(EngineError, match="cannot parse the graph") as caught:
        rtx.build_for(job(tiny, 0, "fp32"), ["8.9"])
    assert "\n" not in str(caught.value)
