"""A stage: core types in, core types out, no bytes, no ROS, no host."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from spatial_perception.stages.port import Port

TIME_JUMP_NS = 1_000_000_000
"""Stamps further back than this are of a time that begins anew."""

Outputs = Iterable[tuple[str, Any]]


class Branch(Enum):
    """Which worker of a live host runs a stage."""

    CAMERA = "camera"
    LIDAR = "lidar"


class DropCause(str, Enum):
    """Why an input was not used."""

    LOST = "lost"  # the network lost it, taken best effort
    SUPERSEDED = "superseded"  # a newer sensor message came first
    STALE = "stale"  # older than what was processed already
    DECODE = "decode"  # the bytes do not hold what the type promises
    TRANSFORM = "transform"  # no transform in time
    ENGINE = "engine"  # the model is not ready or failed
    EXPIRED = "expired"  # its partner did not come in time


class Readiness(str, Enum):
    """Whether a host lets a stage take sensor data and results; state reaches it always."""

    INACTIVE = "inactive"  # switched off: inputs pass it by
    LOADING = "loading"  # inputs are counted under `engine`
    FAILED = "failed"  # the engine could not be loaded; counted alike
    READY = "ready"


class Stage(ABC):
    """A pipeline with ports.

    Stages depend on header stamps only, never on arrival time, and own no threads.

    Attributes:
        drops: inputs that were not used, by cause.
        last_error: what went wrong last, for `/diagnostics`.
        pending_errors: what the host has still to be told.
        is_wanted: whether somebody takes an output; set by the graph.
        is_fed: whether a stage of this graph that is ready makes an input; set by the graph.
        is_lossless: whether the host brings every message, however late; set by the host.
        readiness: whether the host lets inputs in.
    """

    name: str
    branch: Branch
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def __init__(self) -> None:
        self.drops: Counter[DropCause] = Counter()
        self.last_error = ""
        self.pending_errors: list[tuple[DropCause, str]] = []
        self.is_wanted: Callable[[str], bool] = lambda port: True
        self.is_fed: Callable[[str], bool] = lambda port: False
        self.is_lossless = False
        self.readiness = Readiness.READY

    @abstractmethod
    def push(self, port: str, value: Any) -> Outputs:
        """Returns what one input value leads to, as (output port, value) pairs.

        Raises:
            PerceptionError: the value cannot be used; the host counts a drop.
        """

    def check(self) -> None:  # noqa: B027 - stages without a model have nothing to check
        """Raises now what would go wrong at the first input; compiles nothing.

        Raises:
            PerceptionError: a model is missing, damaged or does not fit.
        """

    def load(self) -> None:  # noqa: B027 - most stages without a model have nothing to load
        """Loads and warms what `push` needs; takes seconds, so hosts call it in a worker.

        Raises:
            PerceptionError: the model or its engine cannot be had.
        """

    def flush(self) -> Outputs:
        """Returns what still waits, because the input has ended."""
        return ()

    def reset(self) -> None:  # noqa: B027 - stages without memory have nothing to forget
        """Forgets everything: time jumped back, or the host was told to start afresh."""

    def close(self) -> None:  # noqa: B027 - stages without an engine have nothing to free
        """Frees engines."""

    def status(self) -> Mapping[str, str]:
        """Returns values for `/diagnostics`, for example the engine's backend.

        What stands under `degraded` makes the stage's state a warning; `idle` says why inputs lead
        to nothing, which is none then.
        """
        return {}

    def take_steps_ms(self) -> Mapping[str, float]:
        """Returns how long the steps of the last input took, once, for `/diagnostics`."""
        return {}

    def drop(self, cause: DropCause, count: int = 1, error: str = "") -> None:
        """Counts inputs that are not used; an `error` is handed to the host after the push."""
        if count:
            self.drops[cause] += count
        if error:
            self.last_error = error
            self.pending_errors.append((cause, error))
