"""Small worlds whose measurements can be worked out by hand."""

import numpy as np

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh
from spatial_perception.simulation.street import Snapshot
from spatial_perception.simulation.surroundings import Surroundings


def plain(half_m: float = 60.0, surface: Surface = Surface.MARKING, gray: int = 200) -> Mesh:
    """A flat bright ground at z = 0."""
    h = half_m
    return meshes.quads([[(-h, -h, 0), (h, -h, 0), (h, h, 0), (-h, h, 0)]], surface, (gray,) * 3)


def block(center: tuple[float, float, float], size: tuple[float, float, float]) -> Mesh:
    """A matt wall-like box."""
    return meshes.boxes([center], [size], Surface.FACADE, (200, 200, 200))


def snapshot_of(*groups: Mesh) -> Snapshot:
    """A snapshot in which the k-th mesh is instance k; the first is scenery."""
    owners = [np.full(len(m.faces), k, np.uint16) for k, m in enumerate(groups)]
    count = len(groups) - 1
    return Snapshot(
        meshes.merge(groups),
        np.concatenate(owners),
        np.zeros((count, 7)),
        np.zeros(count, np.uint8),
    )


def surroundings_of(*groups: Mesh) -> Surroundings:
    """Surroundings of such a snapshot."""
    return Surroundings([snapshot_of(*groups)], threads=1)
