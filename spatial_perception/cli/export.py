"""`spatial-perception export`: a trained checkpoint into a model's folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from spatial_perception.cli.console import make_console
from spatial_perception.cli.json_file import write_json
from spatial_perception.cli.train import MODELS, default_config, import_training, print_metrics
from spatial_perception.runtime.models import find_models_dir
from spatial_perception.runtime.spec import ModelSpec


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write a model's folder from a checkpoint",
        description="Writes weights, ONNX files, model.yaml and model card; measures the model on"
        " the validation part of the data and checks each ONNX file against the network.",
    )
    parser.add_argument("model", choices=MODELS, help="what was trained")
    parser.add_argument("--checkpoint", type=Path, help="default out/train/MODEL/best.pt")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--config", type=Path, help="default config/training/MODEL.yaml")
    parser.add_argument("--output", type=Path, help="folder of the models; default: the installed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the metrics there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exports, prints and writes what was measured; 0 when done.

    Raises:
        PerceptionError: torch, the checkpoint or the data is missing or does not fit.
    """
    export_model = import_training("export_model")
    checkpoint = arguments.checkpoint or Path("out/train") / arguments.model / "best.pt"
    config = arguments.config or default_config(arguments.model)
    console = make_console()
    with console.status(f"exporting {arguments.model}"):
        folder = export_model(
            arguments.model,
            config,
            arguments.data,
            checkpoint,
            arguments.output or find_models_dir(),
        )
    spec = ModelSpec.load(folder, check_files=False)
    (record,) = spec.metrics  # export measures once
    print_metrics(console, record.values)
    console.print(f"model written to {folder}", soft_wrap=True)
    if arguments.json:
        content = {
            "model": spec.name,
            "dataset": record.dataset,
            "frames": record.frames,
            "metrics": record.values,
            "folder": str(folder),
            "files": spec.files,
        }
        write_json(arguments.json, content)
    return 0
