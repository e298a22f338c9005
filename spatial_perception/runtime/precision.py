"""Precision as a property of the ONNX graph: half precision and 8-bit integers.

TensorRT 11 and TensorRT-RTX compute in the types that the graph names, so a precision is another
graph there. Inputs and outputs are unchanged; the heads (the last convolution or product before
each output) and the decoding behind them stay fp32. Converted graphs are kept in the engine cache.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import one_line
from spatial_perception.runtime.cache import EngineCache, EngineKey
from spatial_perception.runtime.half_graph import halve
from spatial_perception.runtime.heartbeat import heartbeat
from spatial_perception.runtime.int8_graph import HEAVY, Int8Graphs, quantized
from spatial_perception.runtime.spec import ModelSpec, Precision


def convert(
    graph: bytes, precision: Precision, label: str, cache: EngineCache, signed: bool = False
) -> bytes:
    """Returns an fp32 graph in fp16 or int8, from the cache where it was converted before.

    Args:
        graph: serialized fp32 ONNX.
        precision: `fp16` or `int8`.
        label: model and file, for messages.
        cache: where converted graphs are kept.
        signed: whether int8 tensors have to be symmetric around zero.

    Raises:
        EngineError: If a converter is not installed or refuses the graph, or if `int8` was asked
            for and `calibrate` has not run.
    """

    def build() -> bytes:
        if precision == "fp16":
            return to_fp16(graph, label)
        raise EngineError(
            f"{label}: int8 needs calibration on real input first: spatial-perception engines"
            f" build {label.split('/')[0]} --precision int8 --calibration FILE.npz"
        )

    converted, _ = cache.get_or_build(_graph_key(graph, precision, signed), label, build)
    return converted


def calibrate(
    spec: ModelSpec,
    samples: Sequence[Mapping[str, np.ndarray]],
    variant: int = 0,
    cache_dir: str | Path | None = None,
) -> None:
    """Makes the int8 graphs of a model from real inputs and keeps them for `create_engine`.

    Args:
        spec: the model.
        samples: inputs as `Engine.infer` takes them; some dozens that cover what will be seen.
        variant: index into `spec.variants`.
        cache_dir: folder of the engine cache; None for the user's.

    Raises:
        EngineError: If there are no samples, or the graph cannot be quantized.
    """
    path = spec.onnx_path(variant)
    label = f"{spec.name}/{path.name}"
    if not samples:
        raise EngineError(f"{label}: calibration needs at least one sample, got none")
    graph = path.read_bytes()

    with heartbeat(f"{label}: int8 calibration on {len(samples)} samples"):
        made = to_int8(graph, samples, label)
    cache = EngineCache(cache_dir)
    for signed, content in ((True, made.signed), (False, made.unsigned)):
        key = _graph_key(graph, "int8", signed)
        cache.get_or_build(key, label, content.SerializeToString, rebuild=True)


def to_fp16(graph: bytes, label: str) -> bytes:
    """Returns the graph with half-precision weights and compute; heads and decoding stay fp32.

    Raises:
        EngineError: If onnx is not installed, or the graph cannot be converted.
    """
    try:
        import onnx
    except ImportError as error:
        raise EngineError(f"{label}: fp16 needs onnx ({error}); pip install onnx") from error
    model = _load(onnx, graph, label)
    try:
        converted = halve(model, keep=head_nodes(model))
    except Exception as error:
        raise EngineError(f"{label}: cannot be converted to fp16: {one_line(error)}") from error
    return bytes(converted.SerializeToString())


def to_int8(graph: bytes, samples: Sequence[Mapping[str, np.ndarray]], label: str) -> Int8Graphs:
    """Returns the graph with 8-bit convolutions and products; heads and decoding stay fp32.

    Raises:
        EngineError: If the tools are not installed or refuse the graph.
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise EngineError(
            f"{label}: int8 needs onnx and onnxruntime ({error}); pip install both"
        ) from error
    model = _load(onnx, graph, label)
    try:
        return quantized(model, samples, keep=head_nodes(model))
    except Exception as error:
        raise EngineError(f"{label}: cannot be quantized to int8: {one_line(error)}") from error


def head_nodes(model: Any) -> list[str]:
    """Returns the names of the heads and of all that decodes what they give.

    From each output back to the first convolution or product on every path, inclusive.

    Args:
        model: onnx.ModelProto whose nodes have names.
    """
    producer = {output: node for node in model.graph.node for output in node.output}
    waiting = [output.name for output in model.graph.output]
    heads: dict[str, None] = {}
    while waiting:
        node = producer.get(waiting.pop())
        if node is None or node.name in heads:
            continue
        heads[node.name] = None
        if node.op_type not in HEAVY:
            waiting.extend(node.input)
    return list(heads)


def _widen_weights(onnx: Any, model: Any) -> None:
    """Replaces half-precision constants with a cast to fp32 behind them by fp32 constants."""
    graph = model.graph
    constants = {t.name: t for t in graph.initializer}
    nodes, wide = [], []
    for node in graph.node:
        stored = constants.get(node.input[0]) if node.op_type == "Cast" else None
        if stored is None or _cast_type(node) != onnx.TensorProto.FLOAT:
            nodes.append(node)
            continue
        values = onnx.numpy_helper.to_array(stored).astype(np.float32)
        wide.append(onnx.numpy_helper.from_array(values, node.output[0]))
    used = {name for node in nodes for name in node.input} | {o.name for o in graph.output}
    kept = [t for t in graph.initializer if t.name in used]
    for field, content in ((graph.node, nodes), (graph.initializer, [*kept, *wide])):
        del field[:]
        field.extend(content)


def _cast_type(node: Any) -> int:
    return next(int(attribute.i) for attribute in node.attribute if attribute.name == "to")


def _load(onnx: Any, graph: bytes, label: str) -> Any:
    """Returns the parsed graph with a name for every node and fp32 weights."""
    try:
        model = onnx.load_model_from_string(graph)
        onnx.checker.check_model(model)
    except Exception as error:
        raise EngineError(f"{label}: the graph is damaged, export the model again") from error
    for node, name in zip(model.graph.node, _fresh_names(model), strict=False):
        node.name = node.name or name
    _widen_weights(onnx, model)
    return model


def _fresh_names(model: Any) -> Iterator[str]:
    taken = {node.name for node in model.graph.node}
    for index in range(len(model.graph.node) + len(taken)):
        if (name := f"node_{index}") not in taken:
            yield name


def _graph_key(graph: bytes, precision: Precision, signed: bool = False) -> EngineKey:
    device = "signed" if signed and precision == "int8" else "any"
    return EngineKey(hashlib.sha256(graph).hexdigest(), "graph", "3", device, precision, "")
