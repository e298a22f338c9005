"""Texts of the command line of `import` as values: classes, sizes, layers, numbers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spatial_perception.datasets.coco import COCO_CLASSES
from spatial_perception.errors import ConfigError

PREPROCESSING = ("color", "range", "mean", "std", "fit", "align", "fill")


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what describes a network: its classes, its decoder and how pictures go into it."""
    add = parser.add_argument
    add("--classes", default="", metavar="LIST", help="a,b,c, a file with a name a line, or coco")
    add(
        "--size",
        action="append",
        default=[],
        metavar="HxW",
        help="height and width of the input, where the network leaves it open; torchvision: once"
        " for each file",
    )
    add("--decoder", choices=("yolox", "boxes", "class_map", "classification"), help="ONNX only")
    add(
        "--layer",
        action="append",
        default=[],
        metavar="OUTPUT=LIST",
        help="class_map: an output and the class of each of its channels, 'unlabeled' for"
        " background; later ones are painted over earlier ones",
    )
    add("--strides", metavar="A,B,C", help="yolox: cell sizes in pixels (default 8,16,32)")
    add("--color", choices=("rgb", "bgr"), help="order of the channels (default rgb)")
    add("--range", type=float, help="value of white (default 255)")
    add("--mean", metavar="A,B,C", help="subtracted from each channel, in units of --range")
    add("--std", metavar="A,B,C", help="divides each channel after that")
    add("--fit", choices=("letterbox", "stretch"), help="how pictures of other proportions fit")
    add("--align", choices=("center", "corner"), help="where the picture lies in the letterbox")
    add("--fill", type=int, help="value of the letterbox's border (default 114)")
    add("--precision", default="fp32", choices=("fp32", "fp16", "bf16", "int8"), help="of engines")
    add("--licence", default="not stated", help="of the weights")
    add("--description", default="", help="one line")


def class_names(text: str) -> tuple[str, ...]:
    """Returns the names of `coco`, of a file with a name a line, or of a list with commas.

    Raises:
        ConfigError: the file cannot be read.
    """
    if text == "coco":
        return COCO_CLASSES
    if "," not in text and Path(text).is_file():
        try:
            lines = Path(text).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{text}: cannot be read as a list of classes ({error})") from error
        return tuple(line.strip() for line in lines if line.strip())
    return tuple(name.strip() for name in text.split(",") if name.strip())


def sizes_hw(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Returns height and width of each `HxW`.

    Raises:
        ConfigError: one is no such text.
    """
    sizes = []
    for text in texts:
        height, _, width = text.partition("x")
        if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
            raise ConfigError(f"--size: expected HEIGHTxWIDTH as in 384x512, got '{text}'")
        sizes.append((int(height), int(width)))
    return tuple(sizes)


def layers(texts: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the layers of the decoder class_map of each `OUTPUT=a,b`.

    Raises:
        ConfigError: one is no such text.
    """
    found = []
    for text in texts:
        output, _, names = text.partition("=")
        if not output or not names:
            raise ConfigError(f"--layer: expected OUTPUT=class,class, got '{text}'")
        found.append({"output": output, "classes": list(class_names(names))})
    return found


def numbers(option: str, text: str) -> list[float]:
    """Returns the numbers of a list with commas.

    Raises:
        ConfigError: one is none.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--{option}: expected numbers with commas, got '{text}'") from None


def preprocessing(arguments: argparse.Namespace) -> dict[str, Any]:
    """Returns the options of pre-processing that were given, as model.yaml holds them."""
    given = {name: getattr(arguments, name) for name in PREPROCESSING}
    return {
        name: numbers(name, value) if name in ("mean", "std") else value
        for name, value in given.items()
        if value is not None
    }
