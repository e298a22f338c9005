"""Counts and times of a stage, and what `/diagnostics` says of them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from spatial_perception.core import DiagnosticLevel, Diagnostics, DiagnosticStatus, Header
from spatial_perception.stages.host_config import DiagnosticsConfig
from spatial_perception.stages.stage import DropCause, Readiness, Stage

WINDOW = 1000
COMPARABLE_MS = 60_000.0
"""Stamps further from the host's clock are of another clock: a recording, a simulation."""

Verdict = tuple[DiagnosticLevel, str]


class Samples:
    """The last times of one kind, milliseconds, with when they were taken."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=WINDOW)

    def add(self, now_s: float, value_ms: float) -> None:
        """Remembers one more."""
        self._samples.append((now_s, value_ms))

    def since(self, start_s: float) -> list[float]:
        """Returns those taken after a time."""
        return [value for when, value in list(self._samples) if when >= start_s]

    def rate_hz(self, now_s: float, window_s: float) -> float:
        """Returns how many a second were taken in a window, or in what is remembered of it."""
        times = [when for when, _ in list(self._samples) if when >= now_s - window_s]
        if len(times) == WINDOW:
            window_s = max(now_s - times[0], 1e-9)
        return len(times) / window_s

    def percentiles_ms(self) -> tuple[float, float, float]:
        """Returns p50, p90 and p99; zeros where there is none."""
        values = [value for _, value in list(self._samples)] or [0.0]
        p50, p90, p99 = np.percentile(values, [50, 90, 99])
        return float(p50), float(p90), float(p99)

    def __len__(self) -> int:
        return len(self._samples)


class StageMonitor:
    """Remembers how often, how fast and how late a stage ran.

    Times: `compute` is the stage's own work for one input; its steps are parts of that, or of what
    the host does around it (`wait`, `decode`, `encode`); `response` is from a message's arrival to
    the publication of what it led to; `latency` from the sensor's stamp to that publication.

    Args:
        stage: its drops and last error are read from it.
        clock: seconds, monotonic.
    """

    def __init__(self, stage: Stage, clock: Callable[[], float] = time.monotonic) -> None:
        self.stage = stage
        self.frames = 0
        self.thresholds = DiagnosticsConfig()
        self.clock_offset_ms = 0.0
        self._clock = clock
        self._compute, self._latency, self._response = Samples(), Samples(), Samples()
        self._steps: dict[str, Samples] = {}
        self._history: deque[tuple[float, int, Counter[DropCause]]] = deque()

    def add(self, elapsed_ms: float) -> None:
        """Counts one processed input."""
        self.frames += 1
        self._compute.add(self._clock(), elapsed_ms)

    def add_steps(self, steps_ms: Mapping[str, float]) -> None:
        """Remembers how long steps took."""
        now_s = self._clock()
        for name, step_ms in steps_ms.items():
            if name not in self._steps:
                self._steps[name] = Samples()
            self._steps[name].add(now_s, step_ms)

    def add_publication(self, latency_ms: float | None, response_ms: float | None) -> None:
        """Remembers how late an output was published.

        Args:
            latency_ms: since the sensor's stamp; None where the host has no clock.
            response_ms: since the arrival of the message; None where nobody waited for it.
        """
        now_s = self._clock()
        if response_ms is not None:
            self._response.add(now_s, response_ms)
        if latency_ms is None:
            return
        if abs(latency_ms) > COMPARABLE_MS:
            self.clock_offset_ms = latency_ms
        else:
            self.clock_offset_ms = 0.0
            self._latency.add(now_s, latency_ms)

    def percentiles_ms(self) -> dict[str, float]:
        """Returns p50, p90 and p99 of the computing time; zeros before the first."""
        p50, p90, p99 = self._compute.percentiles_ms()
        return {"p50_ms": p50, "p90_ms": p90, "p99_ms": p99}

    def steps_ms(self) -> dict[str, tuple[float, float, float]]:
        """Returns p50, p90 and p99 of each step, milliseconds."""
        return {name: samples.percentiles_ms() for name, samples in list(self._steps.items())}

    def rate_hz(self) -> float:
        """Returns how many inputs a second were processed, over the last seconds."""
        return self._compute.rate_hz(self._clock(), self.thresholds.window_s)

    def summary(self) -> dict[str, object]:
        """Returns frames, drops by cause and percentiles, as JSON takes them."""
        drops = {cause.value: count for cause, count in sorted(self.stage.drops.items())}
        summary: dict[str, object] = {
            "frames": self.frames,
            "dropped": sum(drops.values()),
            "drops": drops,
            **{name: round(value, 3) for name, value in self.percentiles_ms().items()},
            "steps_ms": {
                name: dict(zip(("p50", "p90", "p99"), map(_rounded, values), strict=True))
                for name, values in self.steps_ms().items()
            },
        }
        for name, samples in (("latency", self._latency), ("response", self._response)):
            if len(samples):
                p50, p90, p99 = map(_rounded, samples.percentiles_ms())
                summary[f"{name}_ms"] = {"p50": p50, "p90": p90, "p99": p99}
        return summary

    def status(self) -> DiagnosticStatus:
        """Returns the stage's state in the words of diagnostic_msgs."""
        status = self.stage.status()
        verdicts = list(self._verdicts(status))
        level = max((level for level, _ in verdicts), default=DiagnosticLevel.OK)
        message = "; ".join(text for found, text in verdicts if found == level)
        values = {
            "state": self.stage.readiness.value,
            "frames": str(self.frames),
            "rate_hz": f"{self.rate_hz():.2f}",
            **self._times(),
            **{f"dropped_{c.value}": str(n) for c, n in sorted(self.stage.drops.items())},
            **status,
        }
        if self.stage.last_error:
            values["last_error"] = self.stage.last_error
        name = f"perception: {self.stage.name}"
        return DiagnosticStatus(name, level, message or self._all_well(status), values=values)

    def _all_well(self, status: Mapping[str, str]) -> str:
        if "idle" in status:
            return f"idle: {status['idle']}"
        dropped = sum(self.stage.drops.values())
        tail = f", {dropped} inputs dropped" if dropped else ""
        return f"{self.frames} frames, {self.rate_hz():.1f} Hz{tail}"

    def _times(self) -> dict[str, str]:
        times = {"compute": self._compute, "latency": self._latency, "response": self._response}
        times |= {f"step_{name}": samples for name, samples in list(self._steps.items())}
        values: dict[str, str] = {}
        for name, samples in times.items():
            if len(samples):
                p50, _, p99 = samples.percentiles_ms()
                values |= {f"{name}_p50_ms": f"{p50:.2f}", f"{name}_p99_ms": f"{p99:.2f}"}
        if self.clock_offset_ms:
            values["latency"] = (
                f"unknown: stamps lie {self.clock_offset_ms / 1e3:.0f} s behind the host's clock;"
                " with recorded or simulated data set use_sim_time"
            )
        return values

    def _verdicts(self, status: Mapping[str, str]) -> Iterable[Verdict]:
        if self.stage.readiness is Readiness.FAILED:
            yield DiagnosticLevel.ERROR, self.stage.last_error
            return
        if self.stage.readiness is not Readiness.READY:
            yield DiagnosticLevel.WARN, self.stage.readiness.value
            return
        if degraded := status.get("degraded"):
            yield DiagnosticLevel.WARN, degraded
        limits = self.thresholds
        frames, drops = self._recent()
        dropped = sum(drops.values())
        if dropped:
            percent = 100 * dropped / (frames + dropped)
            causes = ", ".join(f"{n} {cause.value}" for cause, n in sorted(drops.items()))
            text = f"{percent:.0f} % of inputs dropped ({causes})"
            yield from _above(percent, limits.warn_drop_percent, limits.error_drop_percent, text)
        latencies = self._latency.since(self._clock() - limits.window_s)
        if latencies:
            p99 = float(np.percentile(latencies, 99))
            text = f"99 % of results within {p99:.0f} ms of the sensor's stamp"
            warn, error = limits.warn_latency_ms or np.inf, limits.error_latency_ms or np.inf
            yield from _above(p99, warn, error, text)
        if "idle" in status:
            return
        rate_hz = self.rate_hz()
        text = f"{rate_hz:.1f} inputs a second"
        yield from _above(-rate_hz, -limits.warn_rate_hz, -limits.error_rate_hz, text)
        if not frames and not dropped:
            yield DiagnosticLevel.WARN, f"no input in the last {limits.window_s:.0f} s"

    def _recent(self) -> tuple[int, Counter[DropCause]]:
        """Returns frames and drops of the last seconds; seen from here, so once a second or so."""
        now_s, drops = self._clock(), Counter(self.stage.drops)
        if not self._history:
            self._history.append((now_s, 0, Counter()))
        self._history.append((now_s, self.frames, drops))
        while len(self._history) > 2 and self._history[1][0] <= now_s - self.thresholds.window_s:
            self._history.popleft()
        _, frames_before, drops_before = self._history[0]
        return self.frames - frames_before, drops - drops_before


def _above(value: float, warn: float, error: float, text: str) -> Iterable[Verdict]:
    if value > error:
        yield DiagnosticLevel.ERROR, text
    elif value > warn:
        yield DiagnosticLevel.WARN, text


def _rounded(value: float) -> float:
    return round(value, 3)


def diagnostics(monitors: Iterable[StageMonitor], stamp_ns: int) -> Diagnostics:
    """Returns the state of all stages at one time."""
    return Diagnostics(Header(stamp_ns, ""), tuple(monitor.status() for monitor in monitors))
