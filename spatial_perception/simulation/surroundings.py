"""Everything a sensor can see at one moment: solids and glass of several snapshots together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spatial_perception.simulation.materials import TRANSMISSION
from spatial_perception.simulation.meshes import cross
from spatial_perception.simulation.raycast import Backend, RayCaster, make_ray_caster
from spatial_perception.simulation.street import EGO, Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What each ray sees.

    Attributes:
        distance_m: (N,) float32, inf where there is nothing.
        normals: (N, 3) float32 unit, towards the sensor.
        surfaces: (N,) uint8.
        colors: (N, 3) uint8.
        instances: (N,) uint16.
    """

    distance_m: np.ndarray
    normals: np.ndarray
    surfaces: np.ndarray
    colors: np.ndarray
    instances: np.ndarray


class _Layer:
    """The triangles of one snapshot that share a caster."""

    def __init__(
        self, snapshot: Snapshot, chosen: np.ndarray, offset: int, backend: Backend, threads: int
    ) -> None:
        mesh = snapshot.mesh
        self.faces = mesh.faces[chosen]
        self.vertices = mesh.vertices
        self.surfaces = mesh.surfaces[chosen]
        self.colors = mesh.colors[chosen]
        self.instances = snapshot.instances[chosen].copy()
        self.instances[(self.instances > 0) & (self.instances != EGO)] += np.uint16(offset)
        self.caster: RayCaster = make_ray_caster(mesh.vertices, self.faces, backend, threads)


class Surroundings:
    """Casts rays into snapshots; rays may pass glass.

    Args:
        snapshots: disjoint parts of the world. Instances of later ones are numbered after those
            of earlier ones.
        backend: of the ray casters.
        threads: processor threads of the ray casters; 0 is all.
        first_instance: added to all instances but scenery and EGO.
        see_through: keep glass apart, so that rays may pass it; cameras do without.
    """

    def __init__(
        self,
        snapshots: Sequence[Snapshot],
        backend: Backend = "auto",
        threads: int = 0,
        first_instance: int = 0,
        see_through: bool = True,
    ) -> None:
        self._solid: list[_Layer] = []
        self._glass: list[_Layer] = []
        offset = first_instance
        for snapshot in snapshots:
            clear = (TRANSMISSION[snapshot.mesh.surfaces] > 0) & see_through
            self._solid.append(_Layer(snapshot, ~clear, offset, backend, threads))
            if clear.any():
                self._glass.append(_Layer(snapshot, clear, offset, backend, threads))
            offset += len(snapshot.labels)

    def joined(self, other: Surroundings) -> Surroundings:
        """These surroundings and the others, without building either again."""
        both = Surroundings(())
        both._solid = [*self._solid, *other._solid]
        both._glass = [*self._glass, *other._glass]
        return both

    def distance(self, origin: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """(N,) float32 metres to the first solid along (N, 3) directions, inf where none is."""
        nearest = np.full(len(directions), np.inf, np.float32)
        for layer in self._solid:
            np.minimum(nearest, layer.caster.cast(origin, directions).distance_m, out=nearest)
        return nearest

    def look(
        self, origin: np.ndarray, directions: np.ndarray, rng: np.random.Generator | None
    ) -> Seen:
        """What (N, 3) unit directions from a (3,) origin meet.

        Args:
            origin: metres, world.
            directions: world.
            rng: draws which rays pass glass; without it none does.
        """
        best = _Best(len(directions))
        for layer in self._solid:
            best.offer(layer, origin, directions, None)
        for layer in self._glass:
            best.offer(layer, origin, directions, rng)
        return best.seen(directions)


class _Best:
    """The nearest hit so far of every ray."""

    def __init__(self, count: int) -> None:
        self.distance = np.full(count, np.inf, np.float32)
        self.normals = np.zeros((count, 3), np.float32)
        self.surfaces = np.zeros(count, np.uint8)
        self.colors = np.zeros((count, 3), np.uint8)
        self.instances = np.zeros(count, np.uint16)

    def offer(
        self,
        layer: _Layer,
        origin: np.ndarray,
        directions: np.ndarray,
        rng: np.random.Generator | None,
    ) -> None:
        hits = layer.caster.cast(origin, directions)
        nearer = np.flatnonzero(hits.distance_m < self.distance)
        face = hits.face[nearer]
        if rng is not None:
            stopped = rng.random(len(nearer)) >= TRANSMISSION[layer.surfaces[face]]
            nearer, face = nearer[stopped], face[stopped]
        a, b, c = (layer.vertices[layer.faces[face, k]] for k in range(3))
        self.distance[nearer] = hits.distance_m[nearer]
        self.normals[nearer] = cross(b - a, c - a)
        self.surfaces[nearer] = layer.surfaces[face]
        self.colors[nearer] = layer.colors[face]
        self.instances[nearer] = layer.instances[face]

    def seen(self, directions: np.ndarray) -> Seen:
        normals = self.normals
        length = np.sqrt(np.einsum("ij,ij->i", normals, normals))
        facing = np.einsum("ij,ij->i", normals, directions)
        normals = normals * (-np.sign(facing) / np.maximum(length, 1e-12))[:, None].astype(
            np.float32
        )
        return Seen(self.distance, normals, self.surfaces, self.colors, self.instances)
