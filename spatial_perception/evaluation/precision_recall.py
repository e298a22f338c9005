"""Precision over recall from matched frames, and the average precision KITTI reads off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.evaluation.matching import FrameMatch

RECALL_POINTS = 40
Floats = NDArray[np.float64]
Weights = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A precision-recall curve, one entry a distinct score, descending.

    Attributes:
        scores: (S,) float64.
        recall: (S,) float64, 0..1.
        precision: (S,) float64, 0..1, as counted (not yet made monotone).
    """

    scores: Floats
    recall: Floats
    precision: Floats


class PrecisionRecall:
    """The matches of one class over all frames, sorted once, so that resampling frames is cheap.

    Every method takes `weights`, (F,) int64: how often each frame counts (None: once each).
    """

    def __init__(self, matches: Sequence[FrameMatch]) -> None:
        self.frames = len(matches)
        self._truths = np.array([match.truths for match in matches], dtype=np.int64)
        scores = _joined([match.scores for match in matches])
        frame = np.repeat(np.arange(self.frames), [len(match.scores) for match in matches])
        hits = _joined([np.diff(match.hits, prepend=0) for match in matches])
        alarms = _joined([np.diff(match.false_alarms, prepend=0) for match in matches])
        order = np.argsort(-scores, kind="stable")
        self._scores, self._frame = scores[order], frame[order]
        self._hits, self._alarms = hits[order], alarms[order]
        self._last = np.flatnonzero(np.diff(self._scores, append=-np.inf))
        hit_scores = _joined([match.hit_scores for match in matches])
        hit_frame = np.repeat(np.arange(self.frames), [len(match.hit_scores) for match in matches])
        order = np.argsort(-hit_scores, kind="stable")
        self._hit_scores, self._hit_frame = hit_scores[order], hit_frame[order]

    def truths(self, weights: Weights | None = None) -> int:
        """Number of truths that count."""
        return int(self._truths @ self._weights(weights))

    def curve(self, weights: Weights | None = None) -> Curve:
        """The curve over all distinct scores; recall is NaN where no truth counts."""
        weight = self._weights(weights)[self._frame]
        hits = np.cumsum(weight * self._hits)[self._last].astype(np.float64)
        alarms = np.cumsum(weight * self._alarms)[self._last]
        truths = self.truths(weights)
        found = np.maximum(hits + alarms, 1)
        recall = hits / truths if truths else np.full_like(hits, np.nan)
        return Curve(self._scores[self._last], recall, hits / found)

    def average_precision(
        self,
        points: int = RECALL_POINTS,
        weights: Weights | None = None,
        devkit: bool = False,
    ) -> float:
        """Average precision in percent over 40 (or 11) recall points; NaN where no truth counts.

        The precisions are read at the score thresholds of KITTI's program. That program gives no
        more recall points than there are hits, so that a faultless detector with 30 truths ends at
        72.5; with 40 truths or fewer the definition it approximates is computed instead: the mean
        over the recall points r of the highest precision at any recall of at least r.

        Args:
            points: 40 (recall 1/40..1) or 11 (recall 0, 0.1..1).
            weights: How often each frame counts.
            devkit: True to follow KITTI's program whatever the number of truths.
        """
        if points not in (11, RECALL_POINTS):
            raise ValueError(f"points: expected 11 or {RECALL_POINTS}, got {points}")
        truths = self.truths(weights)
        if not truths:
            return float("nan")
        sampled = devkit or truths > RECALL_POINTS
        precision = self._sampled(weights) if sampled else self._interpolated(weights)
        chosen = precision[1:] if points == RECALL_POINTS else precision[::4]
        return 100.0 * float(chosen.sum()) / points

    def recall_at_precision(self, precision: float, weights: Weights | None = None) -> float:
        """The highest recall, in percent, of any threshold with at least `precision` (0..1)."""
        curve = self.curve(weights)
        if not self.truths(weights):
            return float("nan")
        good = curve.precision >= precision
        return 100.0 * float(curve.recall[good].max()) if good.any() else 0.0

    def _interpolated(self, weights: Weights | None) -> Floats:
        """(41,) highest precision at recall >= 0, 1/40 .. 1."""
        curve = self.curve(weights)
        wanted = np.arange(RECALL_POINTS + 1)[:, None] / RECALL_POINTS
        reached = curve.recall[None, :] >= wanted - 1e-9
        return np.max(np.where(reached, curve.precision[None, :], 0.0), axis=1, initial=0.0)

    def _sampled(self, weights: Weights | None) -> Floats:
        """(41,) best precision at each of KITTI's sampled thresholds or a lower one."""
        repeat = self._weights(weights)[self._hit_frame]
        chosen = sample_thresholds(np.repeat(self._hit_scores, repeat), self.truths(weights))
        precision = np.zeros(RECALL_POINTS + 1)
        if len(chosen):
            curve = self.curve(weights)
            index = len(curve.scores) - np.searchsorted(curve.scores[::-1], chosen, side="left") - 1
            precision[: len(chosen)] = curve.precision[index]
        return np.asarray(np.maximum.accumulate(precision[::-1])[::-1])

    def _weights(self, weights: Weights | None) -> Weights:
        return np.ones(self.frames, dtype=np.int64) if weights is None else weights


def sample_thresholds(hit_scores: Floats, truths: int) -> Floats:
    """Score thresholds nearest to the recalls 0, 1/40 .. 1, as KITTI's program picks them.

    A hit is passed over while the next one lies nearer to the wanted recall; the last hit is
    always taken. Each hit serves one recall point at most.

    Args:
        hit_scores: (H,) float64 scores of the hits, descending.
        truths: Number of truths that count.
    """
    chosen: list[float] = []
    wanted, index, last = 0.0, 0, len(hit_scores) - 1
    while index <= last:
        if index < last:
            nearest = int(np.ceil(wanted * truths - 1.5)) - 1
            index = min(max(index, nearest), last)
        while index < last and (index + 2) / truths - wanted < wanted - (index + 1) / truths:
            index += 1
        chosen.append(float(hit_scores[index]))
        wanted += 1.0 / RECALL_POINTS
        index += 1
    return np.array(chosen[: RECALL_POINTS + 1])


def _joined(parts: Sequence[NDArray[np.generic]]) -> Floats:
    return np.concatenate([*parts, np.zeros(0)]).astype(np.float64)
