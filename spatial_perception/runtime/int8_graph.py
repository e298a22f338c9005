"""8-bit integers in the ONNX graph, without the places where they cost most.

Convolutions and products become int8 but for the heads, the convolutions that read the network's
input (their errors shift everything behind) and depthwise ones (few products, few bits of them
used). Where the channels of an input differ widely in size, one scale for all would leave the small
ones a step or two: such inputs are scaled channel by channel, and the weights the other way round
(Xiao et al., SmoothQuant, 2022).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_UNEQUAL = 3.0
"""Largest over median channel of an input from which on it is equalized."""
_EQUALIZING_SAMPLES = 16
"""Taken evenly from all: the first ones may be of one place and one light."""


def quantized(model: Any, samples: Sequence[Mapping[str, np.ndarray]], keep: Sequence[str]) -> Any:
    """Returns the graph with quantize/dequantize nodes around convolutions and products.

    Symmetric, weights per channel, bias fp32: the form that TensorRT and OpenVINO both take.

    Args:
        model: onnx.ModelProto in fp32 whose nodes have names; it is changed.
        samples: real inputs.
        keep: names of nodes that stay fp32.
    """
    import onnx
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._samples = iter(samples)

        def get_next(self) -> dict[str, np.ndarray] | None:
            sample = next(self._samples, None)
            return None if sample is None else dict(sample)

    kept = {*keep, *_sensitive(model)}
    _equalize(model, samples[:: -(-len(samples) // _EQUALIZING_SAMPLES)], kept)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            target,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,  # processors without VNNI add up pairs of products in 16 bits
            op_types_to_quantize=list(HEAVY),
            nodes_to_exclude=list(kept),
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
            },
        )
        return onnx.load(target)


def _sensitive(model: Any) -> list[str]:
    """Names of convolutions that read the network's input, or are depthwise."""
    read = {port.name for port in model.graph.input}
    for node in model.graph.node:  # in the order of computation, as ONNX demands
        if node.op_type not in HEAVY and read.intersection(node.input):
            read.update(node.output)
    return [
        node.name
        for node in model.graph.node
        if node.op_type == "Conv" and (_groups(node) > 1 or node.input[0] in read)
    ]


def _equalize(model: Any, samples: Sequence[Mapping[str, np.ndarray]], keep: set[str]) -> None:
    """Scales the channels of unequal inputs of convolutions alike, and their weights back."""
    from onnx import helper, numpy_helper

    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    convolutions = [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and node.name not in keep and node.input[1] in stored
    ]
    if not convolutions:
        return
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
    model: Any, tensors: Sequence[str], samples: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """(C,) largest absolute value of each channel of each tensor, over the samples."""
    import onnx
    import onnxruntime

    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    names = list(dict.fromkeys(tensors))
    del shown.graph.output[:]
    shown.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(
        shown.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    largest: dict[str, np.ndarray] = {}
    for sample in samples:
        for name, value in zip(names, session.run(names, dict(sample)), strict=True):
            size = np.abs(value).max(tuple(a for a in range(value.ndim) if a != 1))
            largest[name] = np.maximum(largest.get(name, 0.0), size)
    return largest


def _groups(node: Any) -> int:
    return next((int(a.i) for a in node.attribute if a.name == "group"), 1)
