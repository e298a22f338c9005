"""`spatial-perception train`: a model from its configuration file and a data set."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ParamSpec, TypeVar

from rich.console import Console

from spatial_perception.cli.console import make_console
from spatial_perception.cli.json_file import write_json
from spatial_perception.errors import ConfigError
from spatial_perception.runtime.models import find_models_dir, installed_models_dirs

P = ParamSpec("P")
R = TypeVar("R")

MODELS = (
    "camera_detector",
    "camera_segmenter",
    "sign_classifier",
    "light_classifier",
    "lidar_detector",
    "lidar_segmenter",
    "lidar_segmenter_real",
)
_CHECKPOINT = "last.pt"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Trains a model as its configuration file says; an interrupted run goes on"
        " with --resume.",
    )
    parser.add_argument("model", choices=MODELS, help="what to train")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--output", type=Path, help="checkpoints and logs; default out/train/MODEL")
    parser.add_argument("--config", type=Path, help="default config/training/MODEL.yaml")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--max-minutes", type=float, help="time budget instead of the file's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trains; 0 when done.

    Raises:
        PerceptionError: torch, the configuration or the data is missing or does not fit.
    """
    output = arguments.output or Path("out/train") / arguments.model
    config = arguments.config or default_config(arguments.model)
    if (output / _CHECKPOINT).exists() and not arguments.resume:
        raise ConfigError(
            f"{output} holds a training already; --resume goes on with it, --output starts another"
        )
    train = import_training("train")
    result = train(
        arguments.model,
        config,
        arguments.data,
        output,
        resume=arguments.resume,
        max_minutes=arguments.max_minutes,
    )
    console = make_console()
    print_metrics(console, result.metrics)
    console.print(f"weights in {result.weights}: export them with")
    console.print(
        f"  spatial-perception export {arguments.model} --checkpoint {result.weights}"
        f" --data {arguments.data}",
        soft_wrap=True,
    )
    if arguments.json:
        content = {
            "model": arguments.model,
            "metrics": result.metrics,
            "weights": str(result.weights),
            "steps": result.steps,
            "seconds": round(result.seconds, 1),
        }
        write_json(arguments.json, content)
    return 0


def print_metrics(console: Console, metrics: Mapping[str, float]) -> None:
    """Prints a line for each metric."""
    for name, value in metrics.items():
        console.print(f"{name:30s} {value:8.3f}")


def default_config(model: str) -> Path:
    """Returns the model's training configuration that is installed beside the models.

    Where `$SPATIAL_PERCEPTION_MODELS` names a folder that has none beside it, that of the package.
    """
    folders = (find_models_dir(), *installed_models_dirs())
    paths = [folder.parent / "config" / "training" / f"{model}.yaml" for folder in folders]
    return next((path for path in paths if path.is_file()), paths[0])


def import_training(name: str):  # type: ignore[no-untyped-def]
    """Returns a function of `training.tasks`; torch is not part of a vehicle's install.

    Raises:
        ConfigError: torch is not installed; what is returned raises it of other libraries.
    """

    @_needing_libraries
    def imported():  # type: ignore[no-untyped-def]
        from spatial_perception.training import tasks

        return getattr(tasks, name)

    return _needing_libraries(imported())


def _needing_libraries(function: Callable[P, R]) -> Callable[P, R]:
    def call(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return function(*arguments, **options)
        except ImportError as error:
            raise ConfigError(
                f"training needs {error.name}: pip install 'spatial_perception[training]'"
            ) from error

    return call
