"""`spatial-perception engines`: build, list, verify and clear compiled engines."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from spatial_perception.cli.bag_run import inputs_from_bag
from spatial_perception.cli.console import make_console
from spatial_perception.cli.engine_arguments import (
    add_model_arguments,
    chosen_backends,
    engine_name,
    load_models,
    load_samples,
)
from spatial_perception.cli.engine_metrics import add_metric_arguments, run_metrics
from spatial_perception.cli.json_file import write_json
from spatial_perception.errors import EngineError
from spatial_perception.runtime import ModelSpec, create_engine
from spatial_perception.runtime.cache import EngineCache
from spatial_perception.runtime.engine_factory import build_ahead
from spatial_perception.runtime.precision import calibrate
from spatial_perception.runtime.recording import Recorded
from spatial_perception.runtime.verify import Verification, verify

_CALIBRATION_SAMPLES = 64


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "engines",
        help="build, list, verify and clear compiled engines",
        description="Engines are compiled once and kept in the user's cache folder.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    build = actions.add_parser("build", help="compile engines now instead of at the first start")
    add_model_arguments(build, backend="auto")
    real = build.add_mutually_exclusive_group()
    real.add_argument("--bag", type=Path, help="for --precision int8: calibrate on this bag")
    real.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help=".npz with real inputs, for --precision int8",
    )
    build.add_argument(
        "--compute-capability",
        nargs="+",
        metavar="CC",
        help="build for other machines' GPUs, e.g. 8.9 12.0 (tensorrt_rtx; needs no GPU)",
    )
    build.set_defaults(run=run_build)

    actions.add_parser("list", help="what is stored").set_defaults(run=run_list)

    check = actions.add_parser("verify", help="compare engines with fp32 ONNX Runtime")
    add_model_arguments(check, backend="all")
    real = check.add_mutually_exclusive_group()
    real.add_argument("--bag", type=Path, help="compare on what the graph makes of this bag")
    real.add_argument("--input", type=Path, metavar="FILE", help=".npz with real inputs")
    check.add_argument("--samples", type=int, default=3, help="inputs of each model (default 3)")
    check.add_argument(
        "--agreement", type=float, default=95.0, help="exit 1 below this, percent (default 95)"
    )
    check.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    add_metric_arguments(check)
    check.set_defaults(run=run_verify)

    actions.add_parser("clear", help="delete what is stored").set_defaults(run=run_clear)


def run_build(arguments: argparse.Namespace) -> int:
    """Builds every variant of the chosen models; 0 when all are there.

    Raises:
        PerceptionError: If a model is damaged or an engine cannot be built.
    """
    console = make_console()
    if arguments.compute_capability:
        return _build_ahead(console, arguments)
    if (arguments.bag or arguments.calibration) and arguments.precision != "int8":
        raise EngineError("calibration serves --precision int8 alone, add it")
    models = load_models(arguments.models)
    recorded = _recorded(console, arguments.bag, _CALIBRATION_SAMPLES)
    for spec, variant in _variants(models):
        samples = recorded.get((spec.name, spec.variants[variant].file), [])
        if arguments.calibration:
            samples = load_samples(arguments.calibration, spec.variants[variant])
        if samples:
            with console.status(f"{spec.name}: int8 calibration on {len(samples)} samples"):
                calibrate(spec, samples, variant)
        for backend in chosen_backends(arguments.backend, spec, arguments.precision):
            file = spec.variants[variant].file
            with (
                console.status(f"{spec.name}/{file}: building for {backend}"),
                create_engine(
                    spec, variant, backend, arguments.precision, arguments.threads
                ) as engine,
            ):
                info = engine.info
            state = "stored already" if info.from_cache else "built"
            if not info.cache_key:
                state = "loads (nothing to store)"
            console.print(
                f"{info.model}/{info.file}: {info.backend} {info.precision}: {state}",
            )
    return 0


def _build_ahead(console: Console, arguments: argparse.Namespace) -> int:
    if arguments.backend not in ("auto", "tensorrt_rtx"):
        raise EngineError(
            f"--compute-capability works with tensorrt_rtx alone, not {arguments.backend}"
        )
    for spec, variant in _variants(load_models(arguments.models)):
        for capability in arguments.compute_capability:
            label = f"{spec.name}/{spec.variants[variant].file} for {capability}"
            with console.status(f"{label}: building"):
                entry = build_ahead(spec, capability, variant, arguments.precision)
            size_mb = entry.size_bytes / 1e6
            console.print(f"{label}: {size_mb:.1f} MB {entry.path}", soft_wrap=True)
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """Prints what is stored; 0."""
    console = make_console()
    cache = EngineCache()
    entries = cache.entries()
    table = Table(
        "model",
        "backend",
        "precision",
        "device",
        "version",
        box=SIMPLE,
        collapse_padding=True,
        pad_edge=False,
        title=str(cache.folder),
    )
    table.add_column("MB", justify="right")
    table.add_column("state")
    for entry in entries:
        key = entry.key
        cells = (
            (key.backend, key.precision, key.device.split(" [")[0], key.backend_version)
            if key
            else "????"
        )
        table.add_row(
            entry.model.removesuffix("/model.onnx"),
            *cells,
            f"{entry.size_bytes / 1e6:.1f}",
            entry.problem or "ok",
        )
    console.print(table if entries else f"no engines in {cache.folder}")
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Compares and prints; 0 when all agree, 1 when one does not or does not run, or none is there.

    With `--dataset` the metrics of one model are compared, else the outputs of all.

    Raises:
        PerceptionError: If a model or the input file is damaged, or ONNX Runtime is missing.
    """
    if arguments.samples < 1:
        raise EngineError(f"--samples {arguments.samples}: expected 1 or more")
    console = make_console()
    if arguments.dataset:
        return run_metrics(console, arguments)
    table = Table(
        "model",
        "backend",
        "precision",
        "output",
        box=SIMPLE,
        collapse_padding=True,
        pad_edge=False,
        title="against fp32 ONNX Runtime",
    )
    for column in ("max diff", "relative", "agreement"):
        table.add_column(column, justify="right")
    results: list[Verification] = []
    failures: list[str] = []
    models = load_models(arguments.models)
    recorded = _recorded(console, arguments.bag, arguments.samples)
    for spec, variant in _variants(models):
        samples = recorded.get((spec.name, spec.variants[variant].file), [])
        if arguments.bag and not samples:
            console.print(f"{spec.name}/{spec.variants[variant].file}: not used on this bag")
            continue
        if not samples:
            samples = load_samples(arguments.input, spec.variants[variant], arguments.samples)
        for backend in chosen_backends(arguments.backend, spec, arguments.precision):
            label = f"{spec.name}/{spec.variants[variant].file} on {backend}"
            try:
                with (
                    console.status(label),
                    create_engine(
                        spec, variant, backend, arguments.precision, arguments.threads
                    ) as engine,
                ):
                    result = verify(engine, spec, samples, variant)
            except EngineError as error:
                failures.append(f"{label}: {error}")
                continue
            results.append(result)
            _add_rows(table, result)
            if result.agreement * 100 < arguments.agreement:
                failures.append(f"{label}: agreement is {result.agreement:.2%}")
    console.print(table)
    if not results and not failures:
        failures.append("nothing was compared: no model is used on the bag, or no backend works")
    for failure in failures:
        console.print(f"FAILED {failure}", soft_wrap=True)
    if arguments.json:
        write_json(arguments.json, {"verified": [_json(r) for r in results], "failed": failures})
    return 1 if failures else 0


def run_clear(arguments: argparse.Namespace) -> int:
    """Deletes all stored engines; 0."""
    cache = EngineCache()
    count, size = cache.clear()
    make_console().print(f"{count} engines ({size / 1e6:.1f} MB) deleted from {cache.folder}")
    return 0


def _recorded(console: Console, bag: Path | None, limit: int) -> Recorded:
    return {} if bag is None else inputs_from_bag(console, bag, limit)


def _variants(specs: list[ModelSpec]) -> Iterator[tuple[ModelSpec, int]]:
    for spec in specs:
        for index in range(len(spec.variants)):
            yield spec, index


def _add_rows(table: Table, result: Verification) -> None:
    info = result.engine
    for output in result.outputs:
        table.add_row(
            engine_name(info.model, info.file),
            info.backend,
            info.precision,
            output.name,
            f"{output.max_abs:.3g}",
            f"{output.max_rel:.2%}",
            f"{output.agreement:.2%}",
        )


def _json(result: Verification) -> dict[str, object]:
    content = asdict(result)
    content["agreement"] = result.agreement
    return content
