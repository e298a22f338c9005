"""Models of a few nodes whose answers can be told by hand, and no engine cache of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.runtime.spec import ClassSpec, ModelSpec, TensorSpec, Variant

onnx = pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPATIAL_PERCEPTION_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def color_classifier(tmp_path: Path) -> Callable[..., Path]:
    """Writes a classifier whose logits are a linear function of the mean colour of a crop."""

    def write(names: tuple[str, ...], weights: np.ndarray, temperature: float = 1.0) -> Path:
        """weights: (3, K) logit per unit (of 255) of red, green and blue."""
        nodes = [
            onnx.helper.make_node("GlobalAveragePool", ["crops"], ["mean"]),
            onnx.helper.make_node("Flatten", ["mean"], ["flat"]),
            onnx.helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        ]
        return write_model(
            tmp_path / "color_classifier",
            nodes,
            {"weights": weights / 255.0},
            ("crops", (8, 3, 32, 32)),
            ("logits", (8, len(names))),
            decoder="classification",
            decoder_arguments={"temperature": temperature},
            classes=tuple(ClassSpec(name) for name in names),
        )

    return write


@pytest.fixture
def color_segmenter(tmp_path: Path) -> Callable[..., Path]:
    """Writes a segmenter whose logits are a linear function of a pixel's colour."""

    def write(names: tuple[str, ...], weights: np.ndarray, size_hw: tuple[int, int]) -> Path:
        """weights: (3, K) logit per unit (of 255) of red, green and blue."""
        kernel = (weights.T / 255.0)[:, :, None, None]
        return write_model(
            tmp_path / "color_segmenter",
            [onnx.helper.make_node("Conv", ["image", "kernel"], ["logits"])],
            {"kernel": kernel},
            ("image", (1, 3, *size_hw)),
            ("logits", (1, len(names), *size_hw)),
            decoder="class_map",
            classes=tuple(ClassSpec(name) for name in names),
        )

    return write


def write_model(folder, nodes, constants, given, result, **options) -> Path:
    """The folder with model.onnx and model.yaml of one input and one output."""
    folder.mkdir(parents=True)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "by_hand",
        [info(given[0], onnx.TensorProto.FLOAT, given[1])],
        [info(result[0], onnx.TensorProto.FLOAT, result[1])],
        [
            onnx.numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in constants.items()
        ],
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    inputs, outputs = ({name: TensorSpec(shape)} for name, shape in (given, result))
    variant = Variant("model.onnx", inputs, outputs)
    ModelSpec(name=folder.name, variants=(variant,), **options).save(folder)
    return folder
