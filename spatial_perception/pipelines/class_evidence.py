"""What the classes and scores of two sensors say together about one object (Bayes' rule)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spatial_perception.core.labels import LabelSet

CAMERA_CONFUSION: Mapping[str, Mapping[str, float]] = {
    "car": {"car": 0.90, "truck": 0.06, "bus": 0.02},
    "truck": {"truck": 0.55, "bus": 0.25, "car": 0.18},
    "pedestrian": {"person": 0.92, "bicycle": 0.04, "motorcycle": 0.02},
    "cyclist": {"bicycle": 0.45, "person": 0.35, "motorcycle": 0.18},
}
"""How often a camera gives which class for which object; the rest goes to all others alike."""

_REST = 0.02


class ClassEvidence:
    """Combines LiDAR and camera classes.

    Args:
        lidar: classes of the LiDAR's objects.
        camera: classes of the camera's boxes.
        lidar_trust: share of LiDAR classes that are right at a score of 1; at 0 none is better
            than chance.
    """

    def __init__(self, lidar: LabelSet, camera: LabelSet, lidar_trust: float) -> None:
        self._lidar, self._trust = lidar, lidar_trust
        self.table = np.full((len(lidar), len(camera)), _REST / max(len(camera), 1))
        for row, name in enumerate(lidar.names):
            given = CAMERA_CONFUSION.get(name, {name: 0.9})
            for other, share in given.items():
                if other in camera.names:
                    self.table[row, camera.index(other)] += share
        self.can_be = self.table.max(axis=0) > 0.1
        """(C,) bool, which of the camera's classes are objects that the LiDAR knows."""

    def prior(self, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Returns (N, K) probabilities of the LiDAR's classes from its own labels and scores."""
        count = len(self._lidar)
        chance = 1.0 / max(count, 1)
        right = chance + (self._trust - chance) * scores.astype(np.float64)
        prior = np.repeat(((1 - right) / max(count - 1, 1))[:, None], count, axis=1)
        prior[np.arange(len(labels)), labels] = right
        return prior

    def posterior(
        self, prior: np.ndarray, camera_labels: np.ndarray, camera_scores: np.ndarray
    ) -> np.ndarray:
        """Returns (N, K) probabilities after one camera box each; a low score says little."""
        trust = camera_scores.astype(np.float64)[:, None]
        flat = np.full_like(prior, 1.0 / self.table.shape[1])
        product = prior * (trust * self.table[:, camera_labels].T + (1 - trust) * flat)
        posterior: np.ndarray = product / product.sum(axis=1, keepdims=True)
        return posterior


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Returns log(p / (1 - p)), bounded."""
    bounded = np.clip(probability.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: np.ndarray = np.log(bounded / (1 - bounded))
    return odds


def probability(odds: np.ndarray) -> np.ndarray:
    """Returns the probability of log-odds."""
    share: np.ndarray = 1.0 / (1.0 + np.exp(-odds))
    return share
