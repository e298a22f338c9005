"""Inputs that engines really get, kept for verification and calibration."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from spatial_perception.runtime.backends.base import Arrays

Recorded = dict[tuple[str, str], list[dict[str, np.ndarray]]]
"""Samples by model name and ONNX file."""

_observers: list[Callable[[str, str, Arrays], None]] = []


@contextlib.contextmanager
def record_inputs(limit: int) -> Iterator[Recorded]:
    """Keeps copies of the inputs of every engine that runs inside the `with` block.

    Args:
        limit: how many to keep of each engine, spread evenly over what comes: when twice as many
            are there, every second one is dropped and only every second further one is kept.
    """
    recorded: Recorded = {}
    seen: dict[tuple[str, str], int] = {}
    stride: dict[tuple[str, str], int] = {}

    def observe(model: str, file: str, inputs: Arrays) -> None:
        key = model, file
        samples = recorded.setdefault(key, [])
        index = seen.get(key, 0)
        seen[key] = index + 1
        if index % stride.setdefault(key, 1):
            return
        samples.append({name: array.copy() for name, array in inputs.items()})
        if len(samples) == 2 * limit:
            del samples[1::2]
            stride[key] *= 2

    _observers.append(observe)
    try:
        yield recorded
        for samples in recorded.values():
            del samples[limit:]
    finally:
        _observers.remove(observe)


def notify(model: str, file: str, inputs: Arrays) -> None:
    """Tells whoever records; called by engines."""
    for observe in _observers:
        observe(model, file, inputs)
