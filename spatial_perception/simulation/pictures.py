"""Labelled pictures for training: one of each street drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core.detections import Detections2D
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS
from spatial_perception.core.pose import Pose
from spatial_perception.simulation.camera import CameraModel, Picture, boxes_2d, render
from spatial_perception.simulation.drive import OPTICAL_FROM_FORWARD
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.raycast import Backend
from spatial_perception.simulation.shading import Daylight
from spatial_perception.simulation.street import build_street, snapshot, vehicle_pose
from spatial_perception.simulation.surroundings import Surroundings

_SIZES = ((960, 540), (1242, 375), (640, 480))
_SEEN_PX, _SURE_PX = 12, 100
_SURE_HEIGHT_PX = 11.0
_LARGEST_SIGN_M = 1.3


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A picture and its boxes in pixels.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        boxes_xyxy_px: (N, 4) float32.
        labels: (N,) int32 in CAMERA_OBJECT_LABELS.
        ignored_xyxy_px: (M, 4) float32: what is hardly seen, parked cycles and hoardings, which
            are part of the scenery.
    """

    pixels: np.ndarray
    boxes_xyxy_px: np.ndarray
    labels: np.ndarray
    ignored_xyxy_px: np.ndarray


def simulate_picture(seed: int, backend: Backend = "auto") -> LabelledPicture:
    """A picture of a standing street, by a camera like those of cars.

    Args:
        seed: draws street, traffic, camera, pose and light.
        backend: ray caster.
    """
    rng = np.random.default_rng([seed, 90])
    street = build_street(rng)
    turn = float(rng.normal(0, 0.1)) if rng.random() < 0.6 else float(rng.uniform(-np.pi, np.pi))
    vehicle = vehicle_pose(street.ground, float(rng.normal(0, 0.5)), street.ego_d_m, turn)
    tilt = float(rng.normal(0, 0.03))
    cos, sin = np.cos(tilt), np.sin(tilt)
    pitch = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    mount = Pose(pitch @ OPTICAL_FROM_FORWARD, np.array([0.3, 0.0, float(rng.uniform(1.2, 2.0))]))
    surroundings = Surroundings([snapshot(street, street.actors)], backend, see_through=False)
    camera = _camera(rng)
    picture = render(surroundings, vehicle @ mount, camera, Daylight.sample(rng), rng)
    looks = [actor.look for actor in street.actors]
    sure, seen = (boxes_2d(picture, looks, 0, "camera", least) for least in (_SURE_PX, _SEEN_PX))
    boxes = sure.boxes_xyxy_px
    clear = boxes[:, 3] - boxes[:, 1] >= _SURE_HEIGHT_PX
    clear &= ~_hoardings(sure, picture, camera.focal_px)
    known = {tuple(box) for box in boxes[clear]}
    doubtful = [box for box in seen.boxes_xyxy_px if tuple(box) not in known]
    ignored = np.array([*doubtful, *_parked_cycles(picture)], np.float32).reshape(-1, 4)
    return LabelledPicture(picture.pixels, boxes[clear], sure.labels[clear], ignored)


def _camera(rng: np.random.Generator) -> CameraModel:
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    focal = width * float(rng.uniform(0.5, 0.9))
    return CameraModel(width, height, focal, width / 2 - 0.5, height / 2 - 0.5)


def _hoardings(found: Detections2D, picture: Picture, focal_px: float) -> np.ndarray:
    """(N,) bool: faces of signs that are larger than traffic signs are."""
    signs = found.labels == CAMERA_OBJECT_LABELS.index("traffic_sign")
    left, top, right, bottom = found.boxes_xyxy_px.astype(int).T
    middle = picture.depth_m[(top + bottom) // 2, (left + right) // 2]
    side_m = np.maximum(right - left, bottom - top) * middle / focal_px
    large: np.ndarray = signs & (side_m > _LARGEST_SIGN_M)
    return large


def _parked_cycles(picture: Picture) -> np.ndarray:
    mask = (picture.surfaces == Surface.CYCLE) & (picture.instances == 0)
    mask = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    stats = cv2.connectedComponentsWithStats(mask)[2][1:, :4].astype(np.float32)
    stats[:, 2:] += stats[:, :2]
    return stats
