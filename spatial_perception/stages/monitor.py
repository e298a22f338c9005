"""Counts and latencies of a stage, and what `/diagnostics` says of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from spatial_perception.core import DiagnosticLevel, Diagnostics, DiagnosticStatus, Header
from spatial_perception.stages.stage import Readiness, Stage

WINDOW = 1000


class StageMonitor:
    """Remembers how often and how fast a stage ran.

    Args:
        stage: its drops and last error are read from it.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.frames = 0
        self._latencies_ms: deque[float] = deque(maxlen=WINDOW)

    def add(self, elapsed_ms: float) -> None:
        """Counts one processed input."""
        self.frames += 1
        self._latencies_ms.append(elapsed_ms)

    def percentiles_ms(self) -> dict[str, float]:
        """Returns p50, p90 and p99 of the last frames, milliseconds; zeros before the first."""
        values = list(self._latencies_ms) or [0.0]
        p50, p90, p99 = np.percentile(values, [50, 90, 99])
        return {"p50_ms": float(p50), "p90_ms": float(p90), "p99_ms": float(p99)}

    def summary(self) -> dict[str, object]:
        """Returns frames, drops by cause and percentiles, as JSON takes them."""
        drops = {cause.value: count for cause, count in sorted(self.stage.drops.items())}
        return {
            "frames": self.frames,
            "dropped": sum(drops.values()),
            "drops": drops,
            **{name: round(value, 3) for name, value in self.percentiles_ms().items()},
        }

    def status(self) -> DiagnosticStatus:
        """Returns the stage's state in the words of diagnostic_msgs."""
        summary = self.summary()
        dropped = summary["dropped"]
        level, message = DiagnosticLevel.OK, f"{self.frames} frames"
        if dropped:
            level = DiagnosticLevel.WARN if self.frames else DiagnosticLevel.ERROR
            message = f"{self.frames} frames, {dropped} inputs dropped"
        if self.stage.readiness is Readiness.FAILED:
            level, message = DiagnosticLevel.ERROR, self.stage.last_error
        elif self.stage.readiness is not Readiness.READY:
            level, message = DiagnosticLevel.WARN, self.stage.readiness.value
        values = {
            "state": self.stage.readiness.value,
            "frames": str(self.frames),
            **{f"dropped_{c.value}": str(n) for c, n in sorted(self.stage.drops.items())},
            **{name: f"{value:.2f}" for name, value in self.percentiles_ms().items()},
            **self.stage.status(),
        }
        if self.stage.last_error:
            values["last_error"] = self.stage.last_error
        name = f"perception: {self.stage.name}"
        return DiagnosticStatus(name, level, message, values=values)


def diagnostics(monitors: Iterable[StageMonitor], stamp_ns: int) -> Diagnostics:
    """Returns the state of all stages at one time."""
    return Diagnostics(Header(stamp_ns, ""), tuple(monitor.status() for monitor in monitors))
