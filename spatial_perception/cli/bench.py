"""`spatial-perception bench`: latency of every model on every backend, and of stages on a bag."""

from __future__ import annotations

import argparse
import os
import platform
import resource
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from spatial_perception.bags import BagReader
from spatial_perception.cli.bag_run import run_over_bag
from spatial_perception.cli.console import make_console
from spatial_perception.cli.engine_arguments import (
    add_model_arguments,
    chosen_backends,
    engine_name,
    load_models,
    load_samples,
)
from spatial_perception.cli.json_file import write_json
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.evaluation.latency import EngineLatency, measure
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.backends.host import cpu_name

_REFERENCES = ("torch", "onnxruntime")
_BUDGETS_MS = {
    "camera_detector": 15.0,
    "camera_segmenter": 18.0,
    "sign_classifier": 3.0,
    "light_classifier": 3.0,
    "lidar_detector": 45.0,
    "lidar_segmenter": 45.0,
}
"""What a stage may take of the 200 ms that two cores with bf16 have between two frames at 10 Hz."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "bench",
        help="latency of models on backends, and of stages on a bag",
        description="Every model on every backend that works, PyTorch eager and ONNX Runtime among"
        " them, in one run. With --bag also the stages of the graph over a recording.",
    )
    add_model_arguments(parser, backend="all")
    parser.add_argument("--runs", type=int, default=50, help="runs of each engine (default 50)")
    parser.add_argument("--bag", type=Path, help="measure the stages over this bag, too")
    parser.add_argument(
        "--realtime",
        type=int,
        default=0,
        metavar="N",
        help="run the bag N times at recorded speed, as a live host does: newest wins",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measurement there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 0 when done, 1 when an engine did not run.

    Raises:
        PerceptionError: If a model or the bag is missing or damaged.
    """
    if arguments.runs < 1:
        raise ConfigError(f"--runs {arguments.runs}: expected 1 or more")
    if arguments.realtime < 0 or (arguments.realtime and not arguments.bag):
        raise ConfigError("--realtime needs --bag and a number of times")
    if arguments.bag:
        with BagReader(arguments.bag):
            pass  # one that is not there is told before minutes of measuring
    console = make_console()
    latencies, failures = _measure_engines(console, arguments)
    console.print(_engine_table(latencies))
    for failure in failures:
        console.print(f"FAILED {failure}", soft_wrap=True)
    content: dict[str, Any] = {
        "machine": _machine(arguments.threads),
        "engines": [_rounded(asdict(latency)) for latency in latencies],
        "failed": failures,
    }
    if arguments.bag:
        backend = "auto" if arguments.backend == "all" else arguments.backend
        summary = run_over_bag(console, arguments.bag, backend, arguments.realtime)
        console.print(_stage_table(summary))
        content |= {key: summary[key] for key in ("stages", "frames_per_s", "peak_rss_mb")}
    else:
        content["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if arguments.json:
        write_json(arguments.json, content)
    return 1 if failures else 0


def _measure_engines(
    console: Console, arguments: argparse.Namespace
) -> tuple[list[EngineLatency], list[str]]:
    latencies, failures = [], []
    jobs = [
        (spec, variant, backend)
        for spec in load_models(arguments.models)
        for variant in range(len(spec.variants))
        for backend in _with_references(spec, arguments.backend, arguments.precision)
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("bench", total=len(jobs) * arguments.runs)
        for index, (spec, variant, backend) in enumerate(jobs):
            label = f"{spec.name}/{spec.variants[variant].file} on {backend}"
            progress.update(task, description=label, completed=index * arguments.runs)
            is_asked = backend == arguments.backend or backend not in _REFERENCES
            precision = arguments.precision if is_asked else None
            (inputs,) = load_samples(None, spec.variants[variant])
            try:
                with create_engine(spec, variant, backend, precision, arguments.threads) as engine:
                    latencies.append(
                        measure(
                            engine, inputs, arguments.runs, on_run=lambda: progress.advance(task)
                        )
                    )
            except EngineError as error:
                failures.append(f"{label}: {error}")
    return latencies, failures


def _with_references(spec: ModelSpec, choice: str, precision: str | None) -> list[str]:
    """Returns the chosen backends and the two that others are compared with, where they run."""
    names = chosen_backends(choice, spec, precision)
    names += [n for n in chosen_backends("all", spec) if n in _REFERENCES and n not in names]
    return [name for name in names if name != "torch" or spec.network is not None]


def _engine_table(latencies: list[EngineLatency]) -> Table:
    table = Table(
        "model",
        "backend",
        "precision",
        box=SIMPLE,
        collapse_padding=True,
        pad_edge=False,
        title="engines, ms; vs: times as fast as PyTorch eager and ONNX Runtime",
    )
    for column in ("p50", "p90", "p99", "vs torch", "vs ORT"):
        table.add_column(column, justify="right")
    table.columns[0].overflow = "fold"
    reference = {
        (lat.model, lat.file, lat.backend): lat.p50_ms
        for lat in latencies
        if lat.backend in _REFERENCES
    }
    for lat in latencies:
        times = [f"{ms:.2f}" for ms in (lat.p50_ms, lat.p90_ms, lat.p99_ms)]
        ratios = [reference.get((lat.model, lat.file, name)) for name in _REFERENCES]
        faster = [f"{ms / lat.p50_ms:.1f}" if ms else "-" for ms in ratios]
        table.add_row(engine_name(lat.model, lat.file), lat.backend, lat.precision, *times, *faster)
    return table


def _stage_table(summary: dict[str, Any]) -> Table:
    title = f"stages: {summary['frames_per_s']:.1f} frames/s, {summary['peak_rss_mb']:.0f} MB"
    table = Table("stage", title=title)
    has_latency = any("latency_ms" in stage for stage in summary["stages"].values())
    columns = ["frames", "dropped", "budget ms", "p50 ms", "p90 ms", "p99 ms"]
    for column in columns + ["stamp to result p50 ms", "p99 ms"] * has_latency:
        table.add_column(column, justify="right")
    for name, stage in summary["stages"].items():
        times = [f"{stage[key]:.1f}" for key in ("p50_ms", "p90_ms", "p99_ms")]
        latency = stage.get("latency_ms", {})
        times += [f"{latency[key]:.1f}" for key in ("p50", "p99") if key in latency]
        budget = f"{_BUDGETS_MS[name]:.0f}" if name in _BUDGETS_MS else "-"
        table.add_row(name, str(stage["frames"]), str(stage["dropped"]), budget, *times)
    return table


def _machine(threads: int | None) -> dict[str, object]:
    return {
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads,
        "system": platform.platform(),
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in values.items()}
