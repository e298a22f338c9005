"""The half-precision rewrite, run by ONNX Runtime and compared with the fp32 graph."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.runtime.half_graph import halve

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def pyramid():
    """Convolutions with a resize, a skip, a softmax, and a hidden tensor that is an output too."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = {
        "w0": rng.normal(0, 0.2, (4, 2, 3, 3)),
        "w1": rng.normal(0, 0.2, (4, 4, 3, 3)),
        "w2": rng.normal(0, 0.2, (3, 8, 1, 1)),
        "scales": np.array([1, 1, 2, 2]),
        "low": np.array(-1e30),
        "high": np.array(6.0),
    }
    make = helper.make_node
    half = numpy_helper.from_array(np.array(0.5, np.float32))
    nodes = [
        make("Constant", [], ["factor"], "constant", value=half),
        make("Mul", ["x", "factor"], ["scaled"], "scale"),
        make("Conv", ["scaled", "w0"], ["a"], "conv0", pads=[1, 1, 1, 1]),
        make("Clip", ["a", "low", "high"], ["features"], "clip"),
        make("Conv", ["features", "w1"], ["b"], "conv1", pads=[1, 1, 1, 1], strides=[2, 2]),
        make("Resize", ["b", "", "scales"], ["c"], "resize", mode="nearest"),
        make("Concat", ["c", "features"], ["d"], "skip", axis=1),
        make("Conv", ["d", "w2"], ["e"], "conv2"),
        make("Softmax", ["e"], ["probability"], "softmax", axis=1),
        make("ArgMax", ["probability"], ["labels"], "argmax", axis=1, keepdims=0),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "pyramid",
        [value("x", TensorProto.FLOAT, [1, 2, 8, 8])],
        [
            value("probability", TensorProto.FLOAT, [1, 3, 8, 8]),
            value("features", TensorProto.FLOAT, [1, 4, 8, 8]),
            value("labels", TensorProto.INT64, [1, 8, 8]),
        ],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.random.default_rng(1).normal(0, 2, (1, 2, 8, 8)).astype(np.float32)
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": x}), strict=True))


@pytest.mark.parametrize("keep", [(), ("conv2",), ("conv0", "clip", "resize")])
def test_half_graph_agrees_with_fp32_and_keeps_its_ports(keep: tuple[str, ...]) -> None:
    full, half = run(pyramid()), run(halve(pyramid(), keep))
    assert list(half) == list(full)
    for name in ("probability", "features"):
        assert half[name].dtype == np.float32
        np.testing.assert_allclose(half[name], full[name], atol=1e-2)
    assert (half["labels"] == full["labels"]).mean() > 0.95


def test_nodes_to_keep_and_unsafe_operators_stay_fp32() -> None:
    model = onnx.shape_inference.infer_shapes(halve(pyramid(), ("conv1",)))
    kinds = {v.name: v.type.tensor_type.elem_type for v in model.graph.value_info}
    assert kinds["a"] == onnx.TensorProto.FLOAT16
    assert kinds["b"] == onnx.TensorProto.FLOAT
    assert kinds["e"] == onnx.TensorProto.FLOAT16
    (softmax,) = (n for n in model.graph.node if n.op_type == "Softmax")
    assert kinds[softmax.input[0]] == onnx.TensorProto.FLOAT


def test_the_model_handed_in_is_not_changed() -> None:
    model = pyramid()
    before = model.SerializeToString()
    halve(model, ())
    assert model.SerializeToString() == before


def test_control_flow_is_refused() -> None:
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"], "inner")],
        "branch",
        [],
        [value("y", TensorProto.FLOAT, [1])],
    )
    node = helper.make_node("If", ["flag"], ["z"], "if", then_branch=branch, else_branch=branch)
    graph = helper.make_graph(
        [node],
        "g",
        [value("flag", TensorProto.BOOL, []), value("x", TensorProto.FLOAT, [1])],
        [value("z", TensorProto.FLOAT, [1])],
    )
    with pytest.raises(ValueError, match="graph of its own"):
        halve(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), ())
