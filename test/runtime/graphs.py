"""Small ONNX graphs that look at a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")


def picture_graph(
    nodes: Sequence[Any], weights: Mapping[str, np.ndarray], output: str, shape: Sequence[int]
) -> Any:
    """A model of these nodes from `image` (1, 3, 16, 16) to an output of that shape, all fp32."""
    stored = [onnx.numpy_helper.from_array(v.astype(np.float32), n) for n, v in weights.items()]
    ports = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, size)
        for name, size in (("image", [1, 3, 16, 16]), (output, shape))
    ]
    graph = onnx.helper.make_graph(nodes, "g", ports[:1], ports[1:], stored)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
