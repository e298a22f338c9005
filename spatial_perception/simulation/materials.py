"""The surfaces a street is made of: what they are called, reflect and look like."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import CAMVID_LABELS, POINT_LABELS, UNLABELED


class Surface(IntEnum):
    """What a triangle is made of; the index into `SURFACES`."""

    ASPHALT = 0
    MARKING = 1
    PAVING = 2
    KERB = 3
    GRASS = 4
    GRAVEL = 5
    FACADE = 6
    WINDOW = 7
    ROOF = 8
    WALL = 9
    FENCE = 10
    LEAVES = 11
    BARK = 12
    POLE = 13
    SIGN_FACE = 14
    SIGN_BACK = 15
    LIGHT_HOUSING = 16
    LAMP = 17
    PAINT = 18
    CAR_GLASS = 19
    TYRE = 20
    TRIM = 21
    HEADLIGHT = 22
    TAIL_LAMP = 23
    PLATE = 24
    INTERIOR = 25
    CARGO = 26
    SKIN = 27
    CLOTH = 28
    RIDER = 29
    CYCLE = 30
    FURNITURE = 31
    BARRIER = 32


@dataclass(frozen=True, slots=True)
class SurfaceProperties:
    """How one surface answers a sensor.

    Attributes:
        point_class: name in POINT_LABELS, or None for unlabeled.
        pixel_class: name in CAMVID_LABELS, or None for unlabeled.
        reflectance: share of 905 nm light that is scattered back, 0..1.
        gloss: 0 matt .. 1 mirror: glossy surfaces lose returns at grazing angles.
        transmission: share of the rays that pass through.
        roughness_m: standard deviation of the range over the surface's fine structure.
    """

    point_class: str | None
    pixel_class: str | None
    reflectance: float
    gloss: float = 0.1
    transmission: float = 0.0
    roughness_m: float = 0.0


_P = SurfaceProperties
SURFACES: dict[Surface, SurfaceProperties] = {
    Surface.ASPHALT: _P("road", "road", 0.36, 0.25),
    Surface.MARKING: _P("road", "road", 0.55, 0.2),
    Surface.PAVING: _P("sidewalk", "pavement", 0.40),
    Surface.KERB: _P("sidewalk", "pavement", 0.35),
    Surface.GRASS: _P("terrain", "tree", 0.54, 0.0, 0.0, 0.035),
    Surface.GRAVEL: _P("terrain", None, 0.33, 0.0, 0.0, 0.01),
    Surface.FACADE: _P("building", "building", 0.38),
    Surface.WINDOW: _P("building", "building", 0.15, 0.9, 0.55),
    Surface.ROOF: _P("building", "building", 0.30),
    Surface.WALL: _P("building", "building", 0.35, 0.05, 0.0, 0.01),
    Surface.FENCE: _P("building", "fence", 0.32, 0.3),
    Surface.LEAVES: _P("vegetation", "tree", 0.56, 0.0, 0.0, 0.03),
    Surface.BARK: _P("vegetation", "tree", 0.40, 0.0, 0.0, 0.01),
    Surface.POLE: _P("pole", "pole", 0.25, 0.4),
    Surface.SIGN_FACE: _P("pole", "signsymbol", 0.95, 0.2),
    Surface.SIGN_BACK: _P("pole", "signsymbol", 0.40, 0.4),
    Surface.LIGHT_HOUSING: _P("pole", "signsymbol", 0.10, 0.2),
    Surface.LAMP: _P("pole", "signsymbol", 0.30, 0.3),
    Surface.PAINT: _P("vehicle", "car", 0.30, 0.75),
    Surface.CAR_GLASS: _P("vehicle", "car", 0.12, 0.9, 0.82),
    Surface.TYRE: _P("vehicle", "car", 0.06, 0.1),
    Surface.TRIM: _P("vehicle", "car", 0.10, 0.3),
    Surface.HEADLIGHT: _P("vehicle", "car", 0.35, 0.6),
    Surface.TAIL_LAMP: _P("vehicle", "car", 0.80, 0.2),
    Surface.PLATE: _P("vehicle", "car", 0.98, 0.1),
    Surface.INTERIOR: _P("vehicle", "car", 0.10, 0.3),
    Surface.CARGO: _P("vehicle", "car", 0.40, 0.3),
    Surface.SKIN: _P("person", "pedestrian", 0.45),
    Surface.CLOTH: _P("person", "pedestrian", 0.32, 0.0, 0.0, 0.01),
    Surface.RIDER: _P("two_wheeler", "bicyclist", 0.32, 0.0, 0.0, 0.01),
    Surface.CYCLE: _P("two_wheeler", "bicyclist", 0.22, 0.4),
    Surface.FURNITURE: _P(None, None, 0.30, 0.2),
    Surface.BARRIER: _P("building", "fence", 0.60, 0.2),
}


def _column(name: str) -> NDArray[np.float32]:
    return np.array([getattr(SURFACES[s], name) for s in Surface], np.float32)


REFLECTANCE = _column("reflectance")
GLOSS = _column("gloss")
TRANSMISSION = _column("transmission")
ROUGHNESS_M = _column("roughness_m")
POINT_CLASS = np.array(
    [
        UNLABELED if p.point_class is None else POINT_LABELS.index(p.point_class)
        for p in (SURFACES[s] for s in Surface)
    ],
    np.uint8,
)
PIXEL_CLASS = np.array(
    [
        UNLABELED if p.pixel_class is None else CAMVID_LABELS.index(p.pixel_class)
        for p in (SURFACES[s] for s in Surface)
    ],
    np.uint8,
)
