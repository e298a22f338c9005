"""Learning rate over a run, as a function of its progress from 0 to 1."""

from __future__ import annotations

import math

from spatial_perception.training.fit_config import Schedule

_START, _END = 0.04, 1e-3


def rate_factor(progress: float, schedule: Schedule, warmup: float) -> float:
    """The learning rate divided by its peak.

    Args:
        progress: Share of the run that is done, 0..1.
        schedule: "one_cycle" rises from 1/25 on a cosine and falls on a cosine to 1/1000 (Smith and
            Topin, 2018); "cosine" rises linearly from zero and falls on a cosine to zero.
        warmup: Share of the run in which the rate rises.
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup:
        share = progress / warmup
        return share if schedule == "cosine" else _cosine(_START, 1.0, share)
    share = (progress - warmup) / (1.0 - warmup)
    return _cosine(1.0, 0.0 if schedule == "cosine" else _END, share)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))
