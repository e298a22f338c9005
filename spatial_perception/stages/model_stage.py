"""A stage around one pipeline with a model, made when it is first needed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from spatial_perception.core import Laps
from spatial_perception.stages.stage import Stage


class ModelPipeline(Protocol):
    """What a stage needs of a pipeline besides calling it."""

    laps: Laps

    def load(self) -> None:
        """Loads and warms the engines."""

    def close(self) -> None:
        """Frees the engines."""

    def status(self) -> Mapping[str, str]:
        """Returns backend and precision."""


class ModelStage(Stage):
    """Makes its pipeline on `load` or on the first push; `close` frees it again."""

    def __init__(self) -> None:
        super().__init__()
        self._pipeline: Any = None

    @abstractmethod
    def make_pipeline(self) -> ModelPipeline:
        """Returns a new pipeline.

        Raises:
            PerceptionError: its model is missing, damaged or does not fit.
        """

    @property
    def pipeline(self) -> Any:
        """The pipeline, made now if it is not there yet."""
        if self._pipeline is None:
            self._pipeline = self.make_pipeline()
        return self._pipeline

    def check(self) -> None:
        """Raises the error of a missing or unfit model now; compiles nothing."""
        _ = self.pipeline

    def load(self) -> None:
        """Loads and warms the engines."""
        self.pipeline.load()

    def close(self) -> None:
        """Frees the engines."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None

    def status(self) -> Mapping[str, str]:
        """Returns backend, precision and state of the engine."""
        pipeline = self._pipeline  # another thread may free it meanwhile
        if pipeline is None:
            return {"engine": "not loaded"}
        return {"engine": "ready", **pipeline.status()}

    def take_steps_ms(self) -> Mapping[str, float]:
        """Returns how long pre-processing, network and decoding took."""
        return {} if self._pipeline is None else self._pipeline.laps.take()
