"""What the classes and scores of two sensors say together about one object (Bayes' rule)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spatial_perception.core.labels import LabelSet

CAMERA_CONFUSION: Mapping[str, Mapping[str, float]] = {
    "car": {"car": 0.90, "truck": 0.06, "bus": 0.02},
    "truck": {"truck": 0.55, "bus": 0.25, "car": 0.18},
    "pedestrian": {"person": 0.92, "bicycle": 0.04, "motorcycle": 0.02},
    "cyclist": {"person": 0.92, "bicycle": 0.28, "motorcycle": 0.10},
}
"""How likely a box of a class is on an object of another; the rest goes to all others alike.

A rider is a person: `person` says as much of a cyclist as of a pedestrian, so that it tells
nothing of which of the two it is. What does is a two-wheeler's box on the object or under it.
"""

VEHICLES = ("car", "truck", "bus", "trailer")
TWO_WHEELERS = ("bicycle", "motorcycle")
TWO_WHEELER_SHARE: Mapping[str, float] = {"cyclist": 0.25, "pedestrian": 0.04}
"""How often a camera that sees a person has a box of a two-wheeler there too.

That it has none is no evidence: detectors rarely give the bicycle under a rider a box of its own.
"""

USUAL_LWH_M: Mapping[str, tuple[float, float, float]] = {
    "car": (4.1, 1.75, 1.6),
    "truck": (8.0, 2.5, 3.0),
    "pedestrian": (0.75, 0.65, 1.72),
    "cyclist": (1.75, 0.65, 1.7),
}

_SIZE_SIGMA = np.array([0.35, 0.25, 0.2])  # of the logarithm of length, width, height
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
        usual = [USUAL_LWH_M.get(name, (2.0, 1.5, 1.6)) for name in lidar.names]
        self._usual_logs = np.log(np.array(usual))
        self.is_vehicle = np.array([name in VEHICLES for name in lidar.names], bool)
        self.is_camera_vehicle = np.array([name in VEHICLES for name in camera.names], bool)
        self.is_two_wheeler = np.array([name in TWO_WHEELERS for name in camera.names], bool)

    def prior(self, labels: np.ndarray, scores: np.ndarray, sizes_lwh_m: np.ndarray) -> np.ndarray:
        """Returns (N, K) probabilities of the LiDAR's classes from labels, scores and sizes.

        Sizes count so that a box of a car in a picture does not make a car of who stands before it.
        """
        count = len(self._lidar)
        chance = 1.0 / max(count, 1)
        right = chance + (self._trust - chance) * scores.astype(np.float64)
        prior = np.repeat(((1 - right) / max(count - 1, 1))[:, None], count, axis=1)
        prior[np.arange(len(labels)), labels] = right
        off = np.log(np.maximum(sizes_lwh_m, 0.1))[:, None] - self._usual_logs[None]
        prior *= np.exp(-np.square(off / _SIZE_SIGMA).sum(axis=2) / 6) + 1e-6
        prior /= prior.sum(axis=1, keepdims=True)
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

    def with_two_wheelers(self, posterior: np.ndarray, is_there: np.ndarray) -> np.ndarray:
        """Returns (N, K) probabilities after two-wheelers were found under some of the objects."""
        factor = np.ones_like(posterior)
        for column, name in enumerate(self._lidar.names):
            if name in TWO_WHEELER_SHARE:
                factor[is_there, column] = TWO_WHEELER_SHARE[name]
        product = posterior * factor
        better: np.ndarray = product / product.sum(axis=1, keepdims=True)
        return better


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Returns log(p / (1 - p)), bounded."""
    bounded = np.clip(probability.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: np.ndarray = np.log(bounded / (1 - bounded))
    return odds


def probability(odds: np.ndarray) -> np.ndarray:
    """Returns the probability of log-odds."""
    share: np.ndarray = 1.0 / (1.0 + np.exp(-odds))
    return share
