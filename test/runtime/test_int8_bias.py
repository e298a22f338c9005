"""Biases take back what rounding shifts on average."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime.graph_values import mean_of_channels, tensor_values
from spatial_perception.runtime.int8_bias import correct_biases

from .graphs import picture_graph

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def network(shift: float = 0.0, second_bias: str = "b1"):
    """Two convolutions; a shift of the first one's weights stands for their rounding."""
    rng = np.random.default_rng(0)
    values = {
        "w0": rng.normal(size=(8, 3, 3, 3)) + shift,
        "b0": rng.normal(size=8),
        "w1": rng.normal(size=(8, 8, 3, 3)) - shift,
        "b1": rng.normal(size=8),
    }
    node = onnx.helper.make_node
    nodes = [
        node("Conv", ["image", "w0", "b0"], ["a"], "first"),
        node("Relu", ["a"], ["b"], "act"),
        node("Conv", ["b", "w1", second_bias], ["c"], "second"),
    ]
    return picture_graph(nodes, values, "c", [1, 8, 12, 12])


def means(model, samples) -> np.ndarray:
    found = [
        np.stack([mean_of_channels(values[name]) for name in ("a", "c")])
        for values in tensor_values(model, ["a", "c"], samples)
    ]
    return np.mean(found, 0)


def pictures() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    return [{"image": rng.uniform(size=(1, 3, 16, 16)).astype(np.float32)} for _ in range(3)]


def test_channels_keep_their_means_one_layer_after_the_other() -> None:
    rounded, samples = network(0.05), pictures()
    wanted = means(network(), samples)
    assert np.abs(means(rounded, samples) - wanted).max() > 0.1
    correct_biases(rounded, network(), samples)
    np.testing.assert_allclose(means(rounded, samples), wanted, atol=1e-4)


def test_a_bias_of_two_convolutions_stays_as_it_is() -> None:
    rounded = network(0.05, second_bias="b0")
    before = rounded.SerializeToString()
    correct_biases(rounded, network(second_bias="b0"), pictures())
    assert rounded.SerializeToString() == before
