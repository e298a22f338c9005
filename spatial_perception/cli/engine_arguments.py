"""What the commands about engines have in common: which models, which inputs, which backends."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from spatial_perception.datasets.npz import open_npz
from spatial_perception.errors import EngineError
from spatial_perception.runtime import BACKENDS, ModelSpec, find_model, find_models_dir
from spatial_perception.runtime.backends import get_backend
from spatial_perception.runtime.models import model_names
from spatial_perception.runtime.spec import Precision, Variant
from spatial_perception.runtime.verify import synthetic_sample

PRECISIONS: tuple[str, ...] = get_args(Precision)


def add_model_arguments(parser: argparse.ArgumentParser, backend: str) -> None:
    """Adds models, backend, precision and threads; `backend` is the default."""
    parser.add_argument("models", nargs="*", metavar="MODEL", help="names or folders; default: all")
    parser.add_argument(
        "--backend",
        default=backend,
        choices=("auto", "all", *BACKENDS),
        help=f"auto: the first that works; all: each that works (default {backend})",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="default: the model's own")
    parser.add_argument(
        "--threads", type=thread_count, help="CPU threads; 0, the default: all cores"
    )


def thread_count(text: str) -> int | None:
    """Returns a number of processor threads, None for 0: all cores."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected 0 or more, got '{text}'")
    return int(text) or None


def load_models(names: Sequence[str]) -> list[ModelSpec]:
    """Returns the named models, or all installed ones.

    Raises:
        EngineError: If one is missing or damaged, or none is installed.
        ConfigError: If a model.yaml is damaged.
    """
    chosen = list(names) or model_names()
    if not chosen:
        raise EngineError(
            f"no model in {find_models_dir()}; train and export one, or name a folder"
        )
    return [ModelSpec.load(find_model(name)) for name in chosen]


def chosen_backends(choice: str, spec: ModelSpec, precision: str | None = None) -> list[str]:
    """Returns the backends that `--backend` means; `auto` stays for `create_engine` to resolve.

    `all` are those that work here, have the precision, and can run the model: PyTorch cannot if
    model.yaml names no network.
    """
    if choice != "all":
        return [choice]
    backends = [get_backend(name) for name in BACKENDS if name != "torch" or spec.network]
    return [
        backend.name
        for backend in backends
        if not backend.unavailable()
        and (precision or backend.default_precision(spec.precision)) in backend.precisions
    ]


def engine_name(model: str, file: str) -> str:
    """Returns the model's name for tables, with its file where that is not the usual one."""
    return model if file == "model.onnx" else f"{model}/{file}"


def load_samples(
    path: Path | None, variant: Variant, count: int = 1
) -> list[dict[str, np.ndarray]]:
    """Returns inputs of a variant: those in a file, or `count` synthetic ones.

    Args:
        path: .npz with one array an input, either of the input's shape or with one more axis in
            front, over samples.
        variant: the inputs' shapes.
        count: how many where there is no file.

    Raises:
        DatasetError: If the file cannot be read.
        EngineError: If it lacks an input.
    """
    if path is None:
        rng = np.random.default_rng(0)
        return [synthetic_sample(variant.inputs, rng) for _ in range(count)]
    with open_npz(path, "an npz file with inputs") as file:
        arrays = {name: file[name] for name in file.files}
    for name, spec in variant.inputs.items():
        if name not in arrays:
            raise EngineError(f"{path}: no array '{name}', there are {', '.join(arrays) or 'none'}")
        if not arrays[name].ndim:
            raise EngineError(f"{path}: '{name}' is a single number, expected {spec.shape}")
        if arrays[name].shape == spec.shape:
            arrays[name] = arrays[name][None]
    length = min(len(arrays[name]) for name in variant.inputs)
    return [{name: arrays[name][i] for name in variant.inputs} for i in range(length)]
