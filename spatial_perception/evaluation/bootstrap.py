"""How far a metric would move with other frames of the same kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SAMPLES = 200


def interval_90(
    compute: Callable[[NDArray[np.int64]], dict[str, float]],
    frames: int,
    rng: np.random.Generator,
    samples: int = SAMPLES,
) -> dict[str, tuple[float, float]]:
    """The 5th and 95th percentile of each metric over frames drawn with replacement.

    Args:
        compute: Metrics by name from (F,) int64, how often each frame counts.
        frames: F.
        rng: Source of the draws.
        samples: Number of draws.
    """
    drawn: dict[str, list[float]] = defaultdict(list)
    for _ in range(samples if frames else 0):
        weights = np.bincount(rng.integers(0, frames, size=frames), minlength=frames)
        for name, value in compute(weights.astype(np.int64)).items():
            drawn[name].append(value)
    intervals = {}
    for name, values in drawn.items():
        low, high = np.percentile(values, (5.0, 95.0))
        intervals[name] = (float(low), float(high))
    return intervals
