"""Which detection belongs to which track: a gated cost and the best assignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from spatial_perception.config import option
from spatial_perception.core import Detections3D
from spatial_perception.core.boxes import paired_overlap_bev
from spatial_perception.pipelines.motion import half_turn_difference

FORBIDDEN = 1e6


@dataclass(frozen=True, slots=True)
class AssociationConfig:
    """What a pair of track and detection costs; each term is a squared number of deviations."""

    max_distance_sigma: float = option(
        4.0, help="pairs farther apart are not formed, in deviations of distance", range=(1, 20)
    )
    reach_m: float = option(
        1.5,
        help="nor pairs farther apart than this and what max_speed adds",
        unit="m",
        range=(0, 50),
    )
    max_speed_mps: float = option(
        20.0,
        help="largest error of a predicted speed that a pair may need",
        unit="m/s",
        range=(0, 100),
    )
    size_weight: float = option(0.5, help="of the difference in size", range=(0, 100))
    class_weight: float = option(1.0, help="of the improbability of the class", range=(0, 100))
    heading_weight: float = option(0.5, help="of the difference in heading", range=(0, 100))
    max_cost: float = option(25.0, help="pairs that cost more are not formed", range=(1, 1000))


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What the cost knows of N tracks or detections.

    Attributes:
        positions_m: (N, 2) float64.
        yaws_rad: (N,) float64.
        sizes_lwh_m: (N, 3) float64.
        classes: (N, C) float64, probability of each class.
    """

    positions_m: np.ndarray
    yaws_rad: np.ndarray
    sizes_lwh_m: np.ndarray
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.yaws_rad)


_SIZE_SIGMA = np.array([0.25, 0.2, 0.2])  # of the logarithm of length, width, height
_YAW_SIGMA_RAD = 0.35
_SMALLEST_M = 0.1


def association_cost(
    tracks: Candidates,
    detections: Candidates,
    spread: np.ndarray,
    elapsed_s: float,
    config: AssociationConfig,
) -> np.ndarray:
    """Returns (T, D) costs, `FORBIDDEN` where a pair may not be formed.

    Args:
        tracks: predicted to the time of the detections.
        detections: in the frame of the tracks.
        spread: (T, 2, 2) float64 covariance of the distance of each track to its detection.
        elapsed_s: since the tracks were last seen anywhere.
        config: weights and gates.
    """
    dx = detections.positions_m[None, :, 0] - tracks.positions_m[:, None, 0]
    dy = detections.positions_m[None, :, 1] - tracks.positions_m[:, None, 1]
    xx, xy, yy = (spread[:, i, j, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    distance = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (xx * yy - xy * xy)
    reach = config.reach_m + config.max_speed_mps * elapsed_s
    allowed = (distance < config.max_distance_sigma**2) & (dx * dx + dy * dy < reach**2)
    cost = np.full(distance.shape, FORBIDDEN)
    rows, columns = np.nonzero(allowed)
    if not len(rows):
        return cost
    sizes = np.log(np.maximum(tracks.sizes_lwh_m, _SMALLEST_M))[rows]
    sizes -= np.log(np.maximum(detections.sizes_lwh_m, _SMALLEST_M))[columns]
    size = np.square(sizes / _SIZE_SIGMA).sum(axis=1) / 3
    agreement = (tracks.classes[rows] * detections.classes[columns]).sum(axis=1)
    turned = half_turn_difference(tracks.yaws_rad[rows] - detections.yaws_rad[columns])
    total = (
        distance[rows, columns]
        + config.size_weight * np.minimum(size, 9.0)
        - 2 * config.class_weight * np.log(np.maximum(agreement, 1e-3))
        + config.heading_weight * np.square(turned / _YAW_SIGMA_RAD)
    )
    cost[rows, columns] = np.where(total < config.max_cost, total, FORBIDDEN)
    return cost


def assign(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns rows and columns of the pairs with the least total cost (Hungarian method)."""
    if not cost.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows, columns = linear_sum_assignment(cost)
    formed = cost[rows, columns] < FORBIDDEN
    return rows[formed], columns[formed]


def doubled(boxes: np.ndarray, others: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Returns pairs of boxes that may be one object: rows, columns and the shared area.

    The area is over that of the smaller box; pairs that share less than half of it are left out.

    Args:
        boxes: (N, 5) float64 x y l w yaw.
        others: (M, 5) likewise; where None, pairs row < column among `boxes`.
    """
    them = boxes if others is None else others
    dx, dy = (boxes[:, None, axis] - them[None, :, axis] for axis in (0, 1))
    half, their_half = (np.hypot(some[:, 2], some[:, 3]) / 2 for some in (boxes, them))
    # half of a box lies in another one only if its middle does
    near = dx * dx + dy * dy < np.maximum(half[:, None], their_half[None, :]) ** 2
    rows, columns = np.nonzero(near)
    if others is None:
        rows, columns = rows[rows < columns], columns[rows < columns]
    common = paired_overlap_bev(boxes[rows], them[columns])
    areas = np.minimum(boxes[rows, 2] * boxes[rows, 3], them[columns, 2] * them[columns, 3])
    share = common / np.maximum(areas, 1e-6)
    kept = share > 0.5
    return rows[kept], columns[kept], share[kept]


def merged(detections: Detections3D, is_long: np.ndarray) -> Detections3D:
    """Returns one box an object, where the detector gives it under two classes.

    Args:
        detections: of one scan.
        is_long: (C,) bool, which classes are vehicles.
    """
    if len(detections) < 2:
        return detections
    order = np.argsort(-detections.scores, kind="stable")
    ordered = detections.selected(order)
    rows, columns, share = doubled(bev(ordered))
    are_long = is_long[ordered.labels]
    kept = np.ones(len(ordered), bool)
    one = (are_long[rows] == are_long[columns]) | (share > 0.8)
    for row, column in zip(rows[one], columns[one], strict=True):
        kept[column] &= not kept[row]
    return ordered.selected(kept)


def bev(detections: Detections3D) -> np.ndarray:
    """Returns (N, 5) float64 x y l w yaw."""
    boxes: np.ndarray = detections.boxes().astype(np.float64)[:, [0, 1, 3, 4, 6]]
    return boxes
