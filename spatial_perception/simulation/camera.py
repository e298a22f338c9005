"""A pinhole camera: pictures, depth, classes and boxes of what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from spatial_perception.config import option
from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.detections import Detections2D
from spatial_perception.core.header import Header
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS, UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.simulation.materials import PIXEL_CLASS, Surface
from spatial_perception.simulation.shading import Daylight, shade, tone
from spatial_perception.simulation.surroundings import Seen, Surroundings

_SUN_DISTANCE_M = 3000.0
_SHADOW_STEP = 2


@dataclass(frozen=True, slots=True)
class CameraModel:
    """A camera like KITTI's left colour camera."""

    width: int = option(1242, help="columns of the picture", unit="px", range=(8, 8192))
    height: int = option(375, help="rows of the picture", unit="px", range=(8, 8192))
    focal_px: float = option(721.5377, help="focal length", unit="px", range=(1, 20000))
    center_x_px: float = option(609.5593, help="principal point, column", unit="px")
    center_y_px: float = option(172.854, help="principal point, row", unit="px")
    frame_id: str = option("camera_front_optical_frame", help="its optical frame")

    def calibration(self, stamp_ns: int) -> PinholeCamera:
        """Its CameraInfo at a stamp: no distortion."""
        k = np.array(
            [[self.focal_px, 0, self.center_x_px], [0, self.focal_px, self.center_y_px], [0, 0, 1]]
        )
        projection = np.concatenate([k, np.zeros((3, 1))], 1)
        header = Header(stamp_ns, self.frame_id)
        return PinholeCamera(
            header, self.width, self.height, k, np.zeros(5), "plumb_bob", np.eye(3), projection
        )


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture and what is true about it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32 along the optical axis, inf in the sky.
        labels: (H, W) uint8 in CAMVID_LABELS, 255 unlabeled.
        instances: (H, W) uint16.
        surfaces: (H, W) uint8.
    """

    pixels: np.ndarray
    depth_m: np.ndarray
    labels: np.ndarray
    instances: np.ndarray
    surfaces: np.ndarray


@lru_cache(maxsize=4)
def _directions(model: CameraModel) -> np.ndarray:
    """(H * W, 3) float32 unit rays through the pixels' centres, optical frame."""
    u, v = np.meshgrid(np.arange(model.width), np.arange(model.height))
    rays = np.stack(
        [
            (u - model.center_x_px) / model.focal_px,
            (v - model.center_y_px) / model.focal_px,
            np.ones(u.shape),
        ],
        -1,
    ).reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return rays.astype(np.float32)


def render(
    surroundings: Surroundings,
    world_from_camera: Pose,
    model: CameraModel,
    day: Daylight,
    rng: np.random.Generator,
) -> Picture:
    """A picture taken from a pose of the optical frame.

    Args:
        surroundings: what is there; built with `see_through=False`.
        world_from_camera: where the camera is.
        model: the camera.
        day: the light.
        rng: draws the sensor's noise.
    """
    optical = _directions(model)
    rays = optical @ world_from_camera.rotation.T.astype(np.float32)
    eye = world_from_camera.translation
    seen = surroundings.look(eye, rays, None)
    shape = (model.height, model.width)
    hit = np.isfinite(seen.distance_m)
    points = eye.astype(np.float32) + rays * np.where(hit, seen.distance_m, 0)[:, None]
    lit = _sunlit(surroundings, points, seen, hit, day, shape)
    rgb = day.sky_color(rays[:, 2])
    on = np.flatnonzero(hit)
    rgb[on] = shade(
        points[on],
        rays[on],
        seen.normals[on],
        seen.surfaces[on],
        seen.colors[on],
        lit[on],
        seen.distance_m[on],
        day,
    )
    labels = np.where(hit, PIXEL_CLASS[seen.surfaces], CAMVID_LABELS.index("sky"))
    return Picture(
        tone(rgb.reshape(*shape, 3), day, rng),
        (seen.distance_m * optical[:, 2]).reshape(shape),
        labels.astype(np.uint8).reshape(shape),
        np.where(hit, seen.instances, 0).astype(np.uint16).reshape(shape),
        np.where(hit, seen.surfaces, UNLABELED).astype(np.uint8).reshape(shape),
    )


def _sunlit(
    surroundings: Surroundings,
    points: np.ndarray,
    seen: Seen,
    hit: np.ndarray,
    day: Daylight,
    shape: tuple[int, int],
) -> np.ndarray:
    """(N,) float32 share of sunlight at each pixel: rays from a far sun, at half resolution."""
    grid = np.arange(shape[0] * shape[1]).reshape(shape)[::_SHADOW_STEP, ::_SHADOW_STEP]
    lifted = points[grid] + 0.04 * seen.normals[grid]
    lit = np.ones(grid.shape, np.float32)
    facing = hit[grid] & (seen.normals[grid] @ day.sun_direction > 0.0)
    targets = lifted[facing].astype(np.float64)
    if len(targets):
        center = targets.mean(0)
        sun = center + _SUN_DISTANCE_M * day.sun_direction
        way = targets - sun
        length = np.linalg.norm(way, axis=1)
        first = surroundings.distance(sun, (way / length[:, None]).astype(np.float32))
        lit[facing] = first > length - 0.12
    soft = cv2.resize(cv2.blur(lit, (2, 2)), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    shares: np.ndarray = soft.reshape(-1)
    return shares


def boxes_2d(
    picture: Picture, looks: Sequence[str], stamp_ns: int, frame_id: str, min_pixels: int = 30
) -> Detections2D:
    """Boxes around the visible parts of objects, traffic lights and signs, in pixels.

    As in COCO a rider is a person and has a box beside that of the machine.

    Args:
        picture: with instances.
        looks: CAMERA_OBJECT_LABELS name of each instance, counted from 1; of riders the machine's.
        stamp_ns: of the picture.
        frame_id: of the picture.
        min_pixels: smaller ones are left out.
    """
    found: list[tuple[tuple[int, ...], str]] = []
    counts = np.bincount(picture.instances.reshape(-1), minlength=1)[: len(looks) + 1]
    for instance in np.flatnonzero(counts)[np.flatnonzero(counts) > 0]:
        mask = picture.instances == instance
        riding = mask & (picture.surfaces == Surface.RIDER)
        for part, name in ((mask & ~riding, looks[instance - 1]), (riding, "person")):
            if np.count_nonzero(part) >= min_pixels:
                found.append((tuple(cv2.boundingRect(part.astype(np.uint8))), name))
    for name, wanted in (
        ("traffic_sign", (Surface.SIGN_FACE,)),
        ("traffic_light", (Surface.LIGHT_HOUSING, Surface.LAMP)),
    ):
        mask = np.isin(picture.surfaces, wanted)
        stats = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)[2]
        found += [(tuple(row[:4]), name) for row in stats[1:] if row[4] >= min_pixels]
    array = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    array[:, 2:] += array[:, :2]
    labels = np.array([CAMERA_OBJECT_LABELS.index(name) for _, name in found], np.int32)
    scores = np.ones(len(found), np.float32)
    return Detections2D(Header(stamp_ns, frame_id), array, scores, labels, CAMERA_OBJECT_LABELS)
