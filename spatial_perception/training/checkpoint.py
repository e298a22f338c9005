"""Checkpoints: everything a run needs to go on as if it had never stopped."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spatial_perception.errors import ConfigError
from spatial_perception.runtime.backends.base import one_line

LAST, BEST = "last.pt", "best.pt"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state after `step` steps.

    Attributes:
        step: Steps done.
        seconds: Time spent in them.
        network: State of the trained weights.
        averaged: State of their moving average.
        optimizer: State of the optimizer.
        best: Metrics of the best validation so far, empty before the first.
    """

    step: int
    seconds: float
    network: dict[str, Any]
    averaged: dict[str, Any]
    optimizer: dict[str, Any]
    best: dict[str, float]

    def save(self, path: Path) -> None:
        """Writes the file; a reader sees the old or the new one, never half of one."""
        _save(asdict(self), path)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Reads what `save` wrote.

        Raises:
            ConfigError: If the file is missing or holds something else.
        """
        content = _load(path)
        if content.keys() != {f.name for f in fields(cls)}:
            raise ConfigError(f"{path}: not the checkpoint of a run; best.pt holds weights alone")
        return cls(**content)


def save_weights(path: Path, state: dict[str, Any], metrics: dict[str, float], step: int) -> None:
    """Writes averaged weights and the metrics they reached."""
    _save({"weights": state, "metrics": metrics, "step": step}, path)


def load_weights(path: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """State dict and metrics of a file of `save_weights`, or the averaged weights of a checkpoint.

    Raises:
        ConfigError: If the file is missing or holds something else.
    """
    content = _load(path)
    if "weights" in content:
        return content["weights"], content["metrics"]
    if "averaged" in content:
        return content["averaged"], content["best"]
    raise ConfigError(f"{path}: not a checkpoint of this package")


def take_over(network: nn.Module, path: Path) -> None:
    """Gives a network the weights of a file whose names and shapes are its own; the rest stays.

    Args:
        network: What takes them.
        path: A checkpoint, or the weights.safetensors of a model.

    Raises:
        ConfigError: If the file is missing or unreadable, or nothing in it fits the network.
    """
    weights = _stored(path) if path.suffix == ".safetensors" else load_weights(path)[0]
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise ConfigError(f"{path}: holds no weights of this network")
    network.load_state_dict(fitting, strict=False)


def _stored(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{path}: not readable weights ({error})") from error


def _save(content: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    os.replace(partial, path)


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such checkpoint, train the model first")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ConfigError(f"{path}: not a readable checkpoint ({one_line(error)})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: not a checkpoint of this package")
    return content
