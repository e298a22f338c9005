"""Names for what is in boxes: traffic signs, traffic lights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spatial_perception.config import from_mapping, near_miss, option
from spatial_perception.core import CameraImage, Detections2D, LabelImage, LabelSet
from spatial_perception.core.boxes import iou_2d
from spatial_perception.errors import ConfigError, EngineError
from spatial_perception.ops.class_map import regions
from spatial_perception.ops.crops import classify, crop_batches
from spatial_perception.pipelines.model import EngineOptions, ModelPipeline, check_channels

UNKNOWN_NAME = "unknown"
_SAME_OBJECT_IOU = 0.2


@dataclass(frozen=True, slots=True)
class CropPreprocessing:
    """How crops are cut; stands in model.yaml."""

    color: Literal["rgb"] = option("rgb", help="order of the channels")
    range: float = option(255.0, help="value of white", range=(255.0, 255.0))


@dataclass(frozen=True, slots=True)
class ClassificationArguments:
    """Options of the decoder classification."""

    temperature: float = option(1.0, help="divides the logits", range=(0.001, 1000.0))
    output: str = option("logits", help="the output that holds the class scores")


@dataclass(frozen=True, slots=True)
class CropClassifierConfig:
    """Options of a crop classifier."""

    model: str = option("sign_classifier", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")
    classes: tuple[str, ...] = option((), help="classes of boxes to look at; empty for all")
    regions: str = option(
        "", help="class of camera_segmenter whose connected regions are looked at, too"
    )
    min_confidence: float = option(0.5, help="below it the answer is 'unknown'", range=(0.0, 1.0))
    min_size_px: float = option(
        8.0, help="boxes with a shorter side are left out", unit="px", range=(1.0, 1000.0)
    )
    max_crops: int = option(16, help="at most so many boxes a picture", range=(1, 1000))
    margin: float = option(0.15, help="border around a box, over its size", range=(0.0, 2.0))


class CropClassifier(ModelPipeline):
    """Crops from the full-resolution picture, network, calibrated probability.

    The work a picture is bounded by `max_crops`, whatever the number of boxes. A name's score is
    the box's score times the calibrated probability of the class.

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: CropClassifierConfig) -> None:
        self._config = config
        super().__init__(config.model, ("classification",), config.engine)
        spec = self._model.spec
        place = f"model '{spec.name}'"
        self._input, tensor = self._model.only_input()
        from_mapping(CropPreprocessing, spec.preprocessing, place)
        self._arguments = from_mapping(ClassificationArguments, spec.decoder_arguments, place)
        check_channels(self._model, self._arguments.output, 1, len(spec.classes))
        batch, size_px = tensor.shape[0], tensor.shape[-1]
        if tensor.shape != (batch, 3, size_px, size_px) or tensor.dtype != "float32":
            raise EngineError(
                f"{place}: expected square crops (B, 3, S, S) of type float32, got {tensor}"
            )
        self._batch, self._size_px = batch, size_px
        self._label_set = _with_unknown(self._model.label_set)

    @property
    def label_set(self) -> LabelSet:
        """The model's classes, then 'unknown'."""
        return self._label_set

    def classify(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns (N,) int32 best class and (N,) float32 probability of crops.

        Args:
            crops: (N, 3, S, S) float32 RGB 0..255, any N.
        """
        count = len(crops)
        logits = np.zeros((count, len(self._model.label_set)), np.float32)
        for start in range(0, count, self._batch):
            part = crops[start : start + self._batch]
            padded = np.zeros((self._batch, *crops.shape[1:]), np.float32)
            padded[: len(part)] = part
            output = self._model.engine().infer({self._input: padded})[self._arguments.output]
            logits[start : start + len(part)] = output[: len(part)]
        return classify(logits, self._arguments.temperature)

    def __call__(
        self, image: CameraImage, detections: Detections2D, segmentation: LabelImage | None = None
    ) -> Detections2D:
        """Returns the boxes of the configured classes with their names, best first.

        Regions come after the boxes, the largest first; a region has no score of its own, so that
        of its name is the probability alone.

        Args:
            image: The picture, of which crops are cut at full resolution.
            detections: Boxes in it.
            segmentation: Class map of it, of any size, for the configured regions.
        """
        self.laps.start()
        boxes_px, box_scores = self._chosen(detections)
        if segmentation is not None and self._config.regions:
            found_px = self._regions(segmentation, (image.width, image.height))
            boxes_px, box_scores = self._with_regions(boxes_px, box_scores, found_px)
        if not len(boxes_px):
            return Detections2D.empty(detections.header, self._label_set)
        batches = crop_batches(
            image.rgb(), boxes_px, self._size_px, self._batch, self._config.margin
        )
        crops = batches.reshape(-1, *batches.shape[2:])[: len(boxes_px)]
        self.laps.mark("prepare")
        labels, probabilities = self.classify(crops)
        self.laps.mark("network")
        is_unknown = probabilities < self._config.min_confidence
        labels = np.where(is_unknown, len(self._label_set) - 1, labels).astype(np.int32)
        scores = (box_scores * probabilities).astype(np.float32)
        return Detections2D(detections.header, boxes_px, scores, labels, self._label_set)

    def _chosen(self, detections: Detections2D) -> tuple[np.ndarray, np.ndarray]:
        """Returns (N, 4) boxes to look at and (N,) their scores, best first."""
        known = detections.label_set.names
        wanted = [known.index(n) for n in self._config.classes or known if n in known]
        fits = np.isin(detections.labels, wanted) & self._is_usable(detections.boxes_xyxy_px)
        order = np.argsort(-detections.scores, kind="stable")
        order = order[fits[order]][: self._config.max_crops]
        return detections.boxes_xyxy_px[order], detections.scores[order]

    def _regions(self, segmentation: LabelImage, picture_wh: tuple[int, int]) -> np.ndarray:
        """Returns (R, 4) boxes around the configured regions, in pixels of the picture.

        Raises:
            ConfigError: the segmentation has no such class.
        """
        known = segmentation.label_set.names
        if self._config.regions not in known:
            raise ConfigError(
                f"regions: the segmentation has no class '{self._config.regions}'"
                f"{near_miss(self._config.regions, known)}"
            )
        found_px = regions(
            segmentation.labels == known.index(self._config.regions),
            min_area_px=int(self._config.min_size_px),
            max_count=2 * self._config.max_crops,
        )
        height, width = segmentation.labels.shape
        if (width, height) != picture_wh:
            found_px *= np.tile(np.divide(picture_wh, (width, height)), 2).astype(np.float32)
        return found_px[self._is_usable(found_px)]

    def _with_regions(
        self, boxes_px: np.ndarray, scores: np.ndarray, found_px: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns boxes and scores with those regions added that no box stands for."""
        if len(boxes_px):
            found_px = found_px[iou_2d(found_px, boxes_px).max(axis=1) < _SAME_OBJECT_IOU]
        found_px = found_px[: self._config.max_crops - len(boxes_px)]
        ones = np.ones(len(found_px), np.float32)
        return np.concatenate([boxes_px, found_px]), np.concatenate([scores, ones])

    def _is_usable(self, boxes_px: np.ndarray) -> np.ndarray:
        """Returns (N,) bool, whose sides are finite and long enough."""
        sides = boxes_px[:, 2:] - boxes_px[:, :2]
        is_large: np.ndarray = sides.min(axis=1, initial=np.inf) >= self._config.min_size_px
        return is_large & np.isfinite(boxes_px).all(axis=1)


def _with_unknown(label_set: LabelSet) -> LabelSet:
    if UNKNOWN_NAME in label_set.names:
        return label_set
    gray = np.full((1, 3), 160, np.uint8)
    return LabelSet((*label_set.names, UNKNOWN_NAME), np.concatenate([label_set.colors, gray]))
