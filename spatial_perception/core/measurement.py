"""Single numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a stage took for one input, milliseconds."""

    milliseconds: float
