#!/usr/bin/env python3
"""Measures what each part of the simulated streets is worth to lidar_detector.

python scripts/ablate_simulator.py --output out/ablation --kitti data/kitti_object

Once with everything and once without each feature it simulates scans of the same seeds, trains the
detector from nothing for the same number of steps, and evaluates it on other simulated scans that
have everything and, with --kitti, on KITTI's object benchmark. Then it prints a table. Run again it
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from spatial_perception.cli.train import default_config
from spatial_perception.config import load_yaml
from spatial_perception.evaluation.evaluators import evaluate
from spatial_perception.evaluation.measurement import Request
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


def main() -> int:
    """Runs what is missing and prints the table; 0 when done, 2 where settings changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder of all variants")
    parser.add_argument("--kitti", type=Path, help="KITTI object benchmark to evaluate on, too")
    parser.add_argument("--variants", default=",".join((EVERYTHING, *FEATURES)), help="%(default)s")
    parser.add_argument("--sensor", default="hdl64")
    parser.add_argument("--seed", type=int, default=30000, help="of the first training scan")
    parser.add_argument("--scans", type=int, default=120, help="for training, a variant")
    parser.add_argument("--validation", type=int, default=20, help="scans to evaluate on")
    parser.add_argument("--steps", type=int, default=250, help="of training")
    parser.add_argument("--batch", type=int, default=4, help="crops a step")
    parser.add_argument("--crop-m", type=float, default=51.2, help="side of a crop")
    parser.add_argument("--learning-rate", type=float, default=4e-3)
    parser.add_argument("--threads", type=int, default=1, help="processors to use")
    arguments = parser.parse_args()
    seeds = range(VALIDATION_SEED, VALIDATION_SEED + arguments.validation)
    write_shards(arguments.output / "val", seeds, arguments.sensor, arguments.threads)
    variants = arguments.variants.split(",")
    for variant in variants:
        folder = arguments.output / variant
        folder.mkdir(exist_ok=True)
        settings, text = folder / "training.yaml", yaml.safe_dump(configuration(arguments))
        if settings.exists() and settings.read_text() != text:
            print(f"{settings}: other settings than now; choose another --output", file=sys.stderr)
            return 2
        settings.write_text(text)
        run_variant(variant, folder, settings, arguments)
    for dataset in ("simulated", "kitti")[: 1 + bool(arguments.kitti)]:
        print_table(dataset, arguments.output, variants)
    return 0


def configuration(arguments: argparse.Namespace) -> dict[str, Any]:
    """The detector's own training file, shortened."""
    config = dict(load_yaml(default_config(MODEL)))
    config |= {"batch_size": arguments.batch, "crop_m": arguments.crop_m}
    # What costs time and does not bear on boxes: most of the occupancy's loss, and validation.
    config |= {"occupancy_crop": 16, "validation_scans": 4}
    steps = arguments.steps
    config["fit"] = {
        **config["fit"],
        "steps": steps,
        "learning_rate": arguments.learning_rate,
        "ema_decay": 0.97,
        "validate_every": steps,
        "checkpoint_every": 50,
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
    for dataset, root in (("simulated", folder), ("kitti", arguments.kitti)):
        report = folder / f"{dataset}.json"
        if root and not report.exists():
            engine = EngineOptions(threads=arguments.threads)
            request = Request(str(model), dataset, root, engine=engine)
            evaluate(request, lambda done, total: None)[0].write(report)


def print_table(dataset: str, output: Path, variants: list[str]) -> None:
    """Markdown: a line a variant, percent and the 90 % interval over frames."""
    reports = {v: json.loads((output / v / f"{dataset}.json").read_text()) for v in variants}
    print(f"\n{dataset}, {reports[variants[0]]['frames']} frames\n")
    print(f"| streets | {' | '.join(METRICS)} |\n|---|{'---|' * len(METRICS)}")
    for variant, report in reports.items():
        cells = []
        for name in METRICS:
            low, high = report["interval_90"][name]
            cells.append(f"{report['metrics'][name]:.1f} ({low:.0f}-{high:.0f})")
        label = variant if variant == EVERYTHING else f"without {variant}"
        print(f"| {label} | {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())
