"""Average precision of boxes in pictures, with KITTI's rules for what is ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.boxes import iou_2d
from spatial_perception.evaluation.matching import FrameMatch, match_frame
from spatial_perception.evaluation.precision_recall import Curve, PrecisionRecall

MIN_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PictureFrame:
    """Truths and detections of one picture.

    Attributes:
        truth_boxes: (T, 4) left top right bottom, pixels.
        truth_labels: (T,) class index; a neighbouring class is entered under the class for which
            it is neutral.
        truth_counts: (T,) bool, False for neutral truths.
        boxes: (D, 4) detections, pixels.
        scores: (D,).
        labels: (D,) class index.
        counts: (D,) bool, False for detections too small to judge.
        ignore_regions: (R, 4) where nobody labelled: a detection of which more than half lies in
            one of them is no false alarm.
    """

    truth_boxes: NDArray[np.float64]
    truth_labels: NDArray[np.int64]
    truth_counts: NDArray[np.bool_]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    counts: NDArray[np.bool_]
    ignore_regions: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("truth_boxes", "boxes", "ignore_regions"):
            value = getattr(self, name)
            if value.ndim != 2 or value.shape[1] != 4:
                raise ValueError(f"{name}: expected (N, 4), got {value.shape}")


class PictureMetrics:
    """`<class>_ap_0.5` of each class with truths, and their mean `map_0.5`, in percent.

    Args:
        frames: Truths and detections of every picture.
        names: Class names, in the order of the labels.
    """

    def __init__(self, frames: Sequence[PictureFrame], names: Sequence[str]) -> None:
        self.frames = frames
        self._matches = {
            name: [match_picture(frame, label) for frame in frames]
            for label, name in enumerate(names)
        }
        self._results = {name: PrecisionRecall(m) for name, m in self._matches.items()}

    def compute(self, weights: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Metrics by name; a class without truth is left out.

        Args:
            weights: (F,) int64, how often each frame counts; once each where None.
        """
        precisions = {
            f"{name}_ap_{MIN_OVERLAP}": result.average_precision(weights=weights)
            for name, result in self._results.items()
            if result.truths(weights)
        }
        if not precisions:
            return {}
        return {**precisions, f"map_{MIN_OVERLAP}": float(np.mean(list(precisions.values())))}

    def curves(self) -> dict[str, Curve]:
        """Precision over recall of each class that has truths."""
        return {name: result.curve() for name, result in self._results.items() if result.truths()}

    def frame_errors(self) -> NDArray[np.int64]:
        """(F,) misses and false alarms above score 0.5 in each picture."""
        return np.array(
            [
                sum(matches[index].errors(0.5) for matches in self._matches.values())
                for index in range(len(self.frames))
            ],
            dtype=np.int64,
        )


def match_picture(frame: PictureFrame, label: int) -> FrameMatch:
    """Matches the detections of one class in one picture at overlap 0.5."""
    truths = frame.truth_labels == label
    counts = frame.counts & (frame.labels == label)
    taking_part = counts | ~frame.counts
    return match_frame(
        iou_2d(frame.truth_boxes[truths], frame.boxes[taking_part]),
        frame.scores[taking_part],
        frame.truth_counts[truths],
        counts[taking_part],
        covered(frame.boxes[taking_part], frame.ignore_regions),
        MIN_OVERLAP,
    )


def covered(boxes: NDArray[np.float64], regions: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(D,) bool, boxes of which more than half lies in one of the regions.

    Args:
        boxes: (D, 4) left top right bottom, pixels.
        regions: (R, 4) likewise.
    """
    top_left = np.maximum(boxes[:, None, :2], regions[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    common = np.prod(np.clip(bottom_right - top_left, 0.0, None), axis=2)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray((common > 0.5 * area[:, None]).any(axis=1))
