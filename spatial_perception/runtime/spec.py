"""What a model is: `models/NAME/model.yaml` as a frozen dataclass."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from spatial_perception.config import from_mapping, load_yaml, option
from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.errors import ConfigError, EngineError

MODEL_FILE = "model.yaml"
WEIGHTS_FILE = "weights.safetensors"

Precision = Literal["fp32", "fp16", "bf16", "int8"]

_ALIKE = 0.15
"""Logarithm of two proportions' ratio below which one picture fits both."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Static shape and numpy dtype of one input or output."""

    shape: tuple[int, ...] = option(help="static shape")
    dtype: str = option("float32", help="numpy dtype")


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Architecture in `networks.registry`, for the torch backend and for training."""

    name: str = option(help="registered name")
    arguments: dict[str, Any] = option(default_factory=dict, help="keyword arguments")


@dataclass(frozen=True, slots=True)
class Variant:
    """One exported ONNX file with its static shapes."""

    file: str = option(help="file name beside model.yaml")
    inputs: dict[str, TensorSpec] = option(help="inputs by name")
    outputs: dict[str, TensorSpec] = option(help="outputs by name")

    def __post_init__(self) -> None:
        for kind, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not tensors:
                raise ConfigError(f"'{kind}' is empty")
            for name, tensor in tensors.items():
                if min(tensor.shape, default=1) < 1:
                    raise ConfigError(
                        f"{kind}: '{name}': expected a static shape, sizes from 1 on,"
                        f" got {list(tensor.shape)}"
                    )

    @property
    def picture_hw(self) -> tuple[int, int]:
        """Height and width of the first four-dimensional input; 1 and 1 where there is none."""
        for tensor in self.inputs.values():
            if len(tensor.shape) == 4:
                return tensor.shape[2], tensor.shape[3]
        return 1, 1

    @property
    def aspect_ratio(self) -> float:
        """Width over height of the picture."""
        height, width = self.picture_hw
        return width / height


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """A class name and its RGB colour."""

    name: str = option(help="readable name")
    color: tuple[int, int, int] | None = option(None, help="RGB", range=(0, 255))


@dataclass(frozen=True, slots=True)
class MetricRecord:
    """Metrics of one measurement and everything needed to repeat it."""

    dataset: str = option(help="data set and split")
    frames: int = option(help="number of frames, pictures or crops")
    values: dict[str, float] = option(help="metric name to value, percent")
    command: str = option("", help="command that measures it")
    machine: str = option("", help="machine it was measured on")
    interval_90: dict[str, tuple[float, float]] = option(
        default_factory=dict, help="metric name to bootstrap interval over frames, low and high"
    )


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything about a model but its numbers."""

    name: str = option(help="model name")
    decoder: str = option(help="how outputs become core types")
    variants: tuple[Variant, ...] = option(help="exported files, one a shape")
    classes: tuple[ClassSpec, ...] = option(help="classes in output order")
    description: str = option("", help="one line")
    network: NetworkSpec | None = option(None, help="architecture; none for foreign ONNX files")
    decoder_arguments: dict[str, Any] = option(default_factory=dict, help="options of the decoder")
    preprocessing: dict[str, Any] = option(default_factory=dict, help="options of pre-processing")
    precision: Precision = option("bf16", help="default precision of engines")
    files: dict[str, str] = option(default_factory=dict, help="sha256 of each file")
    metrics: tuple[MetricRecord, ...] = option((), help="measured metrics")
    training_data: str = option("", help="what the weights were trained on")
    licence: str = option("Apache-2.0", help="licence of code and weights")
    data_licence: str = option("", help="restriction that the training data impose, if any")
    folder: Path = option(Path("."), help="set when loaded")

    def __post_init__(self) -> None:
        if not self.variants:
            raise ConfigError("'variants' is empty: at least one ONNX file is needed")
        if not self.classes:
            raise ConfigError("'classes' is empty")
        if len(self.classes) > UNLABELED:
            raise ConfigError(f"'classes': at most {UNLABELED}, got {len(self.classes)}")
        names = [c.name for c in self.classes]
        if len(set(names)) != len(names):
            raise ConfigError(f"class names must be unique, got {', '.join(names)}")

    @classmethod
    def load(cls, folder: str | Path, check_files: bool = True) -> ModelSpec:
        """Returns the model in `folder`.

        Raises:
            EngineError: no such folder or model.yaml, a file listed there is missing, or its
                sha256 differs.
            ConfigError: model.yaml is damaged.
        """
        folder = Path(folder)
        path = folder / MODEL_FILE
        if not path.is_file():
            raise EngineError(f"{path}: no such model file")
        mapping = load_yaml(path)
        mapping.pop("folder", None)
        spec = dataclasses.replace(from_mapping(cls, mapping, str(path)), folder=folder)
        if check_files:
            spec.check_files()
        return spec

    def check_files(self) -> None:
        """Raises `EngineError` unless every listed file is there with its sha256."""
        for name in [*self.files, *(v.file for v in self.variants if v.file not in self.files)]:
            path = self.folder / name
            if not path.is_file():
                raise EngineError(f"{path}: missing; model.yaml of '{self.name}' lists it")
            expected = self.files.get(name)
            if expected is not None and (found := file_sha256(path)) != expected:
                raise EngineError(
                    f"{path}: sha256 is {found[:12]}..., model.yaml says {expected[:12]}...;"
                    " the file is damaged or belongs to another version: fetch or export it again"
                )

    def save(self, folder: str | Path) -> None:
        """Writes model.yaml into `folder`."""
        mapping = _plain(dataclasses.asdict(self))
        mapping.pop("folder")
        text = yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True, width=100)
        (Path(folder) / MODEL_FILE).write_text(text, encoding="utf-8")

    @property
    def label_set(self) -> LabelSet:
        """The classes as a `LabelSet`; colours from the default palette where none are given."""
        names = tuple(c.name for c in self.classes)
        colors = LabelSet(names).colors.copy()
        for row, spec in enumerate(self.classes):
            if spec.color is not None:
                colors[row] = spec.color
        return LabelSet(names, colors.astype(np.uint8))

    def choices(self, largest_px: int = 0) -> tuple[int, ...]:
        """Returns the indices of the variants that serve, one of each proportions.

        Args:
            largest_px: of variants of like proportions the largest of at most so many pixels
                serves, or the smallest where none is; 0 for the largest of all.
        """
        families: list[list[int]] = []
        pixels = [math.prod(variant.picture_hw) for variant in self.variants]
        for index in sorted(range(len(pixels)), key=lambda i: -pixels[i]):
            alike = (f for f in families if self._unlikeness(f[0], index) < _ALIKE)
            family = next(alike, None)
            if family is None:
                families.append([index])
            else:
                family.append(index)
        limit = largest_px or max(pixels)
        return tuple(sorted(next((i for i in f if pixels[i] <= limit), f[-1]) for f in families))

    def variant_for(self, aspect_ratio: float, largest_px: int = 0) -> int:
        """Returns the index of the variant of `choices` whose shape fits width / height best."""
        return min(
            self.choices(largest_px),
            key=lambda i: abs(math.log(self.variants[i].aspect_ratio / aspect_ratio)),
        )

    def _unlikeness(self, one: int, other: int) -> float:
        ratio = self.variants[one].aspect_ratio / self.variants[other].aspect_ratio
        return abs(math.log(ratio))

    def onnx_path(self, variant: int = 0) -> Path:
        """Returns the ONNX file of a variant."""
        return self.folder / self.variants[variant].file


def file_sha256(path: str | Path) -> str:
    """Returns the sha256 of a file in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
