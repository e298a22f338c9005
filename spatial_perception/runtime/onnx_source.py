"""A user's ONNX file: static shapes, one file, and the tensors that model.yaml lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import one_line
from spatial_perception.runtime.spec import TensorSpec


@dataclass(frozen=True, slots=True, eq=False)
class OnnxGraph:
    """A graph with static shapes.

    Attributes:
        data: serialized ONNX, weights included.
        inputs: shapes and types by name.
        outputs: likewise, as one run gave them.
    """

    data: bytes
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


def read_onnx(path: Path, size_hw: tuple[int, int] | None = None) -> OnnxGraph:
    """Returns a graph with its open dimensions set, run once in ONNX Runtime.

    Args:
        path: the file; weights in a second file beside it are taken in.
        size_hw: height and width for inputs (B, C, H, W) that leave them open; an open batch
            becomes 1.

    Raises:
        EngineError: onnx or onnxruntime is not installed, the file cannot be read, a dimension
            stays open or contradicts `size_hw`, or the graph does not run.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise EngineError(
            f"import needs onnx and onnxruntime ({error}); pip install both"
        ) from error
    if not path.is_file():
        raise EngineError(f"{path}: no such file")
    try:
        model = onnx.load(path)
    except Exception as error:
        raise EngineError(f"{path}: cannot be read as ONNX: {one_line(error)}") from error
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = {
        value.name: _close(onnx, value, size_hw, path)
        for value in model.graph.input
        if value.name not in weights
    }
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        names = [output.name for output in model.graph.output]
        arrays = session.run(names, {n: np.zeros(t.shape, t.dtype) for n, t in inputs.items()})
    except Exception as error:
        raise EngineError(f"{path}: does not run in ONNX Runtime: {one_line(error)}") from error
    outputs = {n: TensorSpec(a.shape, str(a.dtype)) for n, a in zip(names, arrays, strict=True)}
    for value in model.graph.output:
        _set_shape(value, outputs[value.name].shape)
    return OnnxGraph(model.SerializeToString(), inputs, outputs)


def _close(onnx: Any, value: Any, size_hw: tuple[int, int] | None, path: Path) -> TensorSpec:
    """Returns the static shape of an input, after writing it into the graph."""
    tensor = value.type.tensor_type
    listed = [d.dim_value if d.HasField("dim_value") else 0 for d in tensor.shape.dim]
    wanted = list(listed)
    if len(wanted) == 4 and size_hw is not None:
        wanted[2:] = size_hw
    if wanted and wanted[0] < 1:
        wanted[0] = 1
    place = f"{path}: input '{value.name}'"
    shown = [d.dim_value or d.dim_param or "?" for d in tensor.shape.dim]
    if any(size > 0 and size != want for size, want in zip(listed, wanted, strict=True)):
        raise EngineError(f"{place} has the shape {shown}, which --size does not fit")
    if not wanted or min(wanted) < 1:
        can_help = len(wanted) == 4 and size_hw is None
        advice = "give --size HEIGHTxWIDTH" if can_help else "export it with static shapes"
        raise EngineError(f"{place} has open dimensions {shown}; {advice}")
    _set_shape(value, tuple(wanted))
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    return TensorSpec(tuple(wanted), str(dtype))


def _set_shape(value: Any, shape: tuple[int, ...]) -> None:
    dims = value.type.tensor_type.shape.dim
    del dims[:]
    for size in shape:
        dims.add().dim_value = size
