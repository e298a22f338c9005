"""How long engines take: percentiles over runs, after warm-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spatial_perception.runtime import Engine


@dataclass(frozen=True, slots=True)
class EngineLatency:
    """Latency of one engine."""

    model: str
    file: str
    backend: str
    precision: str
    runs: int
    p50_ms: float
    p90_ms: float
    p99_ms: float


def percentiles_ms(durations_s: Sequence[float]) -> tuple[float, float, float]:
    """Returns the 50th, 90th and 99th percentile of durations, in milliseconds."""
    p50, p90, p99 = np.percentile(np.asarray(durations_s) * 1e3, [50, 90, 99])
    return float(p50), float(p90), float(p99)


def measure(
    engine: Engine,
    inputs: Mapping[str, np.ndarray],
    runs: int = 50,
    max_seconds: float = 20.0,
    on_run: Callable[[], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> EngineLatency:
    """Returns the latency of an engine, copies in and out included.

    Args:
        engine: the engine.
        inputs: as `Engine.infer` takes them.
        runs: how often to run, after a tenth as many (at least two) to warm up.
        max_seconds: stop earlier when this has passed, but not before three runs.
        on_run: called after each run.
        clock: seconds that pass.

    Raises:
        EngineError: If the inputs do not fit or the backend fails.
    """
    for _ in range(max(2, runs // 10)):
        engine.infer(inputs)
    durations_s: list[float] = []
    begin_s = clock()
    while len(durations_s) < runs:
        start_s = clock()
        engine.infer(inputs)
        end_s = clock()
        durations_s.append(end_s - start_s)
        if on_run is not None:
            on_run()
        if end_s - begin_s > max_seconds and len(durations_s) >= 3:
            break
    info = engine.info
    return EngineLatency(
        info.model,
        info.file,
        info.backend,
        info.precision,
        len(durations_s),
        *percentiles_ms(durations_s),
    )
