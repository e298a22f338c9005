"""How far the levels of an 8-bit tensor should reach.

Up to the largest value, most levels lie where next to nothing does: in LiDAR networks nearly all
values are those of empty space, a hundredth of the largest one. The range taken is that of the
least squared error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_perception.runtime.graph_values import Sample, tensor_values

_SIGNED, _UNSIGNED = 127, 255
_BINS = 4096
_SHARES = np.linspace(0.15, 1.0, 35)
"""Of the largest value, that are tried."""


@dataclass(frozen=True, slots=True)
class Range:
    """What the outermost level of a tensor stands for.

    Attributes:
        signed: with 127 levels on either side of zero.
        unsigned: with 255 levels above zero; None where values are negative.
    """

    signed: float
    unsigned: float | None


def best_ranges(model: Any, tensors: Sequence[str], samples: Sequence[Sample]) -> dict[str, Range]:
    """The range of each tensor; none of those that are always zero.

    Args:
        model: onnx.ModelProto in fp32.
        tensors: names of fp32 tensors in it.
        samples: real inputs.
    """
    largest = dict.fromkeys(tensors, 0.0)
    least = dict.fromkeys(tensors, 0.0)
    for values in tensor_values(model, tensors, samples):
        for name, value in values.items():
            largest[name] = max(largest[name], float(np.abs(value).max(initial=0.0)))
            least[name] = min(least[name], float(value.min(initial=0.0)))
    largest = {name: value for name, value in largest.items() if value > 0}
    counts = {name: np.zeros(_BINS, np.int64) for name in largest}
    for values in tensor_values(model, list(largest), samples):
        for name, value in values.items():
            counts[name] += np.histogram(np.abs(value), _BINS, (0.0, largest[name]))[0]
    return {
        name: Range(
            size * _best_share(counts[name], _SIGNED),
            None if least[name] < 0 else size * _best_share(counts[name], _UNSIGNED),
        )
        for name, size in largest.items()
    }


def _best_share(counts: np.ndarray, levels: int) -> float:
    """Share of the histogram's range where rounding and clipping cost the least squares."""
    values = (np.arange(_BINS) + 0.5) / _BINS
    values[0] = 0.0  # nearly all of these are zero, not half a bin
    steps = _SHARES[:, None] / levels
    rounded = np.minimum(np.round(values / steps), levels) * steps
    errors = ((rounded - values) ** 2 * counts).sum(1)
    return float(_SHARES[errors.argmin()])
