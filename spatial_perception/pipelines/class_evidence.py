"""What the classes and scores of two sensors say together about one object (Bayes' rule)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from spatial_perception.core.labels import LabelSet

CAMERA_CONFUSION: Mapping[str, Mapping[str, float]] = {
    "car": {"car": 0.83, "bus": 0.09, "truck": 0.06},
    "truck": {"bus": 0.50, "truck": 0.40, "car": 0.08},
    "pedestrian": {"person": 0.88, "bicycle": 0.08, "motorcycle": 0.02},
    "cyclist": {"person": 0.88, "bicycle": 0.08, "motorcycle": 0.02},
}
"""How likely a box of a class is on an object of another; the rest goes to all others alike.

A rider is a person: the box on an object says as much of a cyclist as of a pedestrian, so that it
tells nothing of which of the two it is. What does is a two-wheeler's box besides, under it.
Measured with the shipped detector on simulated pictures, where it gives lorries as buses most of
the time; trucks are evened out, because in real ones it does not.
"""

LIDAR_CONFUSION: Mapping[str, Mapping[str, float]] = {
    "car": {"car": 0.96, "truck": 0.02},
    "truck": {"truck": 0.90, "car": 0.08},
    "pedestrian": {"pedestrian": 0.96, "cyclist": 0.02},
    "cyclist": {"cyclist": 0.885, "pedestrian": 0.095},
}
"""The same of the LiDAR: riders from ahead or behind, or far away, may be pedestrians to it.

People: measured with the shipped detector on simulated drives. Vehicles: not as sure as there.
"""

VEHICLES = ("car", "truck", "bus", "trailer")
TWO_WHEELERS = ("bicycle", "motorcycle")
TWO_WHEELER_SHARE: Mapping[str, float] = {"cyclist": 0.27, "pedestrian": 0.02}
"""How often a camera that sees a person has a sure box of a two-wheeler under it too.

That it has none is no evidence: detectors rarely give the bicycle under a rider a box of its own.
"""

USUAL_LWH_M: Mapping[str, tuple[float, float, float]] = {
    "car": (4.1, 1.75, 1.6),
    "truck": (8.0, 2.5, 3.0),
    "pedestrian": (0.8, 0.65, 1.72),
    "cyclist": (1.65, 0.65, 1.75),
}

_SIZE_SIGMA = np.array([0.25, 0.25, 0.2])  # of the logarithm of length, width, height
_REST = 0.02
_SURE_SCORE = 0.1  # what lies below may be anything


class ClassEvidence:
    """Combines LiDAR and camera classes.

    Args:
        lidar: classes of the LiDAR's objects.
        camera: classes of the camera's boxes.
        lidar_trust: how far the LiDAR's classes are believed; at 0 they say nothing.
    """

    def __init__(self, lidar: LabelSet, camera: LabelSet, lidar_trust: float) -> None:
        self._lidar, self._trust = lidar, lidar_trust
        self.table = likelihoods(CAMERA_CONFUSION, lidar, camera)
        self._lidar_table = likelihoods(LIDAR_CONFUSION, lidar, lidar)
        self.can_be = self.table.max(axis=0) > 0.1
        """(C,) bool, which of the camera's classes are objects that the LiDAR knows."""
        usual = [USUAL_LWH_M.get(name, (2.0, 1.5, 1.6)) for name in lidar.names]
        self._usual_logs = np.log(np.array(usual))
        self.is_vehicle = np.array([name in VEHICLES for name in lidar.names], bool)
        self.is_camera_vehicle = np.array([name in VEHICLES for name in camera.names], bool)
        self.is_two_wheeler = np.array([name in TWO_WHEELERS for name in camera.names], bool)

    def prior(self, labels: np.ndarray, scores: np.ndarray, sizes_lwh_m: np.ndarray) -> np.ndarray:
        """Returns (N, K) probabilities of the LiDAR's classes from labels, scores and sizes.

        The size that a detector gives an object under a wrong class lies between those of both
        classes: a cyclist taken for a pedestrian is longer than a pedestrian. Sizes also keep the
        box of a car in a picture from making a car of who stands before it.
        """
        trust = self._trust * np.minimum(scores.astype(np.float64) / _SURE_SCORE, 1.0)[:, None]
        flat = 1.0 / max(len(self._lidar), 1)
        prior: np.ndarray = trust * self._lidar_table[:, labels].T + (1 - trust) * flat
        expected = (self._usual_logs[None] + self._usual_logs[labels][:, None]) / 2
        off = np.log(np.maximum(sizes_lwh_m, 0.1))[:, None] - expected
        prior *= np.exp(-np.square(off / _SIZE_SIGMA).sum(axis=2) / 2) + 1e-6
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


def likelihoods(
    confusion: Mapping[str, Mapping[str, float]], objects: LabelSet, answers: LabelSet
) -> np.ndarray:
    """Returns (K, C): how likely each answer is for an object of each class."""
    table = np.full((len(objects), len(answers)), _REST / max(len(answers), 1))
    for row, name in enumerate(objects.names):
        for other, share in confusion.get(name, {name: 0.9}).items():
            if other in answers.names:
                table[row, answers.index(other)] += share
    return table


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Returns log(p / (1 - p)), bounded."""
    bounded = np.clip(probability.astype(np.float64), 1e-3, 1 - 1e-3)
    odds: np.ndarray = np.log(bounded / (1 - bounded))
    return odds


def probability(odds: np.ndarray) -> np.ndarray:
    """Returns the probability of log-odds."""
    share: np.ndarray = 1.0 / (1.0 + np.exp(-odds))
    return share
