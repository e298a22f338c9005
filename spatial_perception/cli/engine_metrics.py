"""`engines verify --dataset`: what other backends and precisions cost in metrics."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from spatial_perception.cli.engine_arguments import chosen_backends, load_models
from spatial_perception.cli.json_file import write_json
from spatial_perception.cli.progress import progress_bar
from spatial_perception.errors import EngineError
from spatial_perception.evaluation import DATASETS
from spatial_perception.runtime.backends import get_backend

if TYPE_CHECKING:
    from spatial_perception.evaluation.parity import Parity
    from spatial_perception.pipelines.model import EngineOptions


def add_metric_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that compare metrics instead of outputs."""
    group = parser.add_argument_group("metrics on a data set, of one model")
    add = group.add_argument
    add("--dataset", choices=DATASETS, help="compare metrics on this data set")
    add("--root", type=Path, help="folder of the data set")
    add("--split", help="part of the data set; each has its own default")
    add("--limit", type=int, default=0, metavar="N", help="at most N frames, spread evenly")
    add("--max-loss", type=float, default=0.5, help="exit 1 above this, points (default 0.5)")
    add("--calibrate-split", metavar="SPLIT", help="int8: calibrate on this part first")
    add(
        "--calibrate-frames",
        type=int,
        default=256,
        metavar="N",
        help="at most so many of its frames (default 256)",
    )


def run_metrics(console: Console, arguments: argparse.Namespace) -> int:
    """Measures and prints; 0 when no engine loses more than is allowed, else 1.

    Raises:
        PerceptionError: If the model or the data set is missing or does not fit.
    """
    from spatial_perception.evaluation.measurement import Request
    from spatial_perception.evaluation.parity import calibrate_on, compare_metrics

    if len(arguments.models) != 1 or arguments.root is None:
        raise EngineError("--dataset needs one MODEL and --root, the folder of the data set")
    if arguments.bag or arguments.input:
        raise EngineError("--dataset compares metrics, --bag and --input outputs: leave one out")
    if arguments.calibrate_split and arguments.precision != "int8":
        raise EngineError("--calibrate-split serves --precision int8 alone, add it")
    (model,) = arguments.models
    place = (model, arguments.dataset, arguments.root)
    engines = list(_engines(arguments))
    title = f"{model} on {arguments.dataset}"
    if arguments.calibrate_split:
        part = Request(*place, arguments.calibrate_split, limit=arguments.calibrate_frames)
        with progress_bar(console, f"{title}: calibrating") as show:
            count = calibrate_on(part, show)
        console.print(f"int8 calibrated on {count} inputs of '{arguments.calibrate_split}'")
    request = Request(*place, arguments.split, limit=arguments.limit)
    with progress_bar(console, title) as show:
        parity = compare_metrics(request, engines, show)
    console.print(_table(parity))
    failures = [
        f"{engine.backend} {engine.precision or 'default'}: loses {engine.worst:.2f} points"
        for engine in parity.engines
        if engine.worst > arguments.max_loss
    ]
    for failure in failures:
        console.print(f"FAILED {failure}", soft_wrap=True)
    if arguments.json:
        write_json(arguments.json, {**asdict(parity), "failed": failures})
    return 1 if failures else 0


def _engines(arguments: argparse.Namespace) -> Iterator[EngineOptions]:
    """Yields the engines to compare, each with the precision that it runs in."""
    from spatial_perception.pipelines.model import EngineOptions

    (spec,) = load_models(arguments.models)
    for name in chosen_backends(arguments.backend, spec, arguments.precision):
        precision = arguments.precision or ""
        if name != "auto":
            precision = precision or get_backend(name).default_precision(spec.precision)
        yield EngineOptions(name, precision, arguments.threads or 0)


def _table(parity: Parity) -> Table:
    title = f"{parity.model} on {parity.dataset} ({parity.split}), {parity.frames} frames"
    table = Table("metric", title=title)
    table.add_column("onnxruntime fp32", justify="right")
    for engine in parity.engines:
        table.add_column(f"{engine.backend} {engine.precision}", justify="right")
        table.add_column("lost", justify="right")
    for name, value in parity.reference.items():
        cells = [f"{value:.2f}"]
        for engine in parity.engines:
            if name in engine.lost:
                cells += [f"{engine.metrics[name]:.2f}", f"{engine.lost[name]:+.2f}"]
            else:
                cells += ["-", "-"]
        table.add_row(name, *cells)
    return table
