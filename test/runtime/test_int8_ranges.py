"""Ranges of 8-bit tensors: where the least is lost."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime.int8_ranges import best_ranges

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def ranges_of(value: np.ndarray):
    """Of a graph's input and of its ReLU."""
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(value.shape))
        for name in ("x", "y")
    ]
    relu = onnx.helper.make_node("Relu", ["x"], ["y"], "relu")
    graph = onnx.helper.make_graph([relu], "g", ports[:1], ports[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    return best_ranges(model, ["x", "y"], [{"x": value[:1] * 0}, {"x": value}])


def rounding_error(value: np.ndarray, largest: float, levels: int) -> float:
    step = largest / levels
    rounded = np.clip(np.round(value / step), -levels, levels) * step
    return float(((rounded - value) ** 2).sum())


def test_even_values_take_the_whole_range() -> None:
    value = np.random.default_rng(0).uniform(-2, 2, (1, 40_000)).astype(np.float32)
    found = ranges_of(value)["x"]
    assert found.signed == pytest.approx(2, rel=0.03)
    assert found.unsigned is None


def test_a_few_large_values_are_cut_where_that_costs_least() -> None:
    value = np.random.default_rng(0).normal(0, 1, (1, 200_000)).astype(np.float32)
    value[0, 0] = 20
    found = ranges_of(value)
    assert found["x"].signed < 15
    assert found["y"].unsigned is not None
    for name, levels, size in (
        ("x", 127, found["x"].signed),
        ("y", 255, found["y"].unsigned),
    ):
        seen = value if name == "x" else np.maximum(value, 0)
        least = min(rounding_error(seen, share * 20, levels) for share in np.linspace(0.1, 1, 91))
        assert rounding_error(seen, size, levels) < 1.05 * least


def test_what_is_always_zero_has_no_range() -> None:
    assert set(ranges_of(-np.ones((1, 8), np.float32))) == {"x"}
