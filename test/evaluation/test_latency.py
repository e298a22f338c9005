"""Latency of engines: percentiles of known durations, warm-up left out, time limit kept."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from spatial_perception.evaluation.latency import measure, percentiles_ms


class SlowEngine:
    """An engine on a clock of its own: each run takes the next of the given durations."""

    info = SimpleNamespace(model="m", file="f", backend="b", precision="fp32")

    def __init__(self, durations_s: Iterator[float]) -> None:
        self.durations_s, self.now_s, self.runs = durations_s, 0.0, 0

    def infer(self, inputs):
        self.now_s += next(self.durations_s)
        self.runs += 1
        return {}

    def clock(self) -> float:
        return self.now_s


def test_percentiles_of_a_hundred_known_durations() -> None:
    durations_s = np.random.default_rng(0).permutation(np.arange(101)) * 1e-3
    assert percentiles_ms(durations_s) == pytest.approx((50, 90, 99))


def test_warm_up_does_not_count() -> None:
    engine = SlowEngine(iter([9.0] * 2 + [0.010, 0.020, 0.030]))
    latency = measure(engine, {}, runs=3, clock=engine.clock)
    assert (latency.runs, latency.p50_ms) == (3, pytest.approx(20))


def test_time_limit_stops_early_but_not_before_three_runs() -> None:
    engine = SlowEngine(iter([1.0] * 100))
    assert measure(engine, {}, runs=50, max_seconds=0.5, clock=engine.clock).runs == 3
    engine = SlowEngine(iter([1.0] * 100))
    assert measure(engine, {}, runs=50, max_seconds=9.5, clock=engine.clock).runs == 10


def test_every_run_is_reported() -> None:
    engine, seen = SlowEngine(iter([0.001] * 100)), []
    measure(engine, {}, runs=20, on_run=lambda: seen.append(1), clock=engine.clock)
    assert (len(seen), engine.runs) == (20, 22)
