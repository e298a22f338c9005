"""The complete semantic voxels around a vehicle, and which of them can be seen at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spatial_perception.core.labels import GROUND_CLASSES, POINT_LABELS, UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.shards import FREE, VoxelTruth
from spatial_perception.simulation.materials import POINT_CLASS
from spatial_perception.simulation.meshes import Mesh, surface_samples
from spatial_perception.simulation.surroundings import Surroundings

_SPACING_M = 0.22
_VIEWPOINTS_M = ((0.0, 0.0, 1.8), (12.0, 0.0, 2.0), (-12.0, 0.0, 2.0), (28.0, 0.0, 2.0))
_VIEW_SIZE = (72, 900)
_VIEW_ELEVATION_DEG = (20.0, -40.0)
# Later ones win where a voxel holds several classes: thin and rare over large.
_PRIORITY = ("terrain", "road", "sidewalk", "building", "vegetation", "pole", "vehicle",
             "two_wheeler", "person")  # fmt: skip


@dataclass(frozen=True, slots=True)
class VoxelRegion:
    """A grid of cubes in base_link.

    Attributes:
        origin_m: corner x y z.
        size_m: edge of a cube.
        shape_zyx: number of cubes.
    """

    origin_m: tuple[float, float, float] = (-51.2, -51.2, -1.8)  # height 0 in the middle of a voxel
    size_m: float = 0.4
    shape_zyx: tuple[int, int, int] = (16, 256, 320)


def voxel_truth(
    mesh: Mesh, surroundings: Surroundings, world_from_base: Pose, region: VoxelRegion
) -> VoxelTruth:
    """Semantic voxels of a mesh: FREE where nothing is, UNLABELED inside solids and underground.

    A voxel is visible when it is seen from the sensor or from positions that the vehicle passes
    12 m before and after, and 28 m after.

    Args:
        mesh: in the world, metres.
        surroundings: the same world, for visibility.
        world_from_base: where the vehicle is.
        region: the grid, in base_link.
    """
    base = world_from_base.inverse()
    v = base.apply(mesh.vertices)
    labels = np.full(region.shape_zyx, FREE, np.uint8)
    points, classes = _samples(v, mesh, region)
    _paint(labels, points, classes, region)
    _bury(labels)
    visible = np.zeros(region.shape_zyx, bool)
    for eye in _VIEWPOINTS_M:
        visible |= _seen_from(np.array(eye), surroundings, world_from_base, region)
    origin, size = np.array(region.origin_m), np.full(3, region.size_m)
    return VoxelTruth(labels, visible, origin, size)


def _samples(v: np.ndarray, mesh: Mesh, region: VoxelRegion) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over all triangles that touch the region, and their classes."""
    a, b, c = (v[mesh.faces[:, k]] for k in range(3))
    low = np.array(region.origin_m)
    high = low + region.size_m * np.array(region.shape_zyx[::-1])
    touches = np.ones(len(a), bool)
    for k in range(3):
        touches &= np.maximum(np.maximum(a[:, k], b[:, k]), c[:, k]) > low[k]
        touches &= np.minimum(np.minimum(a[:, k], b[:, k]), c[:, k]) < high[k]
    classes = POINT_CLASS[mesh.surfaces]
    touches &= classes != UNLABELED
    points, which = surface_samples(v, mesh.faces[touches], _SPACING_M)
    return points, classes[touches][which]


def _paint(
    labels: np.ndarray, points: np.ndarray, classes: np.ndarray, region: VoxelRegion
) -> None:
    cell = np.floor((points - np.array(region.origin_m, np.float32)) / region.size_m).astype(
        np.int32
    )
    z, y, x = cell[:, 2], cell[:, 1], cell[:, 0]
    nz, ny, nx = region.shape_zyx
    inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny) & (z >= 0) & (z < nz)
    flat = ((z * ny + y) * nx + x)[inside]
    rank = np.full(256, 0, np.uint8)
    for k, name in enumerate(_PRIORITY):
        rank[POINT_LABELS.index(name)] = k + 1
    best = np.zeros(labels.size, np.uint8)
    ranks = rank[classes[inside]]
    for k in range(1, len(_PRIORITY) + 1):
        best[flat[ranks == k]] = k
    names = np.array([FREE] + [POINT_LABELS.index(n) for n in _PRIORITY], np.uint8)
    labels[:] = names[best].reshape(labels.shape)


def _bury(labels: np.ndarray) -> None:
    """Marks what lies under the ground as unknown and fills the bodies of vehicles."""
    ground = np.isin(labels, [POINT_LABELS.index(n) for n in GROUND_CLASSES])
    # Where nothing of the ground is left, whatever stands lowest covers it.
    ground |= (labels != FREE) & ~ground.any(0)
    above = _so_far(ground[::-1])[::-1]
    labels[above & (labels == FREE)] = UNLABELED
    vehicle = labels == POINT_LABELS.index("vehicle")
    inside = _so_far(vehicle) & _so_far(vehicle[::-1])[::-1]
    labels[inside & (labels == FREE)] = POINT_LABELS.index("vehicle")


def _so_far(layers: np.ndarray) -> np.ndarray:
    """Whether a layer or one before it is true; `logical_or.accumulate` takes ten times as long."""
    result = layers.copy()
    for k in range(1, len(result)):
        result[k] |= result[k - 1]
    return result


@lru_cache(maxsize=2 * len(_VIEWPOINTS_M))
def _lookup(eye: tuple[float, ...], region: VoxelRegion) -> tuple[np.ndarray, np.ndarray]:
    """Pixel of each voxel in the panorama from a viewpoint (-1 outside), and its distance."""
    nz, ny, nx = region.shape_zyx
    axes = [region.origin_m[k] + (np.arange(n) + 0.5) * region.size_m - eye[k]
            for k, n in enumerate((nx, ny, nz))]  # fmt: skip
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    flat = np.hypot(x, y)
    rows, columns = _VIEW_SIZE
    top, bottom = _VIEW_ELEVATION_DEG
    row = np.floor((top - np.degrees(np.arctan2(z, flat))) / (top - bottom) * rows)
    column = np.floor((np.degrees(np.arctan2(y, x)) % 360.0) / 360.0 * columns) % columns
    pixel = (row * columns + column).astype(np.int32)
    pixel[(row < 0) | (row >= rows)] = -1
    return pixel, np.hypot(flat, z).astype(np.float32)


@lru_cache(maxsize=1)
def _panorama() -> np.ndarray:
    rows, columns = _VIEW_SIZE
    top, bottom = np.radians(_VIEW_ELEVATION_DEG)
    elevation = top + (np.arange(rows) + 0.5) / rows * (bottom - top)
    azimuth = (np.arange(columns) + 0.5) / columns * 2 * np.pi
    e, a = np.meshgrid(elevation, azimuth, indexing="ij")
    directions = np.stack([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], -1)
    return directions.reshape(-1, 3).astype(np.float32)


def _seen_from(
    eye: np.ndarray, surroundings: Surroundings, world_from_base: Pose, region: VoxelRegion
) -> np.ndarray:
    directions = _panorama() @ world_from_base.rotation.T.astype(np.float32)
    origin = world_from_base.apply(eye[None])[0]
    depth = surroundings.distance(origin, directions)
    depth = np.append(depth, -1.0).astype(np.float32)
    pixel, distance = _lookup(tuple(eye), region)
    seen: np.ndarray = distance < depth[pixel] + 0.75 * region.size_m
    return seen
