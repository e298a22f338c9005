"""`spatial-perception simulate`: a drive as a bag with ground truth, or training data."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, fields
from pathlib import Path

from spatial_perception.cli.console import make_console
from spatial_perception.cli.progress import progress_bar
from spatial_perception.cli.simulate_pictures import write_pictures
from spatial_perception.config import from_mapping
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.drive import DriveConfig
from spatial_perception.simulation.drive_bag import simulate_drive
from spatial_perception.simulation.features import SceneFeatures
from spatial_perception.simulation.lidar_models import LIDAR_MODELS
from spatial_perception.simulation.shards import write_shards

_DRIVE, _SHARDS, _PICTURES = "a drive", "shards", "pictures"
_SERVES: dict[str, tuple[object, tuple[str, ...]]] = {
    "seconds": (6.0, (_DRIVE,)),
    "backend": ("auto", (_DRIVE,)),
    "no_camera": (False, (_DRIVE,)),
    "motion_distortion": (False, (_DRIVE,)),
    "sensor": ("hdl64", (_DRIVE, _SHARDS)),
    "without": ("", (_DRIVE, _SHARDS)),
    "count": (100, (_SHARDS, _PICTURES)),
    "workers": (os.cpu_count() or 1, (_SHARDS, _PICTURES)),
}
"""Default of each option, and what it serves."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "simulate",
        help="a simulated drive as a bag, or labelled scans or pictures for training",
        description="Writes a drive through a simulated street as a rosbag2 bag with ground truth;"
        " with --shards labelled scans for training instead, with --pictures labelled pictures."
        " The same seed gives the same data.",
    )
    parser.add_argument("output", type=Path, help="bag to write, or folder of training data")
    parser.add_argument("--seconds", type=float, help="length of the drive")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument(
        "--sensor", help=f"LiDAR: {', '.join(LIDAR_MODELS)}, or a YAML file with your own"
    )
    parser.add_argument("--backend", help="ray caster of a drive: auto, open3d or torch")
    parser.add_argument(
        "--no-camera", action="store_true", help="a drive without pictures, in half the time"
    )
    parser.add_argument(
        "--motion-distortion",
        action="store_true",
        help="measure each point of a drive from where the sensor was at that moment",
    )
    parser.add_argument(
        "--without",
        metavar="FEATURES",
        help="leave parts of the scene out, to measure their worth:"
        f" {', '.join(f.name for f in fields(SceneFeatures))}; several with commas",
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--shards", action="store_true", help="write labelled scans")
    data.add_argument("--pictures", action="store_true", help="write labelled pictures")
    parser.add_argument("--count", type=int, help="number of scans or pictures")
    parser.add_argument("--workers", type=int, help="processes that make them")
    parser.set_defaults(run=run, **{name: default for name, (default, _) in _SERVES.items()})


def run(arguments: argparse.Namespace) -> int:
    """Simulates; 0 when done.

    Raises:
        PerceptionError: a bad argument, or the output exists or cannot be written.
    """
    _check_options(arguments)
    console = make_console()
    features = SceneFeatures.without(name for name in arguments.without.split(",") if name)
    for name, least in (("count", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            value = getattr(arguments, name)
            raise ConfigError(f"--{name} {value}: expected {least} or more")
    seeds = range(arguments.seed, arguments.seed + arguments.count)
    if arguments.pictures:
        with progress_bar(console, "simulate pictures") as show:
            write_pictures(
                arguments.output, seeds, arguments.workers, lambda done: show(done, len(seeds))
            )
        console.print(f"{len(seeds)} pictures in {arguments.output}", highlight=False)
        return 0
    if arguments.shards:
        with progress_bar(console, "simulate shards") as show:
            write_shards(
                arguments.output,
                seeds,
                arguments.sensor,
                arguments.workers,
                lambda done: show(done, len(seeds)),
                features,
            )
        console.print(f"{len(seeds)} shards in {arguments.output}")
        return 0
    options = {
        "seconds": arguments.seconds,
        "seed": arguments.seed,
        "sensor": arguments.sensor,
        "backend": arguments.backend,
        "motion_distortion": arguments.motion_distortion,
        "with_camera": not arguments.no_camera,
        "features": asdict(features),
    }
    config = from_mapping(DriveConfig, options, "drive")
    with progress_bar(console, "simulate drive") as show:
        simulate_drive(arguments.output, config=config, progress=show)
    console.print(f"drive written to {arguments.output}", soft_wrap=True)
    return 0


def _check_options(arguments: argparse.Namespace) -> None:
    """Refuses options that say nothing of what is to be simulated."""
    wanted = _SHARDS if arguments.shards else _PICTURES if arguments.pictures else _DRIVE
    for name, (default, served) in _SERVES.items():
        if wanted not in served and getattr(arguments, name) != default:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option} is for {' and '.join(served)}, not for {wanted}")
