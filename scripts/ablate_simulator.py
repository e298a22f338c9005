#!/usr/bin/env python3
"""Measures what each part of the simulated streets is worth to lidar_detector.

python scripts/ablate_simulator.py --output out/ablation --kitti data/kitti_object

Once with everything and once without each feature it simulates scans of the same seeds, trains the
detector for the same number of steps, and evaluates it on other simulated scans that
have everything and, with --kitti, on KITTI's object benchmark. Then it prints a table: percent, and
the difference to everything with its 90 % interval over the same draws of frames. Run again it goes
on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from spatial_perception.cli.train import default_config
from spatial_perception.config import load_yaml
from spatial_perception.evaluation.bootstrap import interval_90
from spatial_perception.evaluation.evaluators import measure
from spatial_perception.evaluation.measurement import Measurement, Request
from spatial_perception.evaluation.report import Report
from spatial_perception.pipelines.model import EngineOptions
from spatial_perception.simulation.features import SceneFeatures
from spatial_perception.simulation.shards import write_shards
from spatial_perception.training.tasks import export_model, train

MODEL = "lidar_detector"
EVERYTHING = "everything"
FEATURES = tuple(field.name for field in fields(SceneFeatures))
VALIDATION_SEED = 910000
METRICS = (
    "car_bev_ap_0.5_within_30m",
    "car_bev_ap_0.5",
    "car_bev_ap_0.7",
    "pedestrian_bev_ap_0.5",
)
MORE = "_more"


def main() -> int:
    """Runs what is missing and prints the table; 0 when done, 2 where settings changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all variants")
    parser.add_argument("--kitti", type=Path, help="KITTI object benchmark to evaluate on, too")
    parser.add_argument("--features", default=",".join(FEATURES), help="default: %(default)s")
    parser.add_argument("--sensor", default="hdl64")
    parser.add_argument("--seed", type=int, default=30000, help="of the first training scan")
    parser.add_argument("--scans", type=int, default=120, help="for training, a variant")
    parser.add_argument("--validation", type=int, default=20, help="scans to evaluate on")
    parser.add_argument("--steps", type=int, default=250, help="of training")
    parser.add_argument(
        "--initial", default="", help="weights to go on from; default: from nothing"
    )
    parser.add_argument("--batch", type=int, default=4, help="crops a step")
    parser.add_argument("--crop-m", type=float, default=51.2, help="side of a crop")
    parser.add_argument("--channels", type=int, help="of the two 3D convolutions")
    parser.add_argument("--widths", type=numbers, help="channels of the pyramid, like 32,48,64")
    parser.add_argument("--blocks", type=numbers, help="convolutions of the pyramid, like 1,2,2")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--training-seed", type=int, default=0, help="order and augmentation")
    parser.add_argument("--threads", type=int, default=1, help="processors to use")
    arguments = parser.parse_args()
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + arguments.validation)
    write_shards(arguments.output / "val", seeds, arguments.sensor, arguments.threads)
    variants = [EVERYTHING, *(name for name in arguments.features.split(",") if name)]
    for variant in variants:
        folder = arguments.output / variant
        folder.mkdir(exist_ok=True)
        settings, text = folder / "training.yaml", yaml.safe_dump(configuration(arguments))
        if settings.exists() and settings.read_text() != text:
            print(f"{settings}: other settings than now; choose another --output", file=sys.stderr)
            return 2
        settings.write_text(text)
        run_variant(variant, folder, settings, arguments)
    for dataset in data_sets(arguments):
        print_table(dataset, arguments.output, variants)
    return 0


def numbers(text: str) -> list[int]:
    """Parses integers with commas between them."""
    return [int(part) for part in text.split(",")]


def configuration(arguments: argparse.Namespace) -> dict[str, Any]:
    """The detector's own training file, shortened; its network smaller where asked for."""
    config = dict(load_yaml(default_config(MODEL)))
    config |= {"initial": arguments.initial, "batch_size": arguments.batch}
    config |= {"crop_m": arguments.crop_m}
    if arguments.channels:
        config["stages"] = [[arguments.channels, stride] for _, stride in config["stages"]]
    config |= {name: own for name in ("widths", "blocks") if (own := getattr(arguments, name))}
    # What costs time and does not bear on boxes: most of the occupancy's loss, and validation.
    config |= {"occupancy_crop": 16, "validation_scans": 2}
    steps = arguments.steps
    config["fit"] = {
        **config["fit"],
        "steps": steps,
        "learning_rate": arguments.learning_rate,
        "ema_decay": max(0.97, 1 - 8 / steps),
        "validate_every": steps,
        "checkpoint_every": 50,
        "seed": arguments.training_seed,
        "threads": arguments.threads,
    }
    return config


def run_variant(variant: str, folder: Path, settings: Path, arguments: argparse.Namespace) -> None:
    """Simulates, trains, exports and evaluates what is not there yet."""
    features = SceneFeatures.without([variant] * (variant != EVERYTHING))
    seeds = range(arguments.seed, arguments.seed + arguments.scans)
    write_shards(folder / "train", seeds, arguments.sensor, arguments.threads, features=features)
    if not (folder / "val").exists():
        (folder / "val").symlink_to(Path("..") / "val")
    model = folder / "models" / MODEL
    if not (model / "MODEL_CARD.md").exists():
        result = train(MODEL, settings, folder, folder / "run", resume=True)
        export_model(MODEL, settings, folder, result.weights, model.parent)
    for dataset, root in data_sets(arguments).items():
        path = folder / f"{dataset}.json"
        if not path.exists():
            report = compared(model, arguments.output, dataset, root, arguments.threads)
            report.write(path)


def data_sets(arguments: argparse.Namespace) -> dict[str, Path]:
    """What is evaluated on, and where it is."""
    real = {"kitti": arguments.kitti} if arguments.kitti else {}
    return {"simulated": arguments.output, **real}


@cache
def measured(model: Path, dataset: str, root: Path, threads: int) -> Measurement:
    """What a model answers on a data set."""
    request = Request(str(model), dataset, root, engine=EngineOptions(threads=threads))
    return measure(request, lambda done, total: None)


def compared(model: Path, output: Path, dataset: str, root: Path, threads: int) -> Report:
    """A model's metrics and, on the same draws of frames, how much more than with everything."""
    full = measured(output / EVERYTHING / "models" / MODEL, dataset, root, threads)
    own = measured(model, dataset, root, threads)

    def compute(weights: NDArray[np.int64]) -> dict[str, float]:
        values, best = own.compute(weights), full.compute(weights)
        values = {name: values[name] for name in METRICS if name in values and name in best}
        return {**values, **{f"{name}{MORE}": v - best[name] for name, v in values.items()}}

    every = np.ones(own.frames, np.int64)
    intervals = interval_90(compute, own.frames, np.random.default_rng(0))
    return Report(MODEL, dataset, own.split, own.frames, compute(every), intervals)


def print_table(dataset: str, output: Path, variants: list[str]) -> None:
    """Markdown: percent with everything, and how much more without a feature; 90 % intervals."""
    reports = {v: json.loads((output / v / f"{dataset}.json").read_text()) for v in variants}
    print(f"\n{dataset}, {reports[EVERYTHING]['frames']} frames\n")
    print(f"| streets | {' | '.join(METRICS)} |\n|---|{'---|' * len(METRICS)}")
    for variant, report in reports.items():
        cells = []
        for name in METRICS:
            shown = name if variant == EVERYTHING else name + MORE
            low, high = report["interval_90"][shown]
            difference = "" if variant == EVERYTHING else f"; {report['metrics'][shown]:+.1f}"
            cells.append(f"{report['metrics'][name]:.1f}{difference} ({low:.0f} to {high:.0f})")
        label = variant if variant == EVERYTHING else f"without {variant}"
        print(f"| {label} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
