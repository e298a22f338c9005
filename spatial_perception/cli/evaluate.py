"""`spatial-perception evaluate`: the metrics of a model on a data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from spatial_perception.cli.console import make_console
from spatial_perception.cli.progress import progress_bar
from spatial_perception.config import from_mapping
from spatial_perception.errors import ConfigError
from spatial_perception.evaluation import DATASETS, DRIVES
from spatial_perception.evaluation.report import Report


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="metrics of a model on a data set",
        description="Runs a model over a data set in its published layout and measures it.",
    )
    parser.add_argument("model", help="name or folder of a model")
    parser.add_argument(
        "--dataset",
        required=True,
        action="append",
        choices=(*DATASETS, DRIVES),
        help="which layout; given again with another --root, scans with boxes are pooled",
    )
    parser.add_argument(
        "--root", required=True, action="append", type=Path, help="folder of the data set"
    )
    parser.add_argument("--split", help="part of the data set; each has its own default")
    parser.add_argument(
        "--frames", default="", help="names of the frames to take, separated by commas"
    )
    parser.add_argument("--backend", default="auto", help="backend of the engine")
    parser.add_argument("--precision", default="", help="fp32, fp16, bf16, int8; default: model's")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0 for all")
    parser.add_argument(
        "--largest-px",
        type=int,
        default=0,
        metavar="N",
        help="take exported picture sizes of at most so many pixels; 0: the largest",
    )
    parser.add_argument("--figures", type=Path, metavar="DIR", help="write figures there")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="parameters of the graph (drives only)"
    )
    parser.add_argument(
        "--replayed", type=Path, metavar="DIR", help="keep replayed bags there (drives only)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints and writes; 0 when done.

    Raises:
        PerceptionError: If the model or the data set is missing or does not fit.
    """
    from spatial_perception.cli.evaluate_drives import evaluate_drives
    from spatial_perception.evaluation.evaluators import evaluate
    from spatial_perception.evaluation.measurement import Request
    from spatial_perception.pipelines.model import EngineOptions

    datasets, roots = arguments.dataset, arguments.root
    if len(datasets) != len(roots):
        raise ConfigError(f"{len(datasets)} --dataset but {len(roots)} --root: give one for each")
    if DRIVES in datasets and len(datasets) > 1:
        raise ConfigError("drives cannot be pooled with other data sets: put them under one --root")
    for option in ("figures",) if DRIVES in datasets else ("config", "replayed"):
        if getattr(arguments, option) is not None:
            raise ConfigError(f"--{option} says nothing of {datasets[0]}, leave it out")
    engine = {
        name: getattr(arguments, name) for name in ("backend", "precision", "threads", "largest_px")
    }
    request = Request(
        model=arguments.model,
        dataset=datasets[0],
        root=roots[0],
        pooled=tuple(zip(datasets[1:], roots[1:], strict=True)),
        split=arguments.split,
        frames=tuple(name for name in arguments.frames.split(",") if name),
        engine=from_mapping(EngineOptions, engine, "command line"),
    )
    console = make_console()
    figures: list[Path] = []
    with progress_bar(console, f"{request.model} on {request.datasets}") as show:
        if request.dataset == DRIVES:
            report = evaluate_drives(request, arguments.config, arguments.replayed, show)
        else:
            report, figures = evaluate(request, show, arguments.figures)
    console.print(_table(report))
    for path in figures:
        console.print(f"figure  {path}", soft_wrap=True)
    if arguments.json:
        report.write(arguments.json)
        console.print(f"metrics {arguments.json}", soft_wrap=True)
    return 0


def _table(report: Report) -> Table:
    title = f"{report.model} on {report.dataset} ({report.split}), {report.frames} frames"
    table = Table("metric", title=title)
    table.add_column("%, or as named", justify="right")
    table.add_column("90 % interval over frames", justify="right")
    for name, value in report.metrics.items():
        low, high = report.interval_90.get(name, (value, value))
        table.add_row(name, f"{value:.2f}", f"{low:.2f} .. {high:.2f}")
    return table
