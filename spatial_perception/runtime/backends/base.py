"""What every inference backend promises."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spatial_perception.errors import EngineError
from spatial_perception.runtime.spec import ModelSpec, Precision, TensorSpec, Variant

Arrays = Mapping[str, np.ndarray]
TensorSpecs = Mapping[str, TensorSpec]


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One network to build or to run: which graph, in which precision, on how many threads."""

    spec: ModelSpec
    variant: Variant
    graph: bytes
    """The ONNX graph; already converted where the precision is a property of the graph."""
    precision: Precision
    threads: int | None = None
    """CPU threads; None leaves the choice to the library."""

    @property
    def label(self) -> str:
        """Model and file, for messages."""
        return f"{self.spec.name}/{self.variant.file}"


class BackendUnavailableError(EngineError):
    """A backend is not installed, or has no device here."""


class DeviceError(EngineError):
    """The device failed, not the engine: it has too little memory, say."""


class Session(abc.ABC):
    """A loaded network, ready to run. Not for several threads at once: `Engine` serializes."""

    @property
    @abc.abstractmethod
    def inputs(self) -> TensorSpecs:
        """Inputs that the loaded network declares."""

    @property
    @abc.abstractmethod
    def outputs(self) -> TensorSpecs:
        """Outputs that the loaded network declares."""

    @abc.abstractmethod
    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Returns fresh output arrays for checked, contiguous inputs."""

    @abc.abstractmethod
    def close(self) -> None:
        """Frees what the session holds; called once."""


class Backend(abc.ABC):
    """A library that runs networks. Imports of that library happen inside the methods."""

    name: ClassVar[str]
    install_hint: ClassVar[str]
    """How to get it, one line."""
    precisions: ClassVar[tuple[Precision, ...]]
    cached: ClassVar[bool]
    """Whether `build` makes something worth keeping."""
    graph_precisions: ClassVar[tuple[Precision, ...]] = ("fp16", "int8")
    """Precisions that the ONNX graph itself carries, so that it is converted first."""
    signed_int8: ClassVar[bool] = False
    """Whether 8-bit tensors have to be symmetric around zero."""

    @abc.abstractmethod
    def unavailable(self) -> str:
        """Returns why the backend cannot run here and what to do, or '' when it can."""

    @abc.abstractmethod
    def version(self) -> str:
        """Returns the library's version."""

    @abc.abstractmethod
    def device(self) -> str:
        """Returns the name of the device that engines run on."""

    @abc.abstractmethod
    def half_precision(self) -> Precision:
        """Returns the reduced precision that pays here, or fp32 where none does."""

    def build(self, job: Job) -> bytes:
        """Returns the compiled engine; only for cached backends.

        Raises:
            EngineError: If the library refuses the graph.
        """
        raise NotImplementedError(f"{self.name} engines are not built ahead")

    @abc.abstractmethod
    def load(self, engine: bytes, job: Job) -> Session:
        """Returns a session from what `build` returned (b'' where the backend is not cached).

        Raises:
            EngineError: If the library refuses it.
        """

    def not_installed(self, error: ImportError | OSError) -> str:
        """Returns the reason of a backend whose library cannot be imported."""
        return f"is not installed ({one_line(error)}): {self.install_hint}"

    def default_precision(self, wanted: Precision) -> Precision:
        """Returns the precision for a model whose model.yaml says `wanted`.

        A half precision there (fp16 or bf16) means the one that pays on this backend.
        """
        if wanted in ("fp16", "bf16"):
            return self.half_precision()
        return wanted if wanted in self.precisions else "fp32"


def one_line(error: BaseException, limit: int = 240) -> str:
    """Returns an error of a C++ library as one line without its source positions."""
    lines = [line.strip() for line in str(error).splitlines()]
    useful = [line for line in lines if line and not line.startswith(("Exception from", "Check "))]
    text = " ".join(useful or [line for line in lines if line] or [type(error).__name__])
    return text if len(text) <= limit else text[: limit - 3] + "..."
