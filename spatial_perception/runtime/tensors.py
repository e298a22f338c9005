"""Arrays against the tensors that model.yaml lists: what was expected, what came."""

from __future__ import annotations

import numpy as np

from spatial_perception.config import near_miss
from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import Arrays, TensorSpecs
from spatial_perception.runtime.spec import TensorSpec


class ModelMismatchError(EngineError):
    """model.yaml and the ONNX file do not describe the same network."""


def check_declared(loaded: TensorSpecs, listed: TensorSpecs, place: str) -> None:
    """Raises `ModelMismatchError` unless a loaded network has exactly the tensors of model.yaml."""
    for name in listed:
        if name not in loaded:
            raise ModelMismatchError(
                f"{place} '{name}' of model.yaml is not in the ONNX file, which has"
                f" {', '.join(loaded)}; the two are out of step, export the model again"
            )
    for name, tensor in loaded.items():
        if name not in listed:
            raise ModelMismatchError(f"{place} '{name}' of the ONNX file is not in model.yaml")
        if tensor != listed[name]:
            raise ModelMismatchError(
                f"{place} '{name}': model.yaml says {describe(listed[name])}, the ONNX file"
                f" {describe(tensor)}; the two are out of step, export the model again"
            )


def checked_inputs(inputs: Arrays, wanted: TensorSpecs, place: str) -> dict[str, np.ndarray]:
    """Returns the inputs, contiguous; raises `EngineError` unless they are exactly those wanted."""
    for name in inputs:
        if name not in wanted:
            raise EngineError(f"{place}: no input '{name}'{near_miss(name, wanted)}")
    arrays = {}
    for name, spec in wanted.items():
        if name not in inputs:
            raise EngineError(f"{place}: input '{name}' is missing, got {', '.join(inputs) or '-'}")
        check_array(inputs[name], spec, f"{place}: input '{name}'")
        arrays[name] = np.ascontiguousarray(inputs[name])
    return arrays


def check_array(array: np.ndarray, spec: TensorSpec, place: str) -> None:
    """Raises `EngineError`, with expected and got, unless shape and dtype are those of `spec`."""
    if not isinstance(array, np.ndarray):
        raise EngineError(f"{place}: expected a numpy array, got {type(array).__name__}")
    if array.shape != spec.shape or array.dtype != np.dtype(spec.dtype):
        got = f"{'x'.join(map(str, array.shape))} {array.dtype}"
        raise EngineError(f"{place}: expected {describe(spec)}, got {got}")


def describe(spec: TensorSpec) -> str:
    """Returns shape and dtype, e.g. `1x3x360x480 float32`."""
    return f"{'x'.join(map(str, spec.shape))} {spec.dtype}"
