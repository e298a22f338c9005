"""Detections as a tracker's filters and costs take them, and what it takes each class to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core import Detections3D
from spatial_perception.pipelines.association import Candidates
from spatial_perception.pipelines.motion import MotionModel, measurement_noise

MOTION_MODELS = {
    "car": MotionModel(True, 2.0, 0.3, 8.0, 0.20, 0.12, 0.004, 0.25, 0.3),
    "truck": MotionModel(True, 1.5, 0.25, 8.0, 0.50, 0.20, 0.006, 0.25, 0.4),
    "cyclist": MotionModel(True, 1.5, 0.6, 4.0, 0.15, 0.12, 0.004, 0.35, 0.4),
    "pedestrian": MotionModel(False, 1.2, 1.0, 1.5, 0.10, 0.10, 0.003, 0.8, 0.5),
}
OTHER_MODEL = MotionModel(False, 2.0, 1.0, 4.0, 0.3, 0.3, 0.005, 0.8, 0.4)
"""Of a class that is not in the table."""

LONG_CLASSES = ("car", "truck", "bus", "trailer")  # what a planner calls vehicles


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Detections with what the filters want to know of them.

    Attributes:
        detections: as they came.
        measured: (N, 3) float64 x y yaw.
        noise: (N, 3, 3) float64 covariance of those.
        candidates: for the cost of pairs.
        scores: (N,) float64, bounded.
        evidence: (N,) float64, what each adds to the log-odds of existence.
    """

    detections: Detections3D
    measured: np.ndarray
    noise: np.ndarray
    candidates: Candidates
    scores: np.ndarray
    evidence: np.ndarray

    @classmethod
    def of(
        cls,
        detections: Detections3D,
        origin_m: np.ndarray,
        models: list[MotionModel],
        score_weight: float,
    ) -> Seen:
        """Returns what detections say.

        Args:
            detections: in the frame of the tracks.
            origin_m: (2,) where they were seen from.
            models: of each class.
            score_weight: of a detection's log-odds in its evidence.
        """
        positions = detections.centers_m[:, :2].astype(np.float64)
        yaws = detections.yaws_rad.astype(np.float64)
        measured = np.concatenate([positions, yaws[:, None]], axis=1)
        table = np.array(
            [[m.along_m, m.across_m, m.per_metre, m.yaw_rad, m.doubtful_score] for m in models]
        )
        along, across, per_metre, yaw_noise, doubtful = table[detections.labels].T
        away = np.hypot(*(positions - origin_m).T) * per_metre
        noise = measurement_noise(yaws, along + away, across + away, yaw_noise)
        scores = np.clip(detections.scores.astype(np.float64), 0.02, 0.98)
        candidates = Candidates(
            positions,
            yaws,
            detections.sizes_lwh_m.astype(np.float64),
            _class_likelihood(detections.labels, scores, len(models)),
        )
        evidence = score_weight * (_log_odds(scores) - _log_odds(doubtful))
        return cls(detections, measured, noise, candidates, scores, evidence)


def _class_likelihood(labels: np.ndarray, scores: np.ndarray, classes: int) -> np.ndarray:
    """Returns (N, C): how probable a detection of this class is for an object of each class."""
    share = 0.6 + 0.35 * scores
    likelihood = np.repeat(((1 - share) / max(classes - 1, 1))[:, None], classes, axis=1)
    likelihood[np.arange(len(labels)), labels] = share
    return likelihood


def _log_odds(probability: np.ndarray) -> np.ndarray:
    odds: np.ndarray = np.log(probability / (1.0 - probability))
    return odds
