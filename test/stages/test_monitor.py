"""What `/diagnostics` says: rates, times, thresholds, clocks that cannot be compared."""

from collections.abc import Mapping

import pytest

from spatial_perception.core import DiagnosticLevel
from spatial_perception.stages.host_config import DiagnosticsConfig
from spatial_perception.stages.monitor import StageMonitor
from spatial_perception.stages.stage import DropCause, Readiness
from test.stages.test_graph import Shift


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def monitored(**thresholds: float) -> tuple[StageMonitor, Clock]:
    clock = Clock()
    monitor = StageMonitor(Shift("shift", "/a", "/b"), clock)
    monitor.thresholds = DiagnosticsConfig(**thresholds)
    monitor.status()
    return monitor, clock


def run(monitor: StageMonitor, clock: Clock, seconds: float, rate_hz: float = 10.0) -> None:
    for _ in range(round(seconds * rate_hz)):
        clock.now_s += 1 / rate_hz
        monitor.add(20.0)


def values(monitor: StageMonitor) -> Mapping[str, str]:
    return monitor.status().values


def test_rate_is_that_of_the_last_seconds() -> None:
    monitor, clock = monitored()
    run(monitor, clock, 20.0)
    assert float(values(monitor)["rate_hz"]) == pytest.approx(10.0, abs=0.3)
    clock.now_s += 60.0
    status = monitor.status()
    assert status.values["rate_hz"] == "0.00"
    assert (status.level, status.message) == (DiagnosticLevel.WARN, "no input in the last 5 s")


def test_rate_of_a_long_window_is_not_that_of_what_is_remembered() -> None:
    monitor, clock = monitored(window_s=300.0, warn_rate_hz=8.0)
    run(monitor, clock, 400.0)
    status = monitor.status()
    assert float(status.values["rate_hz"]) == pytest.approx(10.0, abs=0.1)
    assert status.level == DiagnosticLevel.OK


@pytest.mark.parametrize(
    ("dropped", "level"),
    [(1, DiagnosticLevel.OK), (10, DiagnosticLevel.WARN), (60, DiagnosticLevel.ERROR)],
)
def test_share_of_drops_sets_the_level_and_names_the_cause(
    dropped: int, level: DiagnosticLevel
) -> None:
    monitor, clock = monitored(warn_drop_percent=10, error_drop_percent=50)
    run(monitor, clock, 4.0)
    monitor.stage.drops[DropCause.SUPERSEDED] += dropped
    status = monitor.status()
    assert status.level == level
    assert ("superseded" in status.message) == (level > DiagnosticLevel.OK)
    assert status.values["dropped_superseded"] == str(dropped)


def test_old_drops_do_not_keep_a_stage_in_warning() -> None:
    monitor, clock = monitored()
    monitor.stage.drops[DropCause.DECODE] += 100
    assert monitor.status().level == DiagnosticLevel.ERROR
    for _ in range(8):
        run(monitor, clock, 1.0)
        status = monitor.status()
    assert status.level == DiagnosticLevel.OK
    assert "100 inputs dropped" in status.message


def test_late_results_warn_and_then_are_an_error() -> None:
    levels = []
    for latency_ms in (50.0, 150.0, 450.0):
        monitor, clock = monitored(warn_latency_ms=100, error_latency_ms=300)
        run(monitor, clock, 1.0)
        monitor.add_publication(latency_ms, latency_ms - 5.0)
        status = monitor.status()
        levels.append(status.level)
        assert status.values["latency_p99_ms"] == f"{latency_ms:.2f}"
        assert status.values["response_p99_ms"] == f"{latency_ms - 5.0:.2f}"
    assert levels == [DiagnosticLevel.OK, DiagnosticLevel.WARN, DiagnosticLevel.ERROR]


def test_low_rate_warns_where_a_rate_is_asked_for() -> None:
    monitor, clock = monitored(warn_rate_hz=8.0, error_rate_hz=2.0)
    run(monitor, clock, 10.0, rate_hz=5.0)
    assert monitor.status().level == DiagnosticLevel.WARN


def test_stamps_of_another_clock_are_named_instead_of_a_latency() -> None:
    monitor, clock = monitored()
    run(monitor, clock, 1.0)
    monitor.add_publication(4.8e11, 30.0)
    status = monitor.status()
    assert "latency_p99_ms" not in status.values
    assert "stamps lie 480000000 s behind" in status.values["latency"]
    assert "use_sim_time" in status.values["latency"]
    assert status.level == DiagnosticLevel.OK


def test_steps_have_percentiles_of_their_own() -> None:
    monitor, _ = monitored()
    for step_ms in range(1, 102):
        monitor.add_steps({"network": float(step_ms), "decode": 1.0})
    assert monitor.steps_ms()["network"] == (51.0, 91.0, 100.0)
    assert values(monitor)["step_network_p50_ms"] == "51.00"


@pytest.mark.parametrize(
    ("readiness", "level"),
    [(Readiness.LOADING, DiagnosticLevel.WARN), (Readiness.FAILED, DiagnosticLevel.ERROR)],
)
def test_stage_without_its_engine_says_so_whatever_was_dropped(
    readiness: Readiness, level: DiagnosticLevel
) -> None:
    monitor, _ = monitored()
    monitor.stage.readiness = readiness
    monitor.stage.last_error = "no such model"
    monitor.stage.drops[DropCause.ENGINE] += 50
    status = monitor.status()
    assert status.level == level
    assert status.values["state"] == readiness.value


def test_a_degraded_stage_is_a_warning_that_says_why() -> None:
    monitor, clock = monitored()
    run(monitor, clock, 2.0)
    monitor.stage.status = lambda: {"degraded": "no odometry"}  # type: ignore[method-assign]
    status = monitor.status()
    assert (status.level, status.message) == (DiagnosticLevel.WARN, "no odometry")


def test_an_idle_stage_is_well_and_says_why_it_rests() -> None:
    monitor, clock = monitored(warn_rate_hz=5.0)
    monitor.stage.status = lambda: {"idle": "poses come from tf"}  # type: ignore[method-assign]
    clock.now_s += 20.0
    status = monitor.status()
    assert (status.level, status.message) == (DiagnosticLevel.OK, "idle: poses come from tf")
    monitor.stage.drops[DropCause.DECODE] += 100
    assert monitor.status().level == DiagnosticLevel.ERROR
