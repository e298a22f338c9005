"""What a model's training consists of: network, samples, loss, validation, export."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spatial_perception.core.labels import LabelSet
from spatial_perception.networks.registry import SpatialNetwork, build
from spatial_perception.training.checkpoint import take_over
from spatial_perception.training.fit_config import FitConfig

B = TypeVar("B")


@dataclass(frozen=True, slots=True, eq=False)
class ExportPlan:
    """All that model.yaml and the model card say besides files, shapes and metrics.

    Attributes:
        model: Name of the folder in models/.
        shapes: One dict a variant: input name -> static shape.
        decoder: Name of the decoder, with `decoder_arguments`.
        preprocessing: How inputs are made from core types.
        label_set: The classes, in the order of the output's channels.
        training_data: What it was trained on, one entry a source.
        data_licence: Licence of that data; "" where nothing restricts the weights.
        summary: One sentence that says what the model does.
        validation: Name of the data that `Task.validate` measures on.
        validation_samples: How many frames, pictures or crops that are.
        evaluation: Arguments of `spatial-perception evaluate` that measure the exported model.
        input_dtypes: numpy dtypes of inputs that are not float32.
    """

    model: str
    shapes: tuple[dict[str, tuple[int, ...]], ...]
    decoder: str
    label_set: LabelSet
    training_data: tuple[str, ...]
    data_licence: str
    summary: str
    validation: str = ""
    validation_samples: int = 0
    evaluation: str = ""
    decoder_arguments: dict[str, Any] = field(default_factory=dict)
    preprocessing: dict[str, Any] = field(default_factory=dict)
    input_dtypes: dict[str, str] = field(default_factory=dict)


class Task(abc.ABC, Generic[B]):
    """One model's training. The loop owns time, optimization and files; the task owns meaning.

    Args:
        fit: How the loop optimizes.
        initial: Checkpoint or model's weights whose matching part training begins with, or "".
    """

    def __init__(self, fit: FitConfig, initial: str = "") -> None:
        self.fit = fit
        self._initial = initial

    @property
    def initial(self) -> str:
        """Checkpoint or model's weights that training begins with, or ""."""
        return self._initial

    @property
    @abc.abstractmethod
    def network_name(self) -> str:
        """The registered network."""

    @property
    @abc.abstractmethod
    def network_arguments(self) -> dict[str, object]:
        """Its constructor's arguments, as they go into model.yaml."""

    def network(self) -> SpatialNetwork:
        """A fresh network."""
        return build(self.network_name, **self.network_arguments)

    def start(self) -> SpatialNetwork:
        """The network as training begins.

        Raises:
            ConfigError: If the initial weights are missing or none fits.
        """
        network = self.network()
        self.pretrain(network)
        if self._initial:
            take_over(network, Path(self._initial))
        return network

    def pretrain(self, network: SpatialNetwork) -> None:
        """Gives a fresh network published weights, where a task begins with any."""

    def rate_factor(self, parameter: str) -> float:
        """What the learning rate of the named parameter is multiplied with."""
        return 1.0

    @abc.abstractmethod
    def batch(self, step: int) -> B:
        """The samples of one step: a function of `step` and the seed alone.

        That makes a resumed run see what an uninterrupted one sees, whatever the number of workers.
        """

    @abc.abstractmethod
    def loss(self, network: SpatialNetwork, batch: B) -> tuple[Tensor, dict[str, Tensor]]:
        """The scalar to minimize, and its parts for the log (detached, same device)."""

    @abc.abstractmethod
    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        """Metrics on validation data; the first selects the best checkpoint, higher is better.

        Called in inference mode, with the network in eval mode.
        """

    def calibrate(self, network: SpatialNetwork) -> None:
        """Finds on validation data what makes probabilities of scores; `export_plan` gives it.

        Called by export before it validates, in inference mode, with the network in eval mode.
        """

    @abc.abstractmethod
    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        """How the trained network is exported; may calibrate on validation data."""


class EpochOrder:
    """Sample indices of any step of a run that shuffles the data anew in each epoch.

    Args:
        count: Number of samples.
        batch_size: Samples a step; the epoch's last batch is filled from the next epoch.
        seed: With the epoch's number it fixes the order.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        if count < 1 or batch_size < 1:
            raise ValueError(f"expected samples and a batch size, got {count} and {batch_size}")
        self._count, self._batch_size, self._seed = count, batch_size, seed

    def indices(self, step: int) -> NDArray[np.int64]:
        """(batch_size,) indices of step `step`."""
        first = step * self._batch_size
        return np.array(list(self._range(first, first + self._batch_size)), dtype=np.int64)

    def _range(self, first: int, stop: int) -> Iterator[int]:
        while first < stop:
            epoch, offset = divmod(first, self._count)
            taken = min(stop - first, self._count - offset)
            order = np.random.default_rng([self._seed, epoch]).permutation(self._count)
            yield from order[offset : offset + taken]
            first += taken


def step_seed(seed: int, step: int) -> int:
    """The seed of a step's random numbers in torch."""
    return (seed * 1_000_003 + step) % 2**63


def sample_generator(seed: int, step: int, slot: int = 0) -> np.random.Generator:
    """The random source of one sample of one step, independent of all others."""
    return np.random.default_rng([seed, 1 + step, slot])
