"""What an ONNX graph computes on its way from inputs to outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Sample = Mapping[str, np.ndarray]


def tensor_values(
    model: Any, tensors: Sequence[str], samples: Sequence[Sample]
) -> Iterator[dict[str, np.ndarray]]:
    """Yields the named fp32 tensors of a graph for each sample; nothing where none is named.

    Args:
        model: onnx.ModelProto.
        tensors: outputs of its nodes, or inputs of the graph.
        samples: an array for each input of the graph.
    """
    import onnx
    import onnxruntime

    names = list(dict.fromkeys(tensors))
    if not names:
        return
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    _drop_unread(shown.graph, names)
    del shown.graph.output[:]
    shown.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(
        shown.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for sample in samples:
        yield dict(zip(names, session.run(names, dict(sample)), strict=True))


def _drop_unread(graph: Any, names: Sequence[str]) -> None:
    """Takes out what the named tensors do not depend on; the runtime would compute it."""
    wanted, needed = set(names), []
    for node in reversed(graph.node):  # in the order of computation, as ONNX demands
        if wanted.intersection(node.output):
            wanted.update(node.input)
            needed.append(node)
    stored = [tensor for tensor in graph.initializer if tensor.name in wanted]
    for field, content in ((graph.node, needed[::-1]), (graph.initializer, stored)):
        del field[:]
        field.extend(content)


def mean_of_channels(value: np.ndarray) -> np.ndarray:
    """(C,) mean of (N, C, ...)."""
    mean: np.ndarray = value.mean(_all_but_channels(value), dtype=np.float64)
    return mean


def largest_of_channels(value: np.ndarray) -> np.ndarray:
    """(C,) largest absolute value of (N, C, ...)."""
    largest: np.ndarray = np.abs(value).max(_all_but_channels(value))
    return largest


def _all_but_channels(value: np.ndarray) -> tuple[int, ...]:
    return tuple(axis for axis in range(value.ndim) if axis != 1)
