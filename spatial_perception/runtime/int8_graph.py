"""8-bit integers in the ONNX graph, without the places where they cost most.

Convolutions and products become int8 but for the heads, the convolutions that read the network's
input (their errors shift everything behind) unless much of the work is theirs, and depthwise ones
(few products, few bits of them used). Rounded is what convolutions read, not what they give: a
rectifier behind it would cut half of the levels off. Where the channels of an input differ widely
in size, one scale for all would leave the small ones a step or two: such inputs are scaled channel
by channel, and the weights the other way round (Xiao et al., SmoothQuant, 2022). `int8_ranges` says
how far the levels reach, `int8_bias` takes out what they shift on average.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spatial_perception.runtime.graph_values import Sample, largest_of_channels, tensor_values
from spatial_perception.runtime.int8_bias import correct_biases
from spatial_perception.runtime.int8_ranges import Range, best_ranges

_CONVOLUTIONS = ("Conv", "ConvTranspose")
HEAVY = (*_CONVOLUTIONS, "Gemm", "MatMul")
_UNEQUAL = 3.0
"""Largest over median channel of an input from which on it is equalized."""
_LARGE_SHARE = 0.1
"""Of all products of convolutions: from here on one that reads the input becomes int8, too."""
_HELD = "held"
_SOME_SAMPLES = 8
"""Taken evenly from all: the first ones may be of one place and one light."""


@dataclass(frozen=True, slots=True, eq=False)
class Int8Graphs:
    """A graph with quantize/dequantize nodes, as backends take it.

    Attributes:
        signed: onnx.ModelProto, all tensors symmetric around zero: what TensorRT takes.
        unsigned: with all 256 levels for tensors that are never negative; for processors.
    """

    signed: Any
    unsigned: Any


def quantized(model: Any, samples: Sequence[Sample], keep: Sequence[str]) -> Int8Graphs:
    """Returns the graph with quantize/dequantize nodes around convolutions and products.

    Weights are symmetric and per channel, zero is level zero everywhere, biases stay fp32.

    Args:
        model: onnx.ModelProto in fp32 whose nodes have names; it is changed.
        samples: real inputs.
        keep: names of nodes that stay fp32.
    """
    kept = {*keep, *_sensitive(model)}
    some = samples[:: -(-len(samples) // _SOME_SAMPLES)]
    _equalize(model, some, kept)
    ranges = best_ranges(model, _rounded_tensors(model, kept), samples)
    graphs = []
    for signed in (True, False):
        rounded = _rounded(model, samples[0], kept, ranges, signed)
        correct_biases(rounded, model, some)
        graphs.append(rounded)
    _hold_concatenations(graphs[1])
    return Int8Graphs(*graphs)


def _rounded(
    model: Any, sample: Sample, keep: set[str], ranges: Mapping[str, Range], signed: bool
) -> Any:
    """A copy of the graph with quantize/dequantize nodes."""
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._samples = iter([sample])

        def get_next(self) -> dict[str, np.ndarray] | None:
            found = next(self._samples, None)
            return None if found is None else dict(found)

    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            copied,
            target,
            Reader(),  # it wants one, though the ranges are given
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,  # processors without VNNI add up pairs of products in 16 bits
            op_types_to_quantize=list(HEAVY),
            nodes_to_exclude=list(keep),
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
                "OpTypesToExcludeOutputQuantization": list(_CONVOLUTIONS),
                "TensorQuantOverrides": {
                    name: [_levels(size, signed)] for name, size in ranges.items()
                },
            },
        )
        return onnx.load(target)


def _levels(size: Range, signed: bool) -> dict[str, Any]:
    """The levels of a tensor, as ONNX Runtime's tool takes them."""
    from onnxruntime.quantization import QuantType

    if signed or size.unsigned is None:
        largest = np.float32(size.signed)
        return {"quant_type": QuantType.QInt8, "rmin": -largest, "rmax": largest}
    return {
        "quant_type": QuantType.QUInt8,
        "rmin": np.float32(0.0),
        "rmax": np.float32(size.unsigned),
        "symmetric": False,  # zero is the lowest level
    }


def _hold_concatenations(model: Any) -> None:
    """Puts an operator that changes nothing between concatenations and their rounding.

    OpenVINO (2026.4) would round the parts instead, and what it interpolates among them is off: in
    the U-Net by 13 instead of 3 % of the last layer's values. It takes longer, too.
    """
    from onnx import helper, numpy_helper

    producers = {output: node for node in model.graph.node for output in node.output}
    stored = {tensor.name for tensor in model.graph.initializer}
    least = f"{_HELD}_least"
    nodes, held = [], False
    for node in model.graph.node:
        source = producers.get(node.input[0]) if node.op_type == "QuantizeLinear" else None
        if source is not None and source.op_type == "Mul" and stored.intersection(source.input):
            source = producers.get(source.input[0])  # equalized
        if source is not None and source.op_type == "Concat":
            name = f"{node.input[0]}_{_HELD}"
            nodes.append(helper.make_node("Max", [node.input[0], least], [name], name))
            node.input[0], held = name, True
        nodes.append(node)
    if held:
        lowest = np.array(np.finfo(np.float32).min, np.float32)
        model.graph.initializer.append(numpy_helper.from_array(lowest, least))
        del model.graph.node[:]
        model.graph.node.extend(nodes)


def _rounded_tensors(model: Any, keep: set[str]) -> list[str]:
    """Names of what the nodes that become int8 read, and products give, without stored weights."""
    stored = {tensor.name for tensor in model.graph.initializer}
    names = [
        name
        for node in model.graph.node
        if node.op_type in HEAVY and node.name not in keep
        for name in (*node.input, *(node.output if node.op_type not in _CONVOLUTIONS else ()))
        if name and name not in stored
    ]
    return list(dict.fromkeys(names))


def _sensitive(model: Any) -> list[str]:
    """Names of convolutions that are depthwise, or read the network's input at little cost."""
    read = {port.name for port in model.graph.input}
    for node in model.graph.node:  # in the order of computation, as ONNX demands
        if node.op_type not in HEAVY and read.intersection(node.input):
            read.update(node.output)
    products = _products(model)
    large = _LARGE_SHARE * sum(products.values())
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv"
        and (_groups(node) > 1 or (node.input[0] in read and products.get(node.name, 0) < large))
    ]


def _products(model: Any) -> dict[str, int]:
    """Multiplications of each convolution whose weights and output have a known size."""
    import onnx

    shown = onnx.shape_inference.infer_shapes(model).graph
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in shown.initializer}
    pixels = {
        info.name: int(np.prod([d.dim_value for d in info.type.tensor_type.shape.dim[2:]]))
        for info in (*shown.value_info, *shown.output)
    }
    return {
        node.name: sizes[node.input[1]] * pixels.get(node.output[0], 0)
        for node in model.graph.node
        if node.op_type == "Conv" and node.input[1] in sizes
    }


def _equalize(model: Any, samples: Sequence[Sample], keep: set[str]) -> None:
    """Scales the channels of unequal inputs of convolutions alike, and their weights back."""
    from onnx import helper, numpy_helper

    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    convolutions = [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and node.name not in keep and node.input[1] in stored
    ]
    largest = _largest_of_channels(model, [node.input[0] for node in convolutions], samples)
    scaled: dict[str, Any] = {}
    for node in convolutions:
        sizes = largest[node.input[0]]
        sizes = np.maximum(sizes, 1e-3 * sizes.max())
        if not sizes.max() > _UNEQUAL * np.median(sizes):
            continue
        weight = numpy_helper.to_array(stored[node.input[1]])
        others = tuple(axis for axis in range(weight.ndim) if axis != 1)
        scale = np.sqrt(sizes / np.maximum(np.abs(weight).max(others), 1e-6))
        scale = (scale / np.exp(np.log(scale).mean())).astype(np.float32)
        shape = (1, -1, *(1,) * (weight.ndim - 2))
        names = [f"{node.name}__{part}" for part in ("input", "scale", "weight")]
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(1.0 / scale.reshape(shape), names[1]),
                numpy_helper.from_array(weight * scale.reshape(shape), names[2]),
            ]
        )
        scaled[node.name] = helper.make_node(
            "Mul", [node.input[0], names[1]], [names[0]], f"{node.name}__equalize"
        )
        node.input[0], node.input[1] = names[0], names[2]
    nodes = [part for node in model.graph.node for part in (scaled.get(node.name), node) if part]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _largest_of_channels(
    model: Any, tensors: Sequence[str], samples: Sequence[Sample]
) -> dict[str, np.ndarray]:
    """(C,) largest absolute value of each channel of each tensor, over the samples."""
    largest: dict[str, np.ndarray] = {}
    for values in tensor_values(model, tensors, samples):
        for name, value in values.items():
            largest[name] = np.maximum(largest.get(name, 0.0), largest_of_channels(value))
    return largest


def _groups(node: Any) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "group"), 1)
