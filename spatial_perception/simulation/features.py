"""What makes a simulated scene lifelike, each part with a switch, to measure what it is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from spatial_perception.config import near_miss, option
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_OPAQUE = {Surface.CAR_GLASS: Surface.PAINT, Surface.WINDOW: Surface.FACADE}


@dataclass(frozen=True, slots=True)
class SceneFeatures:
    """The parts of a scene that can be left out; the rest of it stays as its seed draws it."""

    lofted_cars: bool = option(True, help="cars have a body's shape; without it they are cuboids")
    glass: bool = option(True, help="rays pass windows; without it they are paint and facade")
    relief: bool = option(True, help="ground has slopes, waves and kerbs; without it lies at 0")
    clutter: bool = option(True, help="plants, fences, furniture; without it buildings alone")

    @classmethod
    def without(cls, names: Iterable[str]) -> SceneFeatures:
        """All features but the named ones.

        Raises:
            ConfigError: there is no such feature.
        """
        known = [field.name for field in fields(cls)]
        names = list(names)
        for name in names:
            if name not in known:
                raise ConfigError(f"no feature '{name}' of a scene{near_miss(name, known)}")
        return cls(**dict.fromkeys(names, False))

    @property
    def missing(self) -> tuple[str, ...]:
        """The features that are left out."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))


ALL_FEATURES = SceneFeatures()


def opaque(mesh: Mesh) -> Mesh:
    """The mesh with its glass as the paint or facade around it, in their mean colour."""
    surfaces, colors = mesh.surfaces.copy(), mesh.colors.copy()
    for glass, solid in _OPAQUE.items():
        panes, around = mesh.surfaces == glass, mesh.surfaces == solid
        surfaces[panes] = solid
        if around.any():
            colors[panes] = mesh.colors[around].mean(0).astype(np.uint8)
    return Mesh(mesh.vertices, mesh.faces, surfaces, colors)
