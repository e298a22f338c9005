"""An fp32 ONNX graph rewritten so that its body computes in half precision.

Operators known to be safe in half precision run in it; all others, and the nodes that the caller
names, stay fp32, with casts between the two. Inputs and outputs of the graph keep their types.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

_FP16_MAX = 65504.0

_SAFE_OPS = frozenset(
    [
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Clip",
        "Concat",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Div",
        "Dropout",
        "Elu",
        "Erf",
        "Expand",
        "Flatten",
        "Gather",
        "Gelu",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mul",
        "Neg",
        "PRelu",
        "Pad",
        "ReduceMax",
        "Relu",
        "Reshape",
        "Resize",
        "Sigmoid",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Squeeze",
        "Sub",
        "Tanh",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Where",
    ]
)
_FLOAT_INPUTS = {"Resize": (0,)}
"""Inputs that may be half, for operators that want others (the scales) in fp32 always."""


def halve(model: Any, keep: Collection[str]) -> Any:
    """Returns a copy of an onnx.ModelProto with half-precision compute.

    Args:
        model: fp32 model of the default operator set, static, every node named.
        keep: names of nodes that stay fp32.

    Raises:
        ValueError: If the graph has control flow or a tensor of unknown type.
    """
    return _Halver(model, keep).run()


class _Halver:
    """One rewrite; holds what is known of the graph while nodes are added to it."""

    def __init__(self, model: Any, keep: Collection[str]) -> None:
        import onnx

        self._onnx = onnx
        self._model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        self._graph = self._model.graph
        self._keep = keep
        self._constants_to_initializers()
        self._floats = self._float_tensors()
        self._half = {n.name for n in self._graph.node if self._runs_in_half(n)}
        self._half_tensors = {
            o for n in self._graph.node if n.name in self._half for o in n.output
        } & self._floats
        self._weights = {t.name: t for t in self._graph.initializer}
        self._nodes: list[Any] = []
        self._made: dict[tuple[str, bool], str] = {}

    def run(self) -> Any:
        outputs = {o.name for o in self._graph.output}
        for node in list(self._graph.node):
            half = node.name in self._half
            allowed = _FLOAT_INPUTS.get(node.op_type)
            for index, name in enumerate(node.input):
                if name in self._floats:
                    want_half = half and (allowed is None or index in allowed)
                    node.input[index] = self._as(name, want_half)
            self._nodes.append(node)
            for index, name in enumerate(node.output):
                if name in outputs and name in self._half_tensors:
                    node.output[index] = f"{name}__half"
                    self._cast(node.output[index], name, half=False)
                    self._made[name, True] = node.output[index]
                    self._half_tensors.discard(name)
        del self._graph.node[:]
        self._graph.node.extend(self._nodes)
        used = {name for node in self._nodes for name in node.input} | outputs
        kept = [t for t in self._graph.initializer if t.name in used]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)
        del self._graph.value_info[:]
        self._onnx.checker.check_model(self._model, full_check=True)
        return self._model

    def _runs_in_half(self, node: Any) -> bool:
        return (
            node.op_type in _SAFE_OPS
            and node.domain in ("", "ai.onnx")
            and node.name not in self._keep
            and any(o in self._floats for o in node.output)
        )

    def _as(self, name: str, half: bool) -> str:
        """Returns the name under which a float tensor is there in the wanted precision."""
        if half == (name in self._half_tensors):
            return name
        made = self._made.get((name, half))
        if made is None:
            made = self._made[name, half] = f"{name}__{'half' if half else 'full'}"
            if name in self._weights:
                self._add_weight(name, made)
            else:
                self._cast(name, made, half)
        return made

    def _add_weight(self, name: str, made: str) -> None:
        helper = self._onnx.numpy_helper
        values = np.clip(helper.to_array(self._weights[name]), -_FP16_MAX, _FP16_MAX)
        self._graph.initializer.append(helper.from_array(values.astype(np.float16), made))

    def _cast(self, source: str, target: str, half: bool) -> None:
        to = self._onnx.TensorProto.FLOAT16 if half else self._onnx.TensorProto.FLOAT
        name = f"{target}__cast"
        self._nodes.append(self._onnx.helper.make_node("Cast", [source], [target], name, to=to))

    def _float_tensors(self) -> set[str]:
        graph, float32 = self._graph, self._onnx.TensorProto.FLOAT
        types = {t.name: t.data_type for t in graph.initializer}
        for value in [*graph.input, *graph.output, *graph.value_info]:
            types[value.name] = value.type.tensor_type.elem_type
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.g.node or attribute.graphs:
                    raise ValueError(f"node '{node.name}' ({node.op_type}) has a graph of its own")
            for name in node.output:
                if name and not types.get(name):
                    raise ValueError(f"tensor '{name}' has no known type")
        return {name for name, kind in types.items() if kind == float32}

    def _constants_to_initializers(self) -> None:
        rest = []
        for node in self._graph.node:
            value = next((a for a in node.attribute if a.name == "value"), None)
            if node.op_type == "Constant" and value is not None:
                value.t.name = node.output[0]
                self._graph.initializer.append(value.t)
            else:
                rest.append(node)
        del self._graph.node[:]
        self._graph.node.extend(rest)
