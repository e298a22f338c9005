"""`spatial-perception import`: a network of others into a model's folder."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from spatial_perception.cli.console import make_console
from spatial_perception.cli.import_arguments import (
    PREPROCESSING,
    add_import_arguments,
    class_names,
    layers,
    numbers,
    preprocessing,
    sizes_hw,
)
from spatial_perception.errors import ConfigError
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from spatial_perception.pipelines.model import ModelPipeline
from spatial_perception.runtime.models import find_models_dir
from spatial_perception.runtime.onnx_source import read_onnx
from spatial_perception.runtime.spec import MODEL_FILE, ClassSpec, ModelSpec, Variant, file_sha256

_TORCHVISION = "torchvision:"
_STAGES: dict[str, tuple[str, Callable[[str], ModelPipeline]]] = {
    "yolox": ("camera_detector", lambda m: CameraDetector(CameraDetectorConfig(m))),
    "boxes": ("camera_detector", lambda m: CameraDetector(CameraDetectorConfig(m))),
    "class_map": ("camera_segmenter", lambda m: CameraSegmenter(CameraSegmenterConfig(m))),
    "classification": ("sign_classifier", lambda m: CropClassifier(CropClassifierConfig(m))),
}
"""By decoder: the stage that takes the model, and the pipeline it is tried in."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "import",
        help="a network of others into a model's folder",
        description="Writes a folder with model.yaml from an ONNX file or from a detection or"
        " segmentation model of torchvision, and tries it. See docs/bring_your_own_model.md.",
    )
    parser.add_argument("source", help="FILE.onnx, or torchvision:NAME")
    parser.add_argument("--name", help="of the model; default: that of the file or network")
    parser.add_argument("--output", type=Path, help="folder of the models; default: the installed")
    parser.add_argument("--overwrite", action="store_true", help="replace a model of that name")
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="torchvision: a state dict (.pt, .pth, .safetensors); default: torchvision's own",
    )
    add_import_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Imports, tries the model once and says how to use it; 0 when done.

    Raises:
        PerceptionError: the network cannot be read or exported, or does not fit its description.
    """
    console = make_console()
    is_torchvision = arguments.source.startswith(_TORCHVISION)
    source = arguments.source.removeprefix(_TORCHVISION)
    name = arguments.name or (source if is_torchvision else Path(source).stem)
    if Path(name).name != name:
        raise ConfigError(f"--name {name}: expected the name of a folder, not a path; see --output")
    target = (arguments.output or find_models_dir()) / name
    if target.exists() and not (arguments.overwrite and (target / MODEL_FILE).is_file()):
        raise ConfigError(f"{target} exists; choose another --name, or --overwrite a model")
    part = target.with_name(f".{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        with console.status(f"importing {arguments.source}"):
            if is_torchvision:
                spec = _from_torchvision(arguments, source, name, part)
            else:
                spec = _from_onnx(arguments, Path(source), name, part)
            spec.save(part)
            stage, make = _STAGES[spec.decoder]
            _try(make(str(part)))
        _put(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    console.print(f"model written to {target}", soft_wrap=True)
    # by its name where the stages look, else by its folder
    shown = name if arguments.output is None else target.resolve()
    console.print(f"use it: {stage}: {{ros__parameters: {{model: {shown}}}}}", soft_wrap=True)
    return 0


def _put(part: Path, target: Path) -> None:
    """Renames a folder to `target`; a model that is there goes once the new one is in its place."""
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    try:
        part.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _try(pipeline: ModelPipeline) -> None:
    try:
        pipeline.load()
    finally:
        pipeline.close()


def _from_torchvision(
    arguments: argparse.Namespace, network: str, name: str, folder: Path
) -> ModelSpec:
    given = [*PREPROCESSING, "decoder", "strides"]
    for option in (o for o in given if getattr(arguments, o) is not None):
        raise ConfigError(f"--{option} is for ONNX files; torchvision's networks know it")
    try:
        from spatial_perception.training.torchvision_export import (
            TorchvisionRequest,
            export_torchvision,
        )
    except ImportError as error:
        raise ConfigError(
            f"torchvision:{network} needs {error.name}: pip install 'spatial_perception[training]'"
        ) from error
    classes = class_names(arguments.classes)
    request = TorchvisionRequest(network, arguments.weights, classes, sizes_hw(arguments.size))
    return _described(export_torchvision(request, name, folder), arguments)


def _from_onnx(arguments: argparse.Namespace, source: Path, name: str, folder: Path) -> ModelSpec:
    if arguments.decoder is None:
        raise ConfigError(f"{source}: give --decoder, {', '.join(_STAGES)}")
    if arguments.weights is not None:
        raise ConfigError("--weights is for torchvision's networks; an ONNX file has its own")
    sizes = sizes_hw(arguments.size)
    if len(sizes) > 1:
        raise ConfigError("--size: an ONNX file has one size, give it once")
    decoder_arguments: dict[str, Any] = {}
    names = class_names(arguments.classes)
    if arguments.layer:
        decoder_arguments["layers"] = layers(arguments.layer)
        listed = [n for layer in decoder_arguments["layers"] for n in layer["classes"]]
        names = names or tuple(dict.fromkeys(n for n in listed if n != "unlabeled"))
    if arguments.strides:
        strides = numbers("strides", arguments.strides)
        decoder_arguments["strides"] = [int(n) if n.is_integer() else n for n in strides]
    if not names:
        raise ConfigError("give --classes: a,b,c, a file with a name a line, or coco")
    graph = read_onnx(source, sizes[0] if sizes else None)
    takes_one = arguments.decoder in ("class_map", "classification") and not arguments.layer
    if takes_one and len(graph.outputs) == 1:
        decoder_arguments["output"] = next(iter(graph.outputs))
    (folder / "model.onnx").write_bytes(graph.data)
    spec = ModelSpec(
        name=name,
        decoder=arguments.decoder,
        variants=(Variant("model.onnx", graph.inputs, graph.outputs),),
        classes=tuple(ClassSpec(n) for n in names),
        decoder_arguments=decoder_arguments,
        preprocessing=preprocessing(arguments),
        files={"model.onnx": file_sha256(folder / "model.onnx")},
        training_data="not stated",
    )
    return _described(spec, arguments)


def _described(spec: ModelSpec, arguments: argparse.Namespace) -> ModelSpec:
    """The model with what the command line says of it."""
    if arguments.licence != "not stated" or not arguments.source.startswith(_TORCHVISION):
        spec = replace(spec, licence=arguments.licence)
    return replace(
        spec,
        precision=arguments.precision,
        description=arguments.description or spec.description,
    )
