"""Converted graphs: half precision and 8-bit integers in the graph, heads and ports untouched."""

from __future__ import annotations

import numpy as np
import pytest

from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.precision import calibrate, head_nodes, to_fp16

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def chain(*ops: tuple[str, str, list[str], list[str]], outputs: list[str]):
    from onnx import TensorProto, helper

    nodes = [helper.make_node(op, ins, outs, name) for op, name, ins, outs in ops]
    values = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    return helper.make_model(helper.make_graph(nodes, "g", [], values))


def test_heads_reach_back_to_the_last_convolution_of_every_output() -> None:
    model = chain(
        ("Conv", "stem", ["x", "w0"], ["a"]),
        ("Relu", "act", ["a"], ["b"]),
        ("Conv", "box_head", ["b", "w1"], ["c"]),
        ("Exp", "decode", ["c"], ["boxes"]),
        ("Conv", "score_head", ["b", "w2"], ["d"]),
        ("Sigmoid", "sigmoid", ["d"], ["scores"]),
        outputs=["boxes", "scores"],
    )
    assert set(head_nodes(model)) == {"box_head", "decode", "score_head", "sigmoid"}


def test_fp16_halves_the_body_and_keeps_head_and_ports(tiny_graph: bytes) -> None:
    model = onnx.load_model_from_string(to_fp16(tiny_graph, "tiny"))
    types = {t.name: t.data_type for t in model.graph.initializer}
    float16, float32 = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    assert types["conv_weight__half"] == float16
    assert "conv_weight" not in types
    assert types["fc_weight"] == float32
    ports = [*model.graph.input, *model.graph.output]
    assert [p.type.tensor_type.elem_type for p in ports] == [float32, float32]


def test_fp16_engine_agrees_with_fp32(tiny: ModelSpec, image: dict[str, np.ndarray]) -> None:
    full = create_engine(tiny, backend="onnxruntime").infer(image)["logits"]
    half = create_engine(tiny, backend="onnxruntime", precision="fp16").infer(image)["logits"]
    difference = np.abs(half - full).max() / np.abs(full).max()
    assert 0 < difference < 5e-3


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_int8_engine_agrees_with_fp32_after_calibration(
    backend: str, tiny: ModelSpec, image: dict[str, np.ndarray]
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    rng = np.random.default_rng(3)
    samples = [{"image": rng.uniform(0, 255, (1, 3, 16, 16)).astype(np.float32)} for _ in range(4)]
    calibrate(tiny, samples)
    full = create_engine(tiny, backend="onnxruntime").infer(image)["logits"]
    engine = create_engine(tiny, backend=backend, precision="int8")
    difference = np.abs(engine.infer(image)["logits"] - full).max() / np.abs(full).max()
    assert engine.info.precision == "int8"
    assert 0 < difference < 0.05


def test_int8_without_calibration_says_how_to_calibrate(tiny: ModelSpec) -> None:
    with pytest.raises(EngineError, match="engines build tiny --precision int8 --calibration"):
        create_engine(tiny, backend="onnxruntime", precision="int8")
    with pytest.raises(EngineError, match="at least one sample"):
        calibrate(tiny, [])


def test_damaged_graph_is_refused_by_the_converters(tiny_graph: bytes) -> None:
    with pytest.raises(EngineError, match="damaged"):
        to_fp16(tiny_graph[:100], "tiny")


def test_weights_stored_in_half_precision_are_converted_like_any_other(tiny_graph: bytes) -> None:
    model = onnx.load_model_from_string(tiny_graph)
    for stored in list(model.graph.initializer):
        if stored.name == "conv_weight":
            values = onnx.numpy_helper.to_array(stored).astype(np.float16)
            stored.CopyFrom(onnx.numpy_helper.from_array(values, "conv_weight_stored"))
            cast = onnx.helper.make_node("Cast", [stored.name], ["conv_weight"], to=1)
            model.graph.node.insert(0, cast)
    converted = onnx.load_model_from_string(to_fp16(model.SerializeToString(), "tiny"))
    names = {t.name for t in converted.graph.initializer}
    assert "conv_weight__half" in names
    assert "conv_weight_stored" not in names


def test_constants_that_are_cast_to_indices_stay_indices() -> None:
    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    cast = make("Cast", ["stored"], ["index"], "cast")
    cast.attribute.append(onnx.helper.make_attribute("saturate", 1))  # since opset 19, first or not
    cast.attribute.append(onnx.helper.make_attribute("to", int(onnx.TensorProto.INT64)))
    graph = onnx.helper.make_graph(
        [cast, make("Gather", ["x", "index"], ["y"], "gather", axis=1)],
        "chosen",
        [value("x", onnx.TensorProto.FLOAT, [1, 3, 4])],
        [value("y", onnx.TensorProto.FLOAT, [1, 2, 4])],
        [onnx.numpy_helper.from_array(np.array([0, 2], np.int32), "stored")],
    )
    opset = onnx.helper.make_opsetid("", 19)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    converted = onnx.load_model_from_string(to_fp16(model.SerializeToString(), "chosen"))
    assert [node.op_type for node in converted.graph.node].count("Gather") == 1
    assert "Cast" in [node.op_type for node in converted.graph.node]
