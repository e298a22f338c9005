"""Boxes in a camera picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spatial_perception.config import from_mapping, option
from spatial_perception.core import CameraImage, Detections2D
from spatial_perception.errors import EngineError
from spatial_perception.ops.boxes import decode_yolox, select_boxes
from spatial_perception.ops.letterbox import Align, Letterbox, image_tensor
from spatial_perception.pipelines.model import EngineOptions, ModelPipeline, check_channels


@dataclass(frozen=True, slots=True)
class ImagePreprocessing:
    """How a picture becomes a network's input; stands in model.yaml."""

    color: Literal["rgb", "bgr"] = option("rgb", help="order of the channels")
    range: float = option(255.0, help="value of white", range=(0.001, 1e6))
    align: Align = option("center", help="where the scaled picture lies in the input")
    fill: int = option(114, help="value of the padding", range=(0, 255))


@dataclass(frozen=True, slots=True)
class YoloxArguments:
    """Options of the decoder yolox."""

    strides: tuple[int, ...] = option((8, 16, 32), help="cell sizes of the levels", unit="px")


@dataclass(frozen=True, slots=True)
class CameraDetectorConfig:
    """Options of a camera detector."""

    model: str = option("camera_detector", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")
    score_threshold: float = option(0.4, help="boxes below are dropped", range=(0.0, 1.0))
    iou_threshold: float = option(
        0.5, help="of two boxes of a class that overlap more, the better stays", range=(0.0, 1.0)
    )
    max_detections: int = option(100, help="at most so many boxes a picture", range=(1, 10_000))


class CameraDetector(ModelPipeline):
    """Letterbox, network, decoding, non-maximum suppression, back to source pixels.

    Decoders: `boxes` (boxes (1, A, 4) in input pixels and scores (1, A, K)) and `yolox`
    (one output (1, A, 5 + K)).

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: CameraDetectorConfig) -> None:
        self._config = config
        super().__init__(config.model, ("boxes", "yolox"), config.engine)
        spec = self._model.spec
        place = f"model '{spec.name}'"
        self._input, _ = self._model.only_input()
        self._preprocessing = from_mapping(ImagePreprocessing, spec.preprocessing, place)
        self._yolox = YoloxArguments()
        if spec.decoder == "boxes":
            check_channels(self._model, "boxes", 2, 4)
            check_channels(self._model, "scores", 2, len(spec.classes))
        else:
            self._yolox = from_mapping(YoloxArguments, spec.decoder_arguments, place)
            self._output = next(iter(spec.variants[0].outputs))
            check_channels(self._model, self._output, 2, 5 + len(spec.classes))

    def __call__(self, image: CameraImage) -> Detections2D:
        """Returns the boxes of a picture, best first, in its own pixels."""
        config, pre = self._config, self._preprocessing
        self.laps.start()
        index = self._model.spec.variant_for(image.width / image.height)
        height, width = self._model.variant(index).inputs[self._input].shape[2:]
        letterbox = Letterbox.fit((image.height, image.width), (height, width), pre.align)
        tensor = image_tensor(letterbox.apply(image.rgb(), pre.fill), pre.color, pre.range)
        self.laps.mark("prepare")
        outputs = self._model.engine(index).infer({self._input: tensor})
        self.laps.mark("network")
        boxes, scores = self._decode(outputs, (height, width))
        found = select_boxes(
            boxes, scores, config.score_threshold, config.iou_threshold, config.max_detections
        )
        found_px = letterbox.boxes_to_source(found.boxes_xyxy_px)
        self.laps.mark("finish")
        return Detections2D(
            image.header, found_px, found.scores, found.labels, self._model.label_set
        )

    def _decode(
        self, outputs: Mapping[str, np.ndarray], input_hw: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        if self._model.spec.decoder == "boxes":
            return outputs["boxes"][0], outputs["scores"][0]
        try:
            return decode_yolox(outputs[self._output], input_hw, self._yolox.strides)
        except ValueError as error:
            raise EngineError(
                f"model '{self._model.spec.name}', decoder 'yolox': {error}"
            ) from None
