"""How far an engine is from fp32 ONNX Runtime on the same input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.backends.base import Arrays, TensorSpecs
from spatial_perception.runtime.engine import Engine, EngineInfo
from spatial_perception.runtime.engine_factory import create_engine
from spatial_perception.runtime.spec import ModelSpec

_CLASS_OUTPUTS = ("logits", "occupancy")
_CLASS_DECODERS = ("class_map", "classification")
_CLOSE = 0.02


@dataclass(frozen=True, slots=True)
class OutputDifference:
    """One output of an engine against the reference, over all samples."""

    name: str
    max_abs: float
    """Largest absolute difference, in units of the output."""
    max_rel: float
    """Largest absolute difference over the largest absolute value of the reference."""
    agreement: float
    """Share 0..1 that decides alike: equal best class for class scores, else values closer than
    2 % of the reference's range (of 1 where the reference lies in 0..1)."""


@dataclass(frozen=True, slots=True)
class Verification:
    """All outputs of an engine against fp32 ONNX Runtime."""

    engine: EngineInfo
    samples: int
    outputs: tuple[OutputDifference, ...]

    @property
    def agreement(self) -> float:
        """The lowest agreement of an output, 0..1."""
        return min(output.agreement for output in self.outputs)


def verify(
    engine: Engine, spec: ModelSpec, samples: Sequence[Arrays], variant: int = 0
) -> Verification:
    """Returns how an engine's outputs differ from those of fp32 ONNX Runtime.

    Args:
        engine: any engine of this model and variant.
        spec: the model.
        samples: inputs as `Engine.infer` takes them, real ones where they can be had.
        variant: index into `spec.variants`.

    Raises:
        EngineError: If there are no samples, ONNX Runtime is missing or an input does not fit.
    """
    if not samples:
        raise EngineError(f"model '{spec.name}': verification needs at least one sample, got none")
    with create_engine(spec, variant, "onnxruntime", "fp32") as reference:
        pairs = [(engine.infer(sample), reference.infer(sample)) for sample in samples]
    outputs = tuple(
        _compare(
            name,
            [got[name] for got, _ in pairs],
            [want[name] for _, want in pairs],
            name in _CLASS_OUTPUTS or spec.decoder in _CLASS_DECODERS,
        )
        for name in engine.outputs
    )
    return Verification(engine.info, len(samples), outputs)


def synthetic_sample(inputs: TensorSpecs, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Returns a valid input where no real one is at hand.

    Four-dimensional inputs of three channels become smooth pictures in 0..255, indices stay below
    the shortest table, five-dimensional inputs are sparse, and the rest is in 0..1.
    """
    integers = [t for t in inputs.values() if np.issubdtype(np.dtype(t.dtype), np.integer)]
    limit = min((t.shape[0] for t in integers if t.shape), default=1)
    return {name: _synthetic(t.shape, np.dtype(t.dtype), limit, rng) for name, t in inputs.items()}


def _synthetic(
    shape: tuple[int, ...], dtype: np.dtype, limit: int, rng: np.random.Generator
) -> np.ndarray:
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0, limit, shape).astype(dtype)
    if len(shape) == 4 and shape[1] == 3:
        coarse = rng.uniform(0, 255, (*shape[:2], -(-shape[2] // 16), -(-shape[3] // 16)))
        smooth = coarse.repeat(16, axis=2).repeat(16, axis=3)[:, :, : shape[2], : shape[3]]
        return np.clip(smooth + rng.normal(0, 10, shape), 0, 255).astype(dtype)
    values = rng.random(shape)
    if len(shape) == 5:
        values *= rng.random(shape) > 0.95
    return values.astype(dtype)


def _compare(
    name: str, got: list[np.ndarray], want: list[np.ndarray], are_scores: bool
) -> OutputDifference:
    ours = np.concatenate([a.astype(np.float64) for a in got])
    reference = np.concatenate([a.astype(np.float64) for a in want])
    difference = np.abs(ours - reference)
    # A value that is not a number differs from everything.
    difference = np.where(np.isfinite(ours), difference, np.inf)
    largest = float(np.abs(reference).max())
    if are_scores and reference.ndim > 1:
        alike = ours.argmax(axis=1) == reference.argmax(axis=1)
    else:
        is_share = reference.min() >= 0 and reference.max() <= 1
        alike = difference <= _CLOSE * (1.0 if is_share else max(float(np.ptp(reference)), 1e-6))
    worst = float(difference.max())
    return OutputDifference(name, worst, worst / largest if largest else worst, float(alike.mean()))
