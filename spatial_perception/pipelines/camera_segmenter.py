"""A class for each pixel of a camera picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.config import from_mapping, near_miss, option
from spatial_perception.core import CameraImage, LabelImage
from spatial_perception.core.labels import UNLABELED_NAME
from spatial_perception.errors import ConfigError
from spatial_perception.ops.class_map import class_map, painted_class_map
from spatial_perception.pipelines.model import EngineOptions, Model, ModelPipeline, check_channels
from spatial_perception.pipelines.picture_input import PictureInput


@dataclass(frozen=True, slots=True)
class ClassMapLayer:
    """One output of class scores among several."""

    output: str = option(help="its name")
    classes: tuple[str, ...] = option(
        help="class of each channel; 'unlabeled' for a channel that shows what lies below"
    )


@dataclass(frozen=True, slots=True)
class ClassMapArguments:
    """Options of the decoder class_map."""

    output: str = option("logits", help="the output that holds the class scores")
    layers: tuple[ClassMapLayer, ...] = option(
        (), help="outputs that are painted one over the other, instead of `output`"
    )


@dataclass(frozen=True, slots=True)
class CameraSegmenterConfig:
    """Options of a camera segmenter."""

    model: str = option("camera_segmenter", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")


class CameraSegmenter(ModelPipeline):
    """Fits the picture in, network, best class, back to source pixels; decoder `class_map`.

    Raises:
        EngineError: the model is missing or does not fit its decoder.
        ConfigError: its layers name other classes than model.yaml lists.
    """

    def __init__(self, config: CameraSegmenterConfig) -> None:
        super().__init__(config.model, ("class_map",), config.engine)
        spec = self._model.spec
        self._prepare = PictureInput(self._model)
        arguments = from_mapping(ClassMapArguments, spec.decoder_arguments, f"model '{spec.name}'")
        self._output = arguments.output
        self._layers = _channel_labels(self._model, arguments.layers)
        if not self._layers:
            check_channels(self._model, self._output, 1, len(spec.classes))

    def __call__(self, image: CameraImage) -> LabelImage:
        """Returns the class map of a picture, of its own size."""
        self.laps.start()
        prepared = self._prepare(image)
        self.laps.mark("prepare")
        outputs = self._model.engine(prepared.variant).infer(prepared.inputs)
        self.laps.mark("network")
        if self._layers:
            layers = [(outputs[name], labels) for name, labels in self._layers]
            labels = painted_class_map(layers, prepared.letterbox)
        else:
            labels = class_map(outputs[self._output], prepared.letterbox)
        self.laps.mark("finish")
        return LabelImage(image.header, labels, self._model.label_set)


def _channel_labels(
    model: Model, layers: tuple[ClassMapLayer, ...]
) -> list[tuple[str, np.ndarray]]:
    """Returns each layer's output with the label (K,) uint8 of each of its channels."""
    place = f"model '{model.spec.name}', decoder 'class_map'"
    known = model.label_set
    painted = []
    for layer in layers:
        check_channels(
            model, layer.output, 1, len(layer.classes), "classes in this layer of model.yaml"
        )
        for name in layer.classes:
            if name != UNLABELED_NAME and name not in known.names:
                raise ConfigError(
                    f"{place}: layer '{layer.output}' has a class '{name}' that is not in"
                    f" 'classes'{near_miss(name, (*known.names, UNLABELED_NAME))}"
                )
        labels = np.array([known.index(name) for name in layer.classes], np.uint8)
        painted.append((layer.output, labels))
    for name in known.names if layers else ():
        if not any(name in layer.classes for layer in layers):
            raise ConfigError(f"{place}: class '{name}' is in no layer")
    return painted
