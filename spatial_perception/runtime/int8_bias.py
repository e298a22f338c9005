"""Biases that take out what rounding shifts on average.

Rounded weights and inputs move the mean of each channel, and layers behind add these shifts up.
The bias of each convolution takes back its own, one after the other in the order of computation, so
that each sees what is left of those before it (Nagel et al., Data-free quantization, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spatial_perception.runtime.graph_values import Sample, mean_of_channels, tensor_values


def correct_biases(rounded: Any, exact: Any, samples: Sequence[Sample]) -> None:
    """Changes the biases of a graph's convolutions so that their channels keep their means.

    Args:
        rounded: onnx.ModelProto with quantize/dequantize nodes; it is changed.
        exact: the same graph without them; nodes have the same names.
        samples: real inputs.
    """
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in rounded.graph.initializer}
    readers: dict[str, int] = {}
    for node in rounded.graph.node:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    outputs = {node.name: node.output[0] for node in exact.graph.node}
    corrected = [
        node
        for node in rounded.graph.node
        if node.op_type == "Conv"
        and len(node.input) > 2
        and node.input[2] in stored
        and readers[node.input[2]] == 1
        and node.name in outputs
    ]
    if not corrected:
        return
    wanted = _means(exact, [outputs[node.name] for node in corrected], samples)
    for node in corrected:
        (found,) = _means(rounded, [node.output[0]], samples).values()
        bias = stored[node.input[2]]
        value = numpy_helper.to_array(bias) + (wanted[outputs[node.name]] - found)
        bias.CopyFrom(numpy_helper.from_array(value.astype(np.float32), bias.name))


def _means(model: Any, tensors: Sequence[str], samples: Sequence[Sample]) -> dict[str, np.ndarray]:
    """(C,) mean of each channel over all samples."""
    sums: dict[str, np.ndarray] = {}
    for values in tensor_values(model, tensors, samples):
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + mean_of_channels(value)
    return {name: total / len(samples) for name, total in sums.items()}
