"""One picture of LiDAR and cameras: classes and scores from both, ranges for what cameras see."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from spatial_perception.config import option
from spatial_perception.core import Detections3D, LabelSet
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.pipelines.camera_view import (
    CameraView,
    Projection,
    box_depths,
    directions,
    hidden_share,
    picture_overlap,
    project_objects,
    stands_with,
)
from spatial_perception.pipelines.class_evidence import ClassEvidence, log_odds, probability

USUAL_HEIGHT_M = {"person": 1.7, "bicycle": 1.6, "motorcycle": 1.6}
PERSON_LWH_M = (0.7, 0.65, 1.72)
_CONFIDENT_SCORE = 0.9  # a camera that does not find such an object may look elsewhere


@dataclass(frozen=True, slots=True)
class CameraLidarFusionConfig:
    """How LiDAR objects and camera boxes are paired and what they tell each other."""

    min_iou: float = option(
        0.25,
        help="pictured LiDAR boxes and camera boxes that overlap more may be one object",
        range=(0.0, 1.0),
    )
    min_iou_odd: float = option(
        0.6, help="the same where one says vehicle and the other person", range=(0.0, 1.0)
    )
    min_visible: float = option(
        0.5,
        help="share of an object that must lie in a picture to be looked for in it",
        range=(0.0, 1.0),
    )
    min_height_px: float = option(
        25.0, help="lower objects are not expected in a picture", unit="px", range=(1, 1000)
    )
    lidar_trust: float = option(
        0.97, help="how far the LiDAR's classes are believed, against none", range=(0.0, 1.0)
    )
    found_weight: float = option(
        1.2, help="of a camera's log-odds in the score of an object", range=(0.0, 10.0)
    )
    doubtful_score: float = option(
        0.18, help="score of a camera's box that adds nothing to an object", range=(0.01, 0.99)
    )
    missed_log_odds: float = option(
        -0.6,
        help="what it takes away that a camera does not find an object that it should",
        range=(-10.0, 0.0),
    )
    missed_person_log_odds: float = option(
        -1.3, help="the same of people, whom it rarely overlooks", range=(-10.0, 0.0)
    )
    person_score: float = option(
        0.5,
        help="people of a camera with LiDAR points on them become objects from this score on",
        range=(0.0, 1.0),
    )
    two_wheeler_score: float = option(
        0.4,
        help="bicycles and motorcycles of a camera make riders from this score on",
        range=(0.0, 1.0),
    )
    misaligned_share: float = option(
        0.3,
        help="a camera that finds less of what it should is taken as badly calibrated",
        range=(0.0, 1.0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class CameraResult:
    """What one camera contributed.

    Attributes:
        name: of the camera.
        objects: its boxes with bearings and ranges.
        expected: how many confident LiDAR objects it should have found.
        found: how many of those it found.
    """

    name: str
    objects: CameraObjects
    expected: int
    found: int


class CameraLidarFusion:
    """Folds the boxes of cameras into the objects of a scan.

    Args:
        config: pairs and weights.
    """

    def __init__(self, config: CameraLidarFusionConfig) -> None:
        self._config = config
        self._evidence: dict[tuple[LabelSet, LabelSet], ClassEvidence] = {}

    def __call__(
        self,
        lidar: Detections3D,
        views: Sequence[CameraView],
        points_base: np.ndarray,
        distrusted: frozenset[str] = frozenset(),
    ) -> tuple[Detections3D, list[CameraResult]]:
        """Returns the objects of the scan as both see them, and what each camera contributed.

        Args:
            lidar: objects in the vehicle's frame.
            views: cameras with their boxes; none leaves the objects as they are.
            points_base: (P, 3) float32, points of the scan in that frame; may be empty.
            distrusted: cameras whose boxes are placed but tell the objects nothing.
        """
        fused, results = lidar.usable(), []
        for given in views:
            view = dataclasses.replace(given, boxes=given.boxes.usable())
            fused, result = self._add(fused, view, points_base, view.name in distrusted)
            results.append(result)
        return fused, results

    def _add(
        self, lidar: Detections3D, view: CameraView, points_base: np.ndarray, distrusted: bool
    ) -> tuple[Detections3D, CameraResult]:
        projection = project_objects(view, lidar, self._config.min_visible)
        evidence = self._evidence_for(lidar.label_set, view.boxes.label_set)
        rows, columns = self._pairs(projection, lidar, view, evidence)
        expected = self._expected(projection)
        found = np.zeros(len(lidar), bool)
        found[rows[view.boxes.scores[columns] >= self._config.doubtful_score]] = True
        confident = expected & (lidar.scores >= _CONFIDENT_SCORE)
        fused = lidar
        if not distrusted:
            missed = expected & ~found
            fused = self._folded_in(lidar, view, evidence, projection, (rows, columns), missed)
        objects = self._placed(fused, view, points_base, rows, columns)
        if not distrusted:
            fused = self._with_people(fused, objects, columns)
        counts = int(confident.sum()), int((confident & found).sum())
        return fused, CameraResult(view.name, objects, *counts)

    def _evidence_for(self, lidar: LabelSet, camera: LabelSet) -> ClassEvidence:
        key = (lidar, camera)
        if key not in self._evidence:
            self._evidence[key] = ClassEvidence(lidar, camera, self._config.lidar_trust)
        return self._evidence[key]

    def _pairs(
        self,
        projection: Projection,
        lidar: Detections3D,
        view: CameraView,
        evidence: ClassEvidence,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the pairs that overlap best; vehicles and people only where hardly in doubt."""
        config, boxes = self._config, view.boxes
        overlap = picture_overlap(projection, boxes)
        overlap[:, ~evidence.can_be[boxes.labels]] = 0.0
        is_vehicle = evidence.is_vehicle[lidar.labels]
        odd = is_vehicle[:, None] != evidence.is_camera_vehicle[boxes.labels][None, :]
        overlap[overlap < np.where(odd, config.min_iou_odd, config.min_iou)] = 0.0
        # doubtful boxes lie about sure ones: those go first
        value = overlap * (0.5 + boxes.scores[None, :]) * np.where(odd, 0.5, 1.0)
        rows, columns = linear_sum_assignment(-value)
        formed = value[rows, columns] > 0
        return rows[formed], columns[formed]

    def _expected(self, projection: Projection) -> np.ndarray:
        """Returns which objects a camera should find: large enough and not hidden."""
        boxes = projection.boxes_xyxy_px
        expected = projection.is_seen & (hidden_share(projection) < 0.3)
        expected &= boxes[:, 3] - boxes[:, 1] >= self._config.min_height_px
        return expected

    def _folded_in(
        self,
        lidar: Detections3D,
        view: CameraView,
        evidence: ClassEvidence,
        projection: Projection,
        pairs: tuple[np.ndarray, np.ndarray],
        missed: np.ndarray,
    ) -> Detections3D:
        config, boxes = self._config, view.boxes
        rows, columns = pairs
        odds = log_odds(lidar.scores)
        odds[rows] += config.found_weight * (
            log_odds(boxes.scores[columns]) - log_odds(np.array(config.doubtful_score))
        )
        is_vehicle = evidence.is_vehicle[lidar.labels[missed]]
        odds[missed] += np.where(is_vehicle, config.missed_log_odds, config.missed_person_log_odds)
        labels = lidar.labels.copy()
        prior = evidence.prior(
            lidar.labels[rows], lidar.scores[rows], lidar.sizes_lwh_m[rows].astype(np.float64)
        )
        posterior = evidence.posterior(prior, boxes.labels[columns], boxes.scores[columns])
        riding = self._has_two_wheeler(projection, view, evidence)[rows]
        riding &= ~evidence.is_two_wheeler[boxes.labels[columns]]  # that box has counted
        posterior = evidence.with_two_wheelers(posterior, riding)
        labels[rows] = posterior.argmax(axis=1)
        scores = probability(odds).astype(np.float32)
        return dataclasses.replace(lidar, scores=scores, labels=labels)

    def _has_two_wheeler(
        self, projection: Projection, view: CameraView, evidence: ClassEvidence
    ) -> np.ndarray:
        """Returns (N,) whether the camera has a two-wheeler under each object."""
        which = evidence.is_two_wheeler[view.boxes.labels]
        which &= view.boxes.scores >= self._config.two_wheeler_score
        there: np.ndarray = np.any(stands_with(projection, view.boxes.selected(which)), axis=1)
        return there

    def _placed(
        self,
        lidar: Detections3D,
        view: CameraView,
        points_base: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> CameraObjects:
        boxes = view.boxes
        ways = directions(view)
        origin_m = view.camera_from_base.inverse().translation
        names = boxes.label_set.names
        heights_m = np.array([USUAL_HEIGHT_M.get(n, np.nan) for n in names])[boxes.labels]
        unpaired = np.ones(len(boxes), bool)
        unpaired[columns] = False
        depths = box_depths(view, points_base, unpaired, heights_m)
        along = ways @ view.camera_from_base.rotation[2]  # depth of a metre on the way
        ranges = depths / np.maximum(along, 1e-3)
        positions = origin_m + ways * ranges[:, None]
        positions[columns] = lidar.centers_m[rows]
        ranges[columns] = np.linalg.norm(positions[columns] - origin_m, axis=1)
        return CameraObjects(
            lidar.header,
            positions.astype(np.float32),
            np.arctan2(ways[:, 1], ways[:, 0]).astype(np.float32),
            np.arcsin(np.clip(ways[:, 2], -1, 1)).astype(np.float32),
            ranges.astype(np.float32),
            boxes.scores,
            boxes.labels,
            boxes.label_set,
        )

    def _with_people(
        self, lidar: Detections3D, objects: CameraObjects, paired: np.ndarray
    ) -> Detections3D:
        """Adds people whom only a camera has named, where points say how far they are."""
        names = lidar.label_set.names
        if "person" not in objects.label_set.names or "pedestrian" not in names:
            return lidar
        is_person = objects.labels == objects.label_set.index("person")
        new = is_person & (objects.scores >= self._config.person_score)
        new &= np.isfinite(objects.ranges_m)
        new[paired] = False
        if len(lidar) and new.any():
            away = lidar.centers_m[None, :, :2] - objects.positions_m[:, None, :2]
            reach = 0.7 + lidar.sizes_lwh_m[:, 0] / 2
            new &= ~(np.hypot(away[..., 0], away[..., 1]) < reach[None, :]).any(axis=1)
        count = int(new.sum())
        if not count:
            return lidar
        sizes = np.tile(np.array(PERSON_LWH_M, np.float32), (count, 1))
        label = np.full(count, names.index("pedestrian"), np.int32)
        return dataclasses.replace(
            lidar,
            centers_m=np.concatenate([lidar.centers_m, objects.positions_m[new]]),
            sizes_lwh_m=np.concatenate([lidar.sizes_lwh_m, sizes]),
            yaws_rad=np.concatenate([lidar.yaws_rad, np.zeros(count, np.float32)]),
            scores=np.concatenate([lidar.scores, objects.scores[new] * np.float32(0.8)]),
            labels=np.concatenate([lidar.labels, label]),
        )
