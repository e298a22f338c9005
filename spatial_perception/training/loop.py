"""The training loop: one task, one network, one optimizer."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from spatial_perception.errors import ConfigError, DatasetError, PerceptionError
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.runtime.backends.base import one_line
from spatial_perception.runtime.backends.host import cpu_has_bf16
from spatial_perception.training.checkpoint import BEST, LAST, Checkpoint, save_weights
from spatial_perception.training.ema import AveragedNetwork
from spatial_perception.training.fit_config import FitConfig, MemoryFormat
from spatial_perception.training.run_log import RunLog
from spatial_perception.training.schedule import rate_factor
from spatial_perception.training.task import Task, step_seed

B = TypeVar("B")

_FORMATS = {
    "channels_last": (4, torch.channels_last),
    "channels_last_3d": (5, torch.channels_last_3d),
}
"""How many dimensions of a kernel's tensor each layout is for, and torch's name of it."""


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """Where a run ended: its best weights (averaged), their metrics, steps done and time spent."""

    weights: Path
    metrics: dict[str, float]
    steps: int
    seconds: float


def fit(task: Task[Any], out_dir: Path, resume: bool = False, show: bool = True) -> FitResult:
    """Trains `task` as its `fit` section says; `out_dir` gets best.pt, last.pt, log.csv and events.

    Every step's samples and random numbers depend on the seed and the step alone, so that a run
    that was interrupted and resumed ends in the same weights as one that was not (on one machine,
    without a time budget).

    Args:
        task: What to train.
        out_dir: Folder of the run, made where missing.
        resume: Go on from `out_dir`/last.pt where it exists.
        show: Draw a progress bar.

    Raises:
        ConfigError: The device is not there, or the checkpoint is of another network or optimizer.
        DatasetError: The validation data hold nothing to measure.
    """
    with _threads(task.fit.threads), torch.random.fork_rng():
        return _Run(task, out_dir, resume).execute(show)


class _Run(Generic[B]):
    def __init__(self, task: Task[B], out_dir: Path, resume: bool) -> None:
        self._task, self._config, self._folder = task, task.fit, out_dir
        self._device = resolve_device(task.fit.device)
        torch.manual_seed(task.fit.seed)
        network = task.start().to(self._device)
        self._network = _laid_out(network, task.fit.memory_format)
        self._optimizer = _optimizer(self._network, task)
        self._averaged = AveragedNetwork(self._network, self._config.ema_decay)
        self._step, self._seconds, self._best = 0, 0.0, dict[str, float]()
        if resume and (out_dir / LAST).is_file():
            self._restore(out_dir / LAST)

    def execute(self, show: bool) -> FitResult:
        config = self._config
        self._started = time.monotonic() - self._seconds
        with RunLog(self._folder, self._step, config.steps, show) as log:
            for batch in self._batches():
                values = self._train_step(batch)
                self._step += 1
                self._seconds = time.monotonic() - self._started
                ended = self._step >= config.steps or self._progress() >= 1.0
                if self._step % config.log_every == 0 or ended:
                    log.write(self._step, self._seconds, values())
                log.advance(self._step)
                if self._step % config.validate_every == 0 or ended:
                    self._validate(log)
                if self._step % config.checkpoint_every == 0 or ended:
                    self._save()
                if ended:
                    break
        return FitResult(self._folder / BEST, self._best, self._step, self._seconds)

    def _batches(self) -> Iterator[B]:
        stop = self._config.steps if self._progress() < 1.0 else self._step
        steps = _Steps(self._task, self._step, stop)
        for batch in DataLoader(steps, batch_size=None, num_workers=self._config.workers):
            if isinstance(batch, PerceptionError):
                raise batch
            yield batch

    def _progress(self) -> float:
        done = self._step / self._config.steps
        budget_s = 60.0 * self._config.max_minutes
        return max(done, self._seconds / budget_s) if budget_s else done

    def _train_step(self, batch: B) -> Callable[[], dict[str, float]]:
        config = self._config
        torch.manual_seed(step_seed(config.seed, self._step))
        rate = config.learning_rate * rate_factor(self._progress(), config.schedule, config.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["rate_factor"]
        self._network.train()
        with autocast(config, self._device):
            loss, parts = self._task.loss(self._network, to_device(batch, self._device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self._network.parameters(), config.clip_norm)
        if torch.isfinite(norm):
            self._optimizer.step()
            self._averaged.update(self._network, self._step)
        numbers = {"loss": loss.detach(), **parts, "gradient_norm": norm}
        return lambda: {
            **{f"train/{name}": float(value) for name, value in numbers.items()},
            "train/rate": rate,
        }

    def _validate(self, log: RunLog) -> None:
        with torch.inference_mode(), autocast(self._config, self._device):
            metrics = self._task.validate(self._averaged.network, self._device)
        if not metrics:
            raise DatasetError("the validation data hold nothing to measure: no labelled objects")
        log.write(self._step, self._seconds, {f"val/{k}": v for k, v in metrics.items()})
        first = next(iter(metrics))
        log.advance(self._step, f"{first} {metrics[first]:.2f}")
        best = self._best.get(first, math.nan)
        if math.isnan(best) or metrics[first] >= best:
            self._best = metrics
            save_weights(
                self._folder / BEST, self._averaged.network.state_dict(), metrics, self._step
            )

    def _save(self) -> None:
        Checkpoint(
            self._step,
            self._seconds,
            self._network.state_dict(),
            self._averaged.network.state_dict(),
            self._optimizer.state_dict(),
            self._best,
        ).save(self._folder / LAST)

    def _restore(self, path: Path) -> None:
        checkpoint = Checkpoint.load(path)
        asked = [(g["weight_decay"], g["rate_factor"]) for g in self._optimizer.param_groups]
        try:
            self._network.load_state_dict(checkpoint.network)
            self._averaged.network.load_state_dict(checkpoint.averaged)
            self._optimizer.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, ValueError, KeyError) as error:
            raise ConfigError(
                f"{path}: of another network or optimizer than the configuration's:"
                f" {one_line(error)}; go on with the options it began with, or take its weights as"
                " `initial` into another --output"
            ) from error
        for group, (decay, factor) in zip(self._optimizer.param_groups, asked, strict=True):
            group["weight_decay"], group["rate_factor"] = decay, factor
        self._step, self._seconds = checkpoint.step, checkpoint.seconds
        self._best = checkpoint.best


class _Steps(Dataset[B | PerceptionError]):
    """The steps of a run as samples of a data set, for the loader's worker processes.

    An error stands in a batch's place: the loader would hide its message behind a worker's trace.
    """

    def __init__(self, task: Task[B], first: int, stop: int) -> None:
        self._task, self._first, self._stop = task, first, stop

    def __len__(self) -> int:
        return max(0, self._stop - self._first)

    def __getitem__(self, index: int) -> B | PerceptionError:
        if index >= len(self):
            raise IndexError(index)
        try:
            return self._task.batch(self._first + index)
        except PerceptionError as error:
            return error


def resolve_device(name: str) -> torch.device:
    """The device "auto" stands for, or the named one.

    Raises:
        ConfigError: If it is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a torch without CUDA
        raise ConfigError(
            f"fit.device: '{name}' cannot be used ({one_line(error)}); auto, cpu, cuda or cuda:N"
        ) from error


def autocast(config: FitConfig, device: torch.device) -> torch.autocast:
    """The context in which the run computes."""
    enabled = config.precision == "bf16" or (config.precision == "auto" and _has_bf16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8  # older ones emulate it slowly
    return device.type != "cpu" or cpu_has_bf16()


def to_device(value: Any, device: torch.device) -> Any:
    """The same structure with its tensors on `device`."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: to_device(item, device) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(to_device(item, device) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        moved = {f.name: to_device(getattr(value, f.name), device) for f in fields(value)}
        return replace(value, **moved)
    return value


def _laid_out(network: SpatialNetwork, memory_format: MemoryFormat) -> SpatialNetwork:
    """The network with its kernels of as many dimensions as the layout is for in that layout."""
    if memory_format != "contiguous":
        dimensions, layout = _FORMATS[memory_format]
        for value in network.parameters():
            if value.ndim == dimensions:
                value.data = value.data.contiguous(memory_format=layout)
    return network


def _optimizer(network: SpatialNetwork, task: Task[Any]) -> torch.optim.Optimizer:
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        decay = task.fit.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((decay, task.rate_factor(name)), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "weight_decay": decay, "rate_factor": factor}
            for (decay, factor), members in groups.items()
        ],
        lr=task.fit.learning_rate,
        fused=True,
    )


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
