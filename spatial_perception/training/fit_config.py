"""Settings of the training loop, one section of every config/training/MODEL.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spatial_perception.config import option

Schedule = Literal["one_cycle", "cosine"]
MemoryFormat = Literal["contiguous", "channels_last", "channels_last_3d"]


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How a network is optimized."""

    steps: int = option(1000, help="optimizer steps", range=(1, 10_000_000))
    max_minutes: float = option(
        0.0,
        help="time budget; the schedule then ends when the steps or the time end. 0: steps alone",
        unit="min",
        range=(0.0, 100_000.0),
    )
    learning_rate: float = option(1e-3, help="peak learning rate of AdamW", range=(0.0, 10.0))
    weight_decay: float = option(
        0.02, help="on weights of two and more dimensions", range=(0.0, 1.0)
    )
    schedule: Schedule = option("one_cycle", help="one_cycle, or linear warm-up then cosine")
    warmup: float = option(0.1, help="share of the run in which the rate rises", range=(0.0, 0.9))
    clip_norm: float = option(
        5.0, help="largest gradient norm; a million leaves gradients alone", range=(1e-6, 1e6)
    )
    ema_decay: float = option(
        0.998, help="decay a step of the averaged weights, which are the result", range=(0.0, 1.0)
    )
    validate_every: int = option(500, help="steps between validations", range=(1, 10_000_000))
    checkpoint_every: int = option(500, help="steps between checkpoints", range=(1, 10_000_000))
    log_every: int = option(20, help="steps between lines of the log", range=(1, 1_000_000))
    seed: int = option(0, help="fixes initial weights, order and augmentation", range=(0, 2**31))
    precision: Literal["auto", "bf16", "fp32"] = option(
        "auto", help="of forward and backward; auto is bf16 where the hardware computes it"
    )
    memory_format: MemoryFormat = option("channels_last", help="layout of weights and activations")
    device: str = option("auto", help="auto, cpu, cuda or cuda:N")
    threads: int = option(0, help="CPU threads of torch; 0 leaves its default", range=(0, 256))
    workers: int = option(0, help="processes that prepare batches", range=(0, 256))
