"""A model and its engines, one for each exported shape, loaded when first needed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import LabelSet, Laps
from spatial_perception.errors import EngineError
from spatial_perception.runtime.engine import Engine
from spatial_perception.runtime.engine_factory import create_engine
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import ModelSpec, Precision, TensorSpec, Variant


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Where and how a model runs."""

    backend: str = option(
        "auto", help="auto, tensorrt, tensorrt_rtx, openvino, onnxruntime or torch"
    )
    precision: str = option("", help="fp32, fp16, bf16 or int8; empty for the model's own")
    threads: int = option(0, help="processor threads, 0 for all cores", range=(0, 256))
    largest_px: int = option(
        0,
        help="networks of pictures: of sizes of like proportions the largest up to so many pixels"
        " runs, 0 for the largest of all",
        range=(0, 100_000_000),
    )


class Model:
    """A model specification with its engines.

    Args:
        name_or_path: a model's name or folder.
        decoders: the decoders that the caller understands.
        options: backend, precision and threads.

    Raises:
        EngineError: the model is missing or damaged, or its decoder does not fit.
        ConfigError: model.yaml is damaged.
    """

    def __init__(
        self, name_or_path: str, decoders: tuple[str, ...], options: EngineOptions
    ) -> None:
        self.spec = ModelSpec.load(find_model(name_or_path))
        self.label_set: LabelSet = self.spec.label_set
        self._options = options
        self._engines: dict[int, Engine] = {}
        self._lock = threading.Lock()
        if self.spec.decoder not in decoders:
            raise EngineError(
                f"model '{self.spec.name}' has the decoder '{self.spec.decoder}',"
                f" expected {' or '.join(decoders)}"
            )

    def engine(self, variant: int = 0) -> Engine:
        """Returns the engine of a variant, built or loaded now if it is the first use."""
        with self._lock:
            if variant not in self._engines:
                self._engines[variant] = create_engine(
                    self.spec,
                    variant,
                    self._options.backend,
                    _precision(self._options.precision),
                    self._options.threads or None,
                )
            return self._engines[variant]

    def variant(self, index: int) -> Variant:
        """Returns the shapes of a variant."""
        return self.spec.variants[index]

    def load(self) -> None:
        """Loads the engines that may be needed and runs each once: the first frame is fast."""
        for index in self.spec.choices(self._options.largest_px):
            inputs = self.variant(index).inputs
            self.engine(index).infer({n: np.zeros(t.shape, t.dtype) for n, t in inputs.items()})

    def variant_for(self, aspect_ratio: float) -> int:
        """Returns the variant for pictures of width / height, of those that the options allow."""
        return self.spec.variant_for(aspect_ratio, self._options.largest_px)

    def close(self) -> None:
        """Frees all engines; the next use loads them again."""
        with self._lock:
            for engine in self._engines.values():
                engine.close()
            self._engines.clear()

    def status(self) -> Mapping[str, str]:
        """Returns model, backend, precision, device and cache key for diagnostics."""
        status = {"model": self.spec.name}
        for engine in list(self._engines.values())[:1]:
            info = engine.info
            status |= {
                "backend": info.backend,
                "precision": info.precision,
                "device": info.device,
                "cache_key": info.cache_key,
            }
        return status

    def only_input(self) -> tuple[str, TensorSpec]:
        """Returns name and shape of the single input of the first variant.

        Raises:
            EngineError: the model has several inputs.
        """
        inputs = self.spec.variants[0].inputs
        if len(inputs) != 1:
            raise EngineError(
                f"model '{self.spec.name}': expected one input, model.yaml lists"
                f" {', '.join(inputs)}"
            )
        return next(iter(inputs.items()))


class ModelPipeline:
    """What all pipelines around one model share: it is loaded, freed, timed and reported.

    Attributes:
        laps: times of the steps of the last call.

    Args:
        model: a model's name or folder.
        decoders: the decoders that the pipeline understands.
        options: backend, precision and threads.

    Raises:
        EngineError: the model is missing or damaged, or its decoder does not fit.
    """

    def __init__(self, model: str, decoders: tuple[str, ...], options: EngineOptions) -> None:
        self._model = Model(model, decoders, options)
        self.laps = Laps()

    def load(self) -> None:
        """Loads and warms the engines."""
        self._model.load()

    def close(self) -> None:
        """Frees the engines; the next use loads them again."""
        self._model.close()

    def status(self) -> Mapping[str, str]:
        """Returns model, backend and precision."""
        return self._model.status()


def check_channels(
    model: Model, output: str, axis: int, count: int, of: str = "classes in model.yaml"
) -> None:
    """Checks that an output has as many channels as its decoder needs, in every variant.

    Args:
        model: the model.
        output: name of the output.
        axis: where its channels are.
        count: how many there must be.
        of: what there are as many of, for the message.

    Raises:
        EngineError: the output is missing or has another size there.
    """
    for variant in model.spec.variants:
        place = f"model '{model.spec.name}' ({variant.file}), decoder '{model.spec.decoder}'"
        if output not in variant.outputs:
            listed = ", ".join(variant.outputs)
            raise EngineError(f"{place}: needs an output '{output}', model.yaml lists {listed}")
        shape = variant.outputs[output].shape
        if len(shape) <= abs(axis) - (axis < 0) or shape[axis] != count:
            raise EngineError(
                f"{place}: output '{output}' has shape {shape}, axis {axis} must be {count}"
                f" as there are that many {of}"
            )


def _precision(text: str) -> Precision | None:
    if not text:
        return None
    if text not in ("fp32", "fp16", "bf16", "int8"):
        raise EngineError(f"unknown precision '{text}'; known: fp32, fp16, bf16, int8")
    return text  # type: ignore[return-value]
