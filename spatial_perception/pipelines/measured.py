"""Detections as a tracker's filters and costs take them, and what it takes each class to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core import Detections3D
from spatial_perception.pipelines.association import Candidates
from spatial_perception.pipelines.motion import MotionModel, measurement_noise

MOTION_MODELS = {
    "car": MotionModel(
        turns=True,
        acceleration_mps2=1.5,
        yaw_acceleration_radps2=0.2,
        first_speed_mps=8.0,
        along_m=0.10,
        across_m=0.06,
        per_metre=0.003,
        yaw_rad=0.15,
        yaw_per_metre=0.004,
        top_speed_mps=70.0,
        doubtful_score=0.3,
    ),
    "truck": MotionModel(
        turns=True,
        acceleration_mps2=1.5,
        yaw_acceleration_radps2=0.25,
        first_speed_mps=8.0,
        along_m=0.35,
        across_m=0.12,
        per_metre=0.002,
        yaw_rad=0.12,
        yaw_per_metre=0.001,
        top_speed_mps=40.0,
        doubtful_score=0.3,
    ),
    "cyclist": MotionModel(
        turns=True,
        acceleration_mps2=1.5,
        yaw_acceleration_radps2=0.6,
        first_speed_mps=6.0,
        along_m=0.06,
        across_m=0.06,
        per_metre=0.001,
        yaw_rad=0.5,
        yaw_per_metre=0.008,
        top_speed_mps=20.0,
        doubtful_score=0.1,
    ),
    "pedestrian": MotionModel(
        turns=False,
        acceleration_mps2=1.2,
        yaw_acceleration_radps2=1.0,
        first_speed_mps=3.0,
        along_m=0.06,
        across_m=0.06,
        per_metre=0.001,
        yaw_rad=0.8,
        yaw_per_metre=0.0,
        top_speed_mps=2.5,
        doubtful_score=0.13,
    ),
}
"""Noise is that of the shipped detector's boxes from one scan to the next, on simulated drives.

Lasting errors, of the length of a car of which one end is seen, say, do not make it move.
"""

OTHER_MODEL = MotionModel(
    turns=False,
    acceleration_mps2=2.0,
    yaw_acceleration_radps2=1.0,
    first_speed_mps=4.0,
    along_m=0.3,
    across_m=0.3,
    per_metre=0.005,
    yaw_rad=0.8,
    yaw_per_metre=0.0,
    top_speed_mps=70.0,
    doubtful_score=0.4,
)
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
        confusion: np.ndarray,
        score_weight: float,
    ) -> Seen:
        """Returns what detections say.

        Args:
            detections: in the frame of the tracks.
            origin_m: (2,) where they were seen from.
            models: of each class.
            confusion: (C, C), how likely each answer (column) is for an object of each class.
            score_weight: of a detection's log-odds in its evidence.
        """
        positions = detections.centers_m[:, :2].astype(np.float64)
        yaws = detections.yaws_rad.astype(np.float64)
        measured = np.concatenate([positions, yaws[:, None]], axis=1)
        near = np.array([(m.along_m, m.across_m, m.yaw_rad) for m in models])[detections.labels]
        far = np.array([(m.per_metre, m.per_metre, m.yaw_per_metre) for m in models])
        range_m = np.hypot(*(positions - origin_m).T)
        noise = measurement_noise(yaws, *(near + range_m[:, None] * far[detections.labels]).T)
        doubtful = np.array([m.doubtful_score for m in models])[detections.labels]
        scores = np.clip(detections.scores.astype(np.float64), 0.02, 0.98)
        candidates = Candidates(
            positions,
            yaws,
            detections.sizes_lwh_m.astype(np.float64),
            _class_likelihood(detections.labels, scores, confusion),
        )
        evidence = score_weight * (_log_odds(scores) - _log_odds(doubtful))
        return cls(detections, measured, noise, candidates, scores, evidence)


def _class_likelihood(labels: np.ndarray, scores: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """Returns (N, C): how probable a detection of this class is for an object of each class."""
    trust = (0.6 + 0.35 * scores)[:, None]
    likelihood: np.ndarray = trust * confusion[:, labels].T + (1 - trust) / len(confusion)
    return likelihood


def _log_odds(probability: np.ndarray) -> np.ndarray:
    odds: np.ndarray = np.log(probability / (1.0 - probability))
    return odds
