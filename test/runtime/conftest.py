"""A tiny convolutional model on disk, made without torch, and an engine cache of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.runtime.spec import (
    ClassSpec,
    ModelSpec,
    TensorSpec,
    Variant,
    file_sha256,
)

onnx = pytest.importorskip("onnx")


def _graph(width: int = 16, seed: int = 0) -> bytes:
    """Two convolutions, global average, a fully connected layer: image -> logits (1, 5)."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    constants = {
        "conv_weight": rng.normal(0, 0.2, (8, 3, 3, 3)),
        "conv_bias": rng.normal(0, 0.2, 8),
        "fc_weight": rng.normal(0, 0.5, (8, 5)),
        "fc_bias": rng.normal(0, 0.5, 5),
        "body_weight": rng.normal(0, 0.2, (8, 8, 3, 3)),
    }
    nodes = [
        helper.make_node(
            "Conv", ["image", "conv_weight", "conv_bias"], ["conv"], "conv", pads=[1, 1, 1, 1]
        ),
        helper.make_node("Relu", ["conv"], ["relu"], "relu"),
        helper.make_node("Conv", ["relu", "body_weight"], ["body"], "body"),
        helper.make_node("GlobalAveragePool", ["body"], ["pooled"], "pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "fc_weight", "fc_bias"], ["logits"], "fc"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 16, width])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def _write(folder: Path, width: int = 16, seed: int = 0) -> ModelSpec:
    """Writes model.onnx and model.yaml into `folder` and loads them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(_graph(width, seed))
    ModelSpec(
        name="tiny",
        decoder="classification",
        variants=(
            Variant(
                "model.onnx",
                {"image": TensorSpec((1, 3, 16, width))},
                {"logits": TensorSpec((1, 5))},
            ),
        ),
        classes=tuple(ClassSpec(f"class_{i}") for i in range(5)),
        files={"model.onnx": file_sha256(folder / "model.onnx")},
    ).save(folder)
    return ModelSpec.load(folder)


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Engines of a test never come from or go to the user's cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SPATIAL_PERCEPTION_CACHE", str(folder))
    return folder


@pytest.fixture
def tiny_graph() -> bytes:
    """The tiny model's graph."""
    return _graph()


@pytest.fixture
def make_tiny(tmp_path: Path) -> Callable[..., ModelSpec]:
    """Writes another tiny model: `make_tiny(folder_name, width=16, seed=0)`."""
    return lambda name, **options: _write(tmp_path / "models" / name, **options)


@pytest.fixture
def tiny(tmp_path: Path) -> ModelSpec:
    """The tiny model."""
    return _write(tmp_path / "models" / "tiny")


@pytest.fixture
def image() -> dict[str, np.ndarray]:
    """A valid input of the tiny model."""
    rng = np.random.default_rng(1)
    return {"image": rng.uniform(0, 255, (1, 3, 16, 16)).astype(np.float32)}
