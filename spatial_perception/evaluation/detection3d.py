"""Average precision of boxes in space: KITTI's rules, stated once for every data set.

What counts is data: truths and detections carry the easiest difficulty at which they count, and an
evaluator of a data set fills that in by the data set's own rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.boxes import iou_3d, iou_bev
from spatial_perception.evaluation.classification import calibration_error
from spatial_perception.evaluation.matching import FrameMatch, match_frame
from spatial_perception.evaluation.precision_recall import Curve, PrecisionRecall

EASY, MODERATE, HARD, NEVER = range(4)
"""Difficulties; what counts at one counts at all harder ones, NEVER is neutral at all of them."""

DOUBTFUL_SCORE = 0.05
"""Detections from here on enter the calibration error."""

OVERLAPS = (0.5, 0.7)
RANGES_M = (30, 50)
Plane = Literal["bev", "3d"]
_PLANES: tuple[Plane, ...] = ("bev", "3d")
_DEVKIT = "_devkit"
_BEV_COLUMNS = [0, 1, 3, 4, 6]


@dataclass(frozen=True, slots=True, eq=False)
class BoxFrame:
    """Truths and detections of one frame, in one frame of reference, ground in its x-y plane.

    Attributes:
        truth_boxes: (T, 7) x y z l w h yaw, metres and radians.
        truth_labels: (T,) class index; a neighbouring class is entered under the class for which
            it is neutral, with level NEVER.
        truth_levels: (T,) easiest difficulty at which the truth counts.
        boxes: (D, 7) detections likewise.
        scores: (D,).
        labels: (D,) class index.
        levels: (D,) easiest difficulty at which the detection counts (KITTI: height in the image).
        outside: (D,) bool, where nobody labelled: no false alarm when unmatched.
        dont_care: (D,) bool, in a region the data set declares unlabelled: likewise, but KITTI's
            own program does not honour it for boxes in space.
    """

    truth_boxes: NDArray[np.float64]
    truth_labels: NDArray[np.int64]
    truth_levels: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    levels: NDArray[np.int64]
    outside: NDArray[np.bool_]
    dont_care: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for prefix, count in (("truth_", len(self.truth_boxes)), ("", len(self.boxes))):
            boxes = getattr(self, f"{prefix}boxes")
            if boxes.shape != (count, 7):
                raise ValueError(f"{prefix}boxes: expected (N, 7), got {boxes.shape}")
        for name in ("truth_labels", "truth_levels"):
            _check_length(name, getattr(self, name), len(self.truth_boxes))
        for name in ("scores", "labels", "levels", "outside", "dont_care"):
            _check_length(name, getattr(self, name), len(self.boxes))


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to count: plane, overlap, difficulty, radius and whose rules for DontCare."""

    plane: Plane
    min_overlap: float
    level: int = MODERATE
    radius_m: float | None = None
    devkit: bool = False


_BASE = Setting("bev", 0.5)


class BoxMetrics:
    """The metrics of one model over frames; `compute` takes frame weights for the bootstrap.

    Args:
        frames: Truths and detections of every frame.
        names: Class names, in the order of the labels.
        devkit: Also give what KITTI's own program gives, as `..._devkit`.
    """

    def __init__(
        self, frames: Sequence[BoxFrame], names: Sequence[str], devkit: bool = False
    ) -> None:
        self.frames = frames
        overlaps = {plane: [box_overlaps(frame, plane) for frame in frames] for plane in _PLANES}
        self._results: dict[str, PrecisionRecall] = {}
        self._base: dict[str, list[FrameMatch]] = {}
        self._headings: dict[str, NDArray[np.int64]] = {}
        for label, name in enumerate(names):
            if not any(np.any(frame.truth_labels == label) for frame in frames):
                continue
            for metric, setting in _settings(name, devkit).items():
                known = overlaps[setting.plane]
                matches = [
                    match_boxes(frame, label, setting, overlap)
                    for frame, overlap in zip(frames, known, strict=True)
                ]
                self._results[metric] = PrecisionRecall(matches)
                if setting == _BASE:
                    self._base[name] = matches
            self._headings[name] = np.array(
                [_headings(f, m) for f, m in zip(frames, self._base[name], strict=True)]
            )

    def compute(self, weights: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Metrics in percent by name; a metric with no truth that counts is left out.

        Args:
            weights: (F,) int64, how often each frame counts; once each where None.
        """
        every = np.ones(len(self.frames), np.int64) if weights is None else weights
        values: dict[str, float] = {}
        for metric, result in self._results.items():
            devkit = metric.endswith(_DEVKIT)
            values[metric] = result.average_precision(40, every, devkit)
            if metric[-3:] in ("0.5", "0.7"):
                values[f"{metric}_r11"] = result.average_precision(11, every)
            elif devkit:
                r11 = f"{metric.removesuffix(_DEVKIT)}_r11{_DEVKIT}"
                values[r11] = result.average_precision(11, every, devkit)
        for name, counted in self._headings.items():
            result = self._results[f"{name}_bev_ap_0.5"]
            values[f"{name}_recall_at_p80"] = result.recall_at_precision(0.8, every)
            right, matched = every @ counted
            values[f"{name}_heading_accuracy"] = 100.0 * right / matched if matched else np.nan
            values[f"{name}_ece"] = answers_calibration_error(
                [
                    np.repeat(m.answers, n, axis=0)
                    for m, n in zip(self._base[name], every, strict=True)
                ]
            )
        return {name: float(value) for name, value in values.items() if np.isfinite(value)}

    def curves(self) -> dict[str, Curve]:
        """Precision over recall of each class (BEV, overlap 0.5, moderate)."""
        results = {name: self._results[f"{name}_bev_ap_0.5"] for name in self._base}
        return {name: result.curve() for name, result in results.items() if result.truths()}

    def frame_errors(self) -> NDArray[np.int64]:
        """(F,) misses and false alarms above score 0.5 in each frame (BEV, 0.5, moderate)."""
        errors = np.zeros(len(self.frames), dtype=np.int64)
        for matches in self._base.values():
            errors += [match.errors(0.5) for match in matches]
        return errors


def _settings(name: str, devkit: bool) -> dict[str, Setting]:
    """The settings under which a class is counted, by the name of the metric."""
    settings = {}
    for plane in _PLANES:
        for overlap in OVERLAPS:
            metric = f"{name}_{plane}_ap_{overlap}"
            settings[metric] = Setting(plane, overlap)
            settings[f"{metric}_easy"] = Setting(plane, overlap, EASY)
            settings[f"{metric}_hard"] = Setting(plane, overlap, HARD)
            for radius_m in RANGES_M:
                settings[f"{metric}_within_{radius_m}m"] = Setting(
                    plane, overlap, radius_m=radius_m
                )
            if devkit:
                settings[metric + _DEVKIT] = Setting(plane, overlap, devkit=True)
    return settings


def match_boxes(
    frame: BoxFrame, label: int, setting: Setting, overlaps: NDArray[np.float64] | None = None
) -> FrameMatch:
    """Matches the detections of one class in one frame.

    As in KITTI's program, detections that are neutral at the difficulty take part whatever their
    class. Truths beyond the radius are neutral, detections beyond it no false alarms.

    Args:
        frame: Truths and detections.
        label: The class.
        setting: What counts.
        overlaps: (T, D) of all truths with all detections, where already known.
    """
    if overlaps is None:
        overlaps = box_overlaps(frame, setting.plane)
    truths = np.flatnonzero(frame.truth_labels == label)
    counts = (frame.labels == label) & (frame.levels <= setting.level)
    taking_part = np.flatnonzero(counts | (frame.levels > setting.level))
    truth_counts = frame.truth_levels[truths] <= setting.level
    excused = frame.outside if setting.devkit else frame.outside | frame.dont_care
    if setting.radius_m is not None:
        truth_counts &= _distance(frame.truth_boxes[truths]) <= setting.radius_m
        excused = excused | (_distance(frame.boxes) > setting.radius_m)
    match = match_frame(
        overlaps[np.ix_(truths, taking_part)],
        frame.scores[taking_part],
        truth_counts,
        counts[taking_part],
        excused[taking_part],
        setting.min_overlap,
    )
    match.pairs[:, 0] = truths[match.pairs[:, 0]]
    match.pairs[:, 1] = taking_part[match.pairs[:, 1]]
    return match


def answers_calibration_error(answers: Sequence[NDArray[np.float64]]) -> float:
    """`calibration_error` of `FrameMatch.answers` from `DOUBTFUL_SCORE` on.

    What a network all but rules out is right as seldom as it says, and there is much of it.
    """
    scores, right = np.concatenate([*answers, np.zeros((0, 2))]).T
    some = scores >= DOUBTFUL_SCORE
    return calibration_error(scores[some], right[some] > 0.5)


def _headings(frame: BoxFrame, match: FrameMatch) -> tuple[int, int]:
    """How many of the matched boxes point the right way, and how many are matched."""
    truth, detection = match.pairs.T
    difference = frame.truth_boxes[truth, 6] - frame.boxes[detection, 6]
    return int(np.sum(np.cos(difference) > 0.0)), len(match.pairs)


def box_overlaps(frame: BoxFrame, plane: Plane) -> NDArray[np.float64]:
    """(T, D) intersection over union of every truth with every detection."""
    if plane == "3d":
        return iou_3d(frame.truth_boxes, frame.boxes)
    return iou_bev(frame.truth_boxes[:, _BEV_COLUMNS], frame.boxes[:, _BEV_COLUMNS])


def _distance(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.hypot(boxes[:, 0], boxes[:, 1]))


def _check_length(name: str, values: NDArray[np.generic], count: int) -> None:
    if values.shape != (count,):
        raise ValueError(f"{name}: expected ({count},), got {values.shape}")
