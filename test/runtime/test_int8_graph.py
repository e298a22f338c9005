"""8-bit graphs: what stays fp32, and inputs whose channels differ in size."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime import int8_graph
from spatial_perception.runtime.int8_graph import Int8Graphs, quantized

from .graphs import picture_graph

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

SIZES = np.geomspace(1e-2, 1e2, 8).astype(np.float32)
"""Of the channels that the middle convolution reads; its weights make up for them."""


def network():
    """stem -> channels of unequal sizes -> middle -> depthwise -> head."""
    rng = np.random.default_rng(0)
    middle = rng.normal(size=(8, 8, 3, 3)) / SIZES[:, None, None]
    values = {
        "w0": rng.normal(size=(8, 3, 3, 3)),
        "sizes": SIZES[None, :, None, None],
        "w1": middle,
        "w2": rng.normal(size=(8, 1, 3, 3)),
        "w3": rng.normal(size=(4, 8, 1, 1)),
    }
    node = onnx.helper.make_node
    nodes = [
        node("Conv", ["image", "w0"], ["a"], "stem"),
        node("Relu", ["a"], ["b"], "act"),
        node("Mul", ["b", "sizes"], ["c"], "mul"),
        node("Conv", ["c", "w1"], ["d"], "middle"),
        node("Conv", ["d", "w2"], ["e"], "depthwise", group=8),
        node("Conv", ["e", "w3"], ["scores"], "head"),
    ]
    return picture_graph(nodes, values, "scores", [1, 4, 10, 10])


def samples(count: int = 4) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    return [{"image": rng.normal(size=(1, 3, 16, 16)).astype(np.float32)} for _ in range(count)]


def answer(model, sample: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, sample)[0]


def error(model) -> float:
    """Relative error of a graph, or the larger one of both 8-bit graphs."""
    if isinstance(model, Int8Graphs):
        return max(error(model.signed), error(model.unsigned))
    (sample,) = samples(1)
    exact = answer(network(), sample)
    return float(np.linalg.norm(answer(model, sample) - exact) / np.linalg.norm(exact))


def left_in_fp32(model) -> set[str]:
    stored = {t.name for t in model.graph.initializer}
    return {n.name for n in model.graph.node if n.op_type == "Conv" and n.input[1] in stored}


def test_heads_first_and_depthwise_convolutions_stay_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8_graph, "_LARGE_SHARE", 0.5)
    graphs = quantized(network(), samples(), keep=["head"])
    for model in (graphs.signed, graphs.unsigned):
        assert left_in_fp32(model) == {"stem", "depthwise", "head"}


def test_a_first_convolution_with_much_of_the_work_does_not() -> None:
    products = int8_graph._products(network())
    assert products["stem"] == 3 * 8 * 9 * 14 * 14
    assert products["stem"] > int8_graph._LARGE_SHARE * sum(products.values())
    assert left_in_fp32(quantized(network(), samples(), ["head"]).signed) == {"depthwise", "head"}


def test_channels_of_unequal_sizes_cost_no_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < error(quantized(network(), samples(), keep=["head"])) < 0.05
    monkeypatch.setattr(int8_graph, "_UNEQUAL", np.inf)
    assert error(quantized(network(), samples(), keep=["head"])) > 0.2


def test_sizes_of_channels_come_from_all_samples_alike() -> None:
    night = [{"image": np.zeros((1, 3, 16, 16), np.float32)}] * 40
    model = quantized(network(), [*night, *samples(8)], keep=["head"])
    assert 0 < error(model) < 0.05


def test_equalizing_alone_changes_nothing() -> None:
    model = network()
    int8_graph._equalize(model, samples(), {"head"})
    assert "middle__equalize" in [node.name for node in model.graph.node]
    (sample,) = samples(1)
    np.testing.assert_allclose(answer(model, sample), answer(network(), sample), rtol=1e-4)


def test_a_network_of_first_and_last_convolutions_alone_stays_as_it_is() -> None:
    everything = [node.name for node in network().graph.node]
    assert error(quantized(network(), samples(), keep=everything)) == 0.0


def rounded_types(model) -> dict[str, int]:
    """Type of the levels of each rounded tensor that is no weight."""
    stored = {t.name: t for t in model.graph.initializer}
    return {
        node.input[0]: stored[node.input[2]].data_type
        for node in model.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in stored
    }


def test_only_what_convolutions_read_is_rounded_and_only_positive_tensors_unsigned() -> None:
    graphs = quantized(network(), samples(), keep=["head"])
    int8, uint8 = onnx.TensorProto.INT8, onnx.TensorProto.UINT8
    assert rounded_types(graphs.signed) == {"image": int8, "middle__input": int8}
    assert rounded_types(graphs.unsigned) == {"image": int8, "middle__input": uint8}
    assert 0 < error(graphs.unsigned) < error(graphs.signed)


def concatenating_network():
    """Two convolutions, put side by side, feed a third and the head."""
    rng = np.random.default_rng(2)
    weights = {name: rng.normal(size=(8, 3, 3, 3)) for name in ("w0", "w1")}
    weights |= {"w2": rng.normal(size=(8, 16, 3, 3)), "w3": rng.normal(size=(4, 8, 1, 1))}
    node = onnx.helper.make_node
    nodes = [
        node("Conv", ["image", "w0"], ["a"], "left"),
        node("Conv", ["image", "w1"], ["b"], "right"),
        node("Concat", ["a", "b"], ["both"], "both", axis=1),
        node("Conv", ["both", "w2"], ["c"], "middle"),
        node("Conv", ["c", "w3"], ["scores"], "head"),
    ]
    return picture_graph(nodes, weights, "scores", [1, 4, 12, 12])


@pytest.mark.parametrize("is_equalized", [False, True])
def test_processors_round_concatenations_as_a_whole(
    is_equalized: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_graph, "_UNEQUAL", 0.0 if is_equalized else np.inf)
    graphs = quantized(concatenating_network(), samples(), keep=["head"])
    assert "Max" not in {node.op_type for node in graphs.signed.graph.node}
    (held,) = (node for node in graphs.unsigned.graph.node if node.op_type == "Max")
    readers = [node for node in graphs.unsigned.graph.node if held.output[0] in node.input]
    assert [node.op_type for node in readers] == ["QuantizeLinear"]
    (sample,) = samples(1)
    exact = answer(concatenating_network(), sample)
    off = np.linalg.norm(answer(graphs.unsigned, sample) - exact)
    assert 0 < off < 0.05 * np.linalg.norm(exact)
