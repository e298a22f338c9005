"""What a model's metrics lose on another engine than fp32 ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.evaluation.evaluators import measure
from spatial_perception.evaluation.measurement import Progress, Request
from spatial_perception.pipelines.model import EngineOptions
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.precision import calibrate
from spatial_perception.runtime.recording import record_inputs
from spatial_perception.runtime.spec import ModelSpec

REFERENCE = EngineOptions("onnxruntime", "fp32")
_LOWER_IS_BETTER = "ece"
"""Last part of the names of such metrics; detectors have one a class."""
_CALIBRATION_SAMPLES = 64


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """The metrics of one engine.

    Attributes:
        backend: Where it ran.
        precision: In what; empty for the model's own.
        metrics: Percent by name.
        lost: Points lost against the reference by name; negative where it gained. Without those
            that one of the two does not have, such as the headings of boxes where none is right.
    """

    backend: str
    precision: str
    metrics: dict[str, float]
    lost: dict[str, float]

    @property
    def worst(self) -> float:
        """The largest loss, points."""
        return max(self.lost.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Parity:
    """Engines against fp32 ONNX Runtime on the same frames."""

    model: str
    dataset: str
    split: str
    frames: int
    reference: dict[str, float]
    engines: tuple[EngineMetrics, ...]


def compare_metrics(
    request: Request, engines: Sequence[EngineOptions], progress: Progress
) -> Parity:
    """The metrics of a model on a data set, in fp32 ONNX Runtime and on other engines.

    Args:
        request: Model, data set and what of it; its engine is not looked at.
        engines: What is compared with the reference.
        progress: Called after every frame of every run.

    Raises:
        PerceptionError: As `evaluators.measure`.
    """
    reference = measure(replace(request, engine=REFERENCE), progress)
    ones = np.ones(reference.frames, np.int64)
    wanted = reference.compute(ones)
    compared = []
    for engine in engines:
        metrics = measure(replace(request, engine=engine), progress).compute(ones)
        lost = points_lost(wanted, metrics)
        compared.append(EngineMetrics(engine.backend, engine.precision, metrics, lost))
    name = ModelSpec.load(find_model(request.model)).name
    return Parity(name, request.dataset, reference.split, reference.frames, wanted, tuple(compared))


def points_lost(reference: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """How much worse each metric that both have is in the other, in its own points."""
    return {
        name: (other[name] - value) * _sign(name)
        for name, value in reference.items()
        if name in other
    }


def _sign(name: str) -> float:
    return 1.0 if name.rpartition("_")[2] == _LOWER_IS_BETTER else -1.0


def calibrate_on(request: Request, progress: Progress) -> int:
    """Makes the int8 graphs of a model from what a data set feeds it; returns the samples taken.

    Raises:
        PerceptionError: As `evaluators.measure`, or the graph cannot be quantized.
    """
    with record_inputs(_CALIBRATION_SAMPLES) as recorded:
        measure(replace(request, engine=REFERENCE), progress)
    spec = ModelSpec.load(find_model(request.model))
    count = 0
    for index, variant in enumerate(spec.variants):
        samples = recorded.get((spec.name, variant.file), [])
        if samples:
            calibrate(spec, samples, index)
            count += len(samples)
    if not count:
        raise EngineError(f"model '{spec.name}' ran on nothing, so int8 cannot be calibrated")
    return count
