"""A class for each pixel of a camera picture."""

from __future__ import annotations

from dataclasses import dataclass

from spatial_perception.config import from_mapping, option
from spatial_perception.core import CameraImage, LabelImage
from spatial_perception.ops.class_map import class_map
from spatial_perception.ops.letterbox import Letterbox, image_tensor
from spatial_perception.pipelines.camera_detector import ImagePreprocessing
from spatial_perception.pipelines.model import EngineOptions, ModelPipeline, check_channels


@dataclass(frozen=True, slots=True)
class ClassMapArguments:
    """Options of the decoder class_map."""

    output: str = option("logits", help="the output that holds the class scores")


@dataclass(frozen=True, slots=True)
class CameraSegmenterConfig:
    """Options of a camera segmenter."""

    model: str = option("camera_segmenter", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")


class CameraSegmenter(ModelPipeline):
    """Letterbox, network, best class, back to source pixels; decoder `class_map`.

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: CameraSegmenterConfig) -> None:
        super().__init__(config.model, ("class_map",), config.engine)
        spec = self._model.spec
        place = f"model '{spec.name}'"
        self._input, _ = self._model.only_input()
        self._preprocessing = from_mapping(ImagePreprocessing, spec.preprocessing, place)
        self._output = from_mapping(ClassMapArguments, spec.decoder_arguments, place).output
        check_channels(self._model, self._output, 1, len(spec.classes))

    def __call__(self, image: CameraImage) -> LabelImage:
        """Returns the class map of a picture, of its own size."""
        pre = self._preprocessing
        self.laps.start()
        index = self._model.spec.variant_for(image.width / image.height)
        height, width = self._model.variant(index).inputs[self._input].shape[2:]
        letterbox = Letterbox.fit((image.height, image.width), (height, width), pre.align)
        tensor = image_tensor(letterbox.apply(image.rgb(), pre.fill), pre.color, pre.range)
        self.laps.mark("prepare")
        logits = self._model.engine(index).infer({self._input: tensor})[self._output]
        self.laps.mark("network")
        labels = class_map(logits, letterbox)
        self.laps.mark("finish")
        return LabelImage(image.header, labels, self._model.label_set)
