"""Boxes in a camera picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.config import from_mapping, option
from spatial_perception.core import CameraImage, Detections2D
from spatial_perception.errors import EngineError
from spatial_perception.ops.boxes import decode_yolox, grid_centers, select_boxes
from spatial_perception.pipelines.model import EngineOptions, Model, ModelPipeline, check_channels
from spatial_perception.pipelines.picture_input import PictureInput


@dataclass(frozen=True, slots=True)
class BoxesArguments:
    """Options of the decoder boxes."""

    boxes: str = option("boxes", help="output (1, A, 4): left, top, right, bottom in input pixels")
    scores: str = option("scores", help="output (1, A, K): probabilities of the classes")


@dataclass(frozen=True, slots=True)
class YoloxArguments:
    """Options of the decoder yolox."""

    strides: tuple[int, ...] = option(
        (8, 16, 32), help="cell sizes of the levels", unit="px", range=(1, 1024)
    )


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
    """Fits the picture in, network, decoding, non-maximum suppression, back to source pixels.

    Decoders: `boxes` (boxes (1, A, 4) in input pixels and scores (1, A, K)) and `yolox`
    (one output (1, A, 5 + K)).

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: CameraDetectorConfig) -> None:
        self._config = config
        super().__init__(config.model, ("boxes", "yolox"), config.engine)
        spec = self._model.spec
        self._prepare = PictureInput(self._model)
        decode = _decode_boxes if spec.decoder == "boxes" else _decode_yolox
        self._decode = decode(self._model)

    def __call__(self, image: CameraImage) -> Detections2D:
        """Returns the boxes of a picture, best first, in its own pixels."""
        config = self._config
        self.laps.start()
        prepared = self._prepare(image)
        self.laps.mark("prepare")
        outputs = self._model.engine(prepared.variant).infer(prepared.inputs)
        self.laps.mark("network")
        boxes, scores = self._decode(outputs, prepared.input_hw)
        found = select_boxes(
            boxes, scores, config.score_threshold, config.iou_threshold, config.max_detections
        )
        found_px = prepared.letterbox.boxes_to_source(found.boxes_xyxy_px)
        self.laps.mark("finish")
        return Detections2D(
            image.header,
            found_px,
            found.scores,
            found.labels,
            self._model.label_set,
            (image.width, image.height),
        )


_Decode = Callable[[Mapping[str, np.ndarray], tuple[int, int]], tuple[np.ndarray, np.ndarray]]
"""From outputs and the input's height and width to boxes (A, 4) and scores (A, K)."""


def _decode_boxes(model: Model) -> _Decode:
    spec = model.spec
    names = from_mapping(BoxesArguments, spec.decoder_arguments, f"model '{spec.name}'")
    check_channels(model, names.boxes, 2, 4, "sides of a box")
    check_channels(model, names.scores, 2, len(spec.classes))
    return lambda outputs, _: (outputs[names.boxes][0], outputs[names.scores][0])


def _decode_yolox(model: Model) -> _Decode:
    spec = model.spec
    strides = from_mapping(YoloxArguments, spec.decoder_arguments, f"model '{spec.name}'").strides
    output = next(iter(spec.variants[0].outputs))
    check_channels(model, output, 2, 5 + len(spec.classes), "classes in model.yaml, and 5 more")
    for variant in spec.variants:
        height, width = next(iter(variant.inputs.values())).shape[2:]
        cells, rows = len(grid_centers((height, width), strides)[0]), variant.outputs[output].shape
        if rows[1] != cells:
            raise EngineError(
                f"model '{spec.name}' ({variant.file}), decoder 'yolox': output '{output}' has"
                f" shape {rows}, strides {strides} over {height}x{width} pixels make {cells} cells"
            )
    return lambda outputs, input_hw: decode_yolox(outputs[output], input_hw, strides)
