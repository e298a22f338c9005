"""Which detection answers which truth in one frame, by KITTI's rules, at every score threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class FrameMatch:
    """What one frame adds to a precision-recall curve of one class.

    Attributes:
        truths: Number of truths that count.
        hit_scores: (H,) float64, scores of the hits when every detection takes part and each truth
            takes its best-scoring candidate: the scores KITTI samples its thresholds from.
        scores: (E,) float64, the distinct scores, descending.
        hits: (E,) int64, hits among the detections with at least that score.
        false_alarms: (E,) int64, false alarms likewise.
        pairs: (P, 2) int64, (truth, detection) of the hits with every detection taking part.
        answers: (N, 2) float64, score of each hit and false alarm with every detection taking part,
            and 1 for a hit, 0 for a false alarm.
    """

    truths: int
    hit_scores: Floats
    scores: Floats
    hits: Integers
    false_alarms: Integers
    pairs: Integers
    answers: Floats

    def errors(self, min_score: float) -> int:
        """Misses and false alarms when detections below `min_score` are dropped."""
        kept = int(np.sum(self.scores >= min_score))
        if not kept:
            return self.truths
        return self.truths - int(self.hits[kept - 1]) + int(self.false_alarms[kept - 1])


def match_frame(
    overlaps: Floats,
    scores: Floats,
    truth_counts: Bools,
    detection_counts: Bools,
    excused: Bools,
    min_overlap: float,
) -> FrameMatch:
    """Matches one frame's detections to its truths.

    A truth takes, among the detections still free whose overlap exceeds `min_overlap`, the counting
    one with the largest overlap, or failing that a neutral one; truths choose in their order. A
    counting pair is a hit. A pair with a neutral member is neither hit, miss nor false alarm. A
    counting detection that nobody took is a false alarm unless it is excused.

    Args:
        overlaps: (T, D), each truth with each detection.
        scores: (D,) confidences.
        truth_counts: (T,) bool, False for neutral truths (too hard, a neighbouring class).
        detection_counts: (D,) bool, False for neutral detections (too small).
        excused: (D,) bool, detections that are no false alarm when unmatched (outside the image,
            in a DontCare region, out of range).
        min_overlap: What a pair's overlap has to exceed.
    """
    candidates = overlaps > min_overlap
    by_score = np.broadcast_to(scores, overlaps.shape)
    first = _assign(candidates, by_score, np.ones_like(detection_counts))
    hit_scores = [scores[d] for t, d in first if truth_counts[t] and detection_counts[d]]

    levels = np.unique(scores)[::-1]
    alarming = detection_counts & ~excused
    unmatched = np.sort(scores[alarming])
    false_alarms = len(unmatched) - np.searchsorted(unmatched, levels, side="left")
    hits = np.zeros(len(levels), dtype=np.int64)
    assigned: list[tuple[int, int]] = []
    pairs: list[tuple[int, int]] = []
    changing = np.isin(levels, scores[candidates.any(axis=0)])
    taken = 0
    for index, level in enumerate(levels):
        if changing[index]:
            assigned = _assign(candidates & (scores >= level), overlaps, detection_counts)
            pairs = [(t, d) for t, d in assigned if truth_counts[t] and detection_counts[d]]
            taken = sum(bool(alarming[d]) for _, d in assigned)
        false_alarms[index] -= taken
        hits[index] = len(pairs)
    alarming[[d for _, d in assigned]] = False
    right = scores[[d for _, d in pairs]]
    wrong = scores[alarming]
    verdicts = np.repeat([1.0, 0.0], [len(right), len(wrong)])
    return FrameMatch(
        truths=int(truth_counts.sum()),
        hit_scores=np.array(hit_scores, dtype=np.float64),
        scores=levels.astype(np.float64),
        hits=hits,
        false_alarms=false_alarms.astype(np.int64),
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        answers=np.column_stack([np.concatenate([right, wrong]), verdicts]),
    )


def _assign(candidates: Bools, preference: Floats, preferred: Bools) -> list[tuple[int, int]]:
    """(truth, detection) pairs; each truth in turn takes the best free candidate.

    Args:
        candidates: (T, D) bool, pairs that may be formed.
        preference: (T, D), larger is better; the first of equals wins.
        preferred: (D,) bool, detections that go before the others whatever their preference.
    """
    free = np.ones(candidates.shape[1], dtype=bool)
    pairs: list[tuple[int, int]] = []
    for truth in np.flatnonzero(candidates.any(axis=1)):
        choice = np.flatnonzero(candidates[truth] & free)
        if not choice.size:
            continue
        better = choice[preferred[choice]]
        best = better[np.argmax(preference[truth, better])] if better.size else choice[0]
        free[best] = False
        pairs.append((int(truth), int(best)))
    return pairs
