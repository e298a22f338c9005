"""Where rays first meet a mesh: one small interface, two ways to compute it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from spatial_perception.errors import ConfigError

Backend = Literal["auto", "open3d", "torch"]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The first triangle that each ray meets.

    Attributes:
        distance_m: (N,) float32 along the ray, inf where it meets none.
        face: (N,) int32, -1 where it meets none.
    """

    distance_m: np.ndarray
    face: np.ndarray


class RayCaster(Protocol):
    """Finds the first triangle along rays that start at one point."""

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """Returns the first hits of (N, 3) unit directions from a (3,) origin."""
        ...


class Open3dRayCaster:
    """Embree's bounding volume hierarchy, through Open3D.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) into the vertices.
        threads: processor threads; 0 is all.
    """

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, threads: int = 0) -> None:
        import open3d

        self._core = open3d.core
        self._scene = open3d.t.geometry.RaycastingScene(nthreads=threads)
        self._threads = threads
        self._scene.add_triangles(
            self._core.Tensor.from_numpy(np.ascontiguousarray(vertices, np.float32)),
            self._core.Tensor.from_numpy(np.ascontiguousarray(faces, np.uint32)),
        )

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """Returns the first hits of (N, 3) unit directions from a (3,) origin."""
        rays = np.empty((len(directions), 6), np.float32)
        rays[:, :3] = origin
        rays[:, 3:] = directions
        result = self._scene.cast_rays(self._core.Tensor.from_numpy(rays), nthreads=self._threads)
        face = result["primitive_ids"].numpy().view(np.int32).copy()
        distance = result["t_hit"].numpy()
        face[~np.isfinite(distance)] = -1
        return Hits(distance, face)


class NoHits:
    """The caster of an empty mesh."""

    def cast(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        """Returns misses."""
        n = len(directions)
        return Hits(np.full(n, np.inf, np.float32), np.full(n, -1, np.int32))


def make_ray_caster(
    vertices: np.ndarray, faces: np.ndarray, backend: Backend = "auto", threads: int = 0
) -> RayCaster:
    """Returns a caster over a mesh; `auto` takes Open3D where it can be imported, else torch.

    Args:
        vertices: (V, 3) float32 metres.
        faces: (F, 3) int32.
        backend: which implementation.
        threads: processor threads for Open3D; 0 is all.

    Raises:
        ConfigError: the backend asked for is not installed.
    """
    if len(faces) == 0:
        return NoHits()
    if backend in ("auto", "open3d"):
        try:
            return Open3dRayCaster(vertices, faces, threads)
        except (ImportError, OSError) as error:
            if backend == "open3d":
                raise ConfigError(
                    f"ray caster 'open3d' cannot be imported ({error}); install open3d and the "
                    "libraries it wants (libgl1, libgomp1), or choose 'torch'"
                ) from error
    try:
        from spatial_perception.simulation.raycast_torch import TorchRayCaster
    except ImportError as error:
        raise ConfigError(
            f"no ray caster can be imported ({error}); install open3d or torch: "
            "pip install 'spatial_perception[simulation]'"
        ) from error
    return TorchRayCaster(vertices, faces)
