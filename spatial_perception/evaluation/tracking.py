"""CLEAR MOT and HOTA of one sequence, from similarities of truths and tracks frame by frame.

CLEAR MOT: K. Bernardin, R. Stiefelhagen: Evaluating multiple object tracking performance (2008),
with the fragmentations of MOTChallenge. HOTA: J. Luiten et al.: HOTA, a higher order metric for
evaluating multi-object tracking (2020). Both count as TrackEval counts, but for frames without any
truth or without any track: TrackEval's CLEAR MOT passes over them, as if what was followed before
were followed still, here they end it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALPHAS: Floats = np.arange(0.05, 0.99, 0.05)
_KEEP_BONUS = 1000.0
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False)
class TrackingFrame:
    """What is true and what was tracked at one time.

    Attributes:
        truth_ids: (T,) int64.
        track_ids: (K,) int64.
        similarity: (T, K) float64 in 0..1.
        velocity_errors_mps: (T, K) float64, NaN for truths whose velocity does not count.
    """

    truth_ids: Integers
    track_ids: Integers
    similarity: Floats
    velocity_errors_mps: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TrackingCounts:
    """Sums over the frames of a sequence; those of several sequences add up.

    Attributes:
        hits: truths answered by a track.
        misses: truths without one.
        false_alarms: tracks without a truth.
        switches: truths whose track has another id than the one before.
        fragments: how often truths are found again after having been lost.
        similarity: sum over the hits.
        velocity_squares: sum of squared velocity errors over hits that count.
        velocity_hits: how many those are.
        hota_hits: (19,) hits at each threshold of HOTA.
        hota_misses: (19,) misses likewise.
        hota_false_alarms: (19,) false alarms likewise.
        hota_association: (19,) sum of the association accuracy over the hits.
    """

    hits: float
    misses: float
    false_alarms: float
    switches: float
    fragments: float
    similarity: float
    velocity_squares: float
    velocity_hits: float
    hota_hits: Floats
    hota_misses: Floats
    hota_false_alarms: Floats
    hota_association: Floats

    def metrics(self) -> dict[str, float]:
        """Returns the metrics by name, empty where there is no truth."""
        truths = self.hits + self.misses
        if not truths:
            return {}
        found = {
            "mota": 100.0 * (self.hits - self.false_alarms - self.switches) / truths,
            "hota": 100.0 * float(np.mean(self._hota())),
            "recall": 100.0 * self.hits / truths,
            "precision": 100.0 * self.hits / max(self.hits + self.false_alarms, 1.0),
            "id_switches_per_1000": 1000.0 * self.switches / truths,
            "fragmentation_per_1000": 1000.0 * self.fragments / truths,
        }
        if self.hits:
            found["motp"] = 100.0 * self.similarity / self.hits
        if self.velocity_hits:
            found["velocity_rmse_mps"] = float(np.sqrt(self.velocity_squares / self.velocity_hits))
        return found

    def _hota(self) -> Floats:
        total = self.hota_hits + self.hota_misses + self.hota_false_alarms
        detection = self.hota_hits / np.maximum(1.0, total)
        association = self.hota_association / np.maximum(1.0, self.hota_hits)
        hota: Floats = np.sqrt(detection * association)
        return hota


def combined(counts: Sequence[TrackingCounts], weights: NDArray[np.int64]) -> TrackingCounts:
    """Returns the weighted sum of the counts of several sequences."""
    sums = (
        sum(weight * getattr(one, f.name) for one, weight in zip(counts, weights, strict=True))
        for f in fields(TrackingCounts)
    )
    return TrackingCounts(*sums)


def count_tracking(frames: Sequence[TrackingFrame], threshold: float = 0.5) -> TrackingCounts:
    """Returns the counts of one sequence.

    Args:
        frames: in order of time; ids hold within the sequence.
        threshold: least similarity of a hit, CLEAR MOT.
    """
    clear = _clear(frames, threshold)
    return TrackingCounts(*clear, *_hota_counts(frames))


def _clear(
    frames: Sequence[TrackingFrame], threshold: float
) -> tuple[float, float, float, float, float, float, float, float]:
    hits = misses = false_alarms = switches = 0
    similarity = squares = 0.0
    velocity_hits = 0
    last_id: dict[int, int] = {}  # of each truth, whenever it was last answered
    before: dict[int, int] = {}  # of each truth, in the frame before
    stretches: dict[int, int] = {}  # how often each truth was begun to be followed
    for frame in frames:
        kept = np.array([before.get(int(i), -1) for i in frame.truth_ids])
        score = frame.similarity + _KEEP_BONUS * (kept[:, None] == frame.track_ids[None, :])
        score[frame.similarity < threshold - _EPS] = 0.0
        rows, columns = linear_sum_assignment(-score)
        formed = score[rows, columns] > _EPS
        rows, columns = rows[formed], columns[formed]
        now: dict[int, int] = {}
        for row, column in zip(rows, columns, strict=True):
            truth, track = int(frame.truth_ids[row]), int(frame.track_ids[column])
            switches += last_id.get(truth, track) != track
            now[truth] = last_id[truth] = track
            if truth not in before:
                stretches[truth] = stretches.get(truth, 0) + 1
        errors = frame.velocity_errors_mps[rows, columns]
        counting = np.isfinite(errors)
        squares += float(np.square(errors[counting]).sum())
        velocity_hits += int(counting.sum())
        similarity += float(frame.similarity[rows, columns].sum())
        hits += len(rows)
        misses += len(frame.truth_ids) - len(rows)
        false_alarms += len(frame.track_ids) - len(rows)
        before = now
    fragments = sum(count - 1 for count in stretches.values())
    return hits, misses, false_alarms, switches, fragments, similarity, squares, velocity_hits


def _hota_counts(frames: Sequence[TrackingFrame]) -> tuple[Floats, Floats, Floats, Floats]:
    truths = np.unique(np.concatenate([f.truth_ids for f in frames] or [np.zeros(0, np.int64)]))
    tracks = np.unique(np.concatenate([f.track_ids for f in frames] or [np.zeros(0, np.int64)]))
    truth_frames, track_frames = np.zeros(len(truths)), np.zeros(len(tracks))
    together = np.zeros((len(truths), len(tracks)))
    indexed = []
    for frame in frames:
        rows = np.searchsorted(truths, frame.truth_ids)
        columns = np.searchsorted(tracks, frame.track_ids)
        indexed.append((rows, columns, frame.similarity))
        truth_frames[rows] += 1
        track_frames[columns] += 1
        both = frame.similarity
        union = both.sum(axis=0)[None, :] + both.sum(axis=1)[:, None] - both
        share = np.divide(both, union, out=np.zeros_like(both), where=union > _EPS)
        together[rows[:, None], columns[None, :]] += share
    alignment = together / np.maximum(
        truth_frames[:, None] + track_frames[None, :] - together, _EPS
    )
    matches = np.zeros((len(ALPHAS), len(truths), len(tracks)))
    hits, misses, false_alarms = (np.zeros(len(ALPHAS)) for _ in range(3))
    for rows, columns, similarity in indexed:
        taken = _hota_pairs(alignment[rows[:, None], columns[None, :]], similarity)
        for k, alpha in enumerate(ALPHAS):
            formed = similarity[taken] >= alpha - _EPS
            count = int(formed.sum())
            hits[k] += count
            misses[k] += len(rows) - count
            false_alarms[k] += len(columns) - count
            matches[k, rows[taken[0][formed]], columns[taken[1][formed]]] += 1
    either = np.maximum(1.0, truth_frames[None, :, None] + track_frames[None, None, :] - matches)
    association = (matches * matches / either).sum(axis=(1, 2))
    return hits, misses, false_alarms, association


def _hota_pairs(alignment: Floats, similarity: Floats) -> tuple[Integers, Integers]:
    rows, columns = linear_sum_assignment(-(alignment * similarity))
    return rows.astype(np.int64), columns.astype(np.int64)
