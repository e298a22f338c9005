"""Passenger cars with lofted silhouettes: five body types and a pick-up, sizes varied widely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

# Knots of the upper silhouette from the rear (0) to the front (1), heights over body height.
_Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class BodyType:
    """Mean size and silhouette of one kind of car."""

    name: str
    share: float
    length_m: float
    width_m: float
    height_m: float
    cabin: tuple[float, float, float, float]
    """Where along the body: rear window's foot and top, windscreen's top and foot."""
    silhouette: _Knots
    clearance_m: float = 0.19


BODY_TYPES = (
    BodyType(
        "hatchback", 0.39, 3.78, 1.67, 1.49, (0.04, 0.17, 0.53, 0.73),
        ((0, 0.44), (0.015, 0.60), (0.04, 0.68), (0.17, 0.95), (0.35, 1.0), (0.53, 0.975),
         (0.73, 0.67), (0.86, 0.62), (0.96, 0.54), (1, 0.40)),
    ),
    BodyType(
        "sedan", 0.23, 4.30, 1.73, 1.45, (0.16, 0.33, 0.56, 0.73),
        ((0, 0.46), (0.012, 0.62), (0.04, 0.68), (0.16, 0.69), (0.33, 0.965), (0.45, 1.0),
         (0.56, 0.98), (0.73, 0.67), (0.87, 0.61), (0.965, 0.53), (1, 0.40)),
    ),
    BodyType(
        "estate", 0.14, 4.36, 1.75, 1.49, (0.035, 0.11, 0.55, 0.73),
        ((0, 0.44), (0.012, 0.60), (0.035, 0.67), (0.11, 0.94), (0.30, 1.0), (0.55, 0.98),
         (0.73, 0.66), (0.87, 0.60), (0.965, 0.53), (1, 0.39)),
    ),
    BodyType(
        "suv", 0.14, 4.20, 1.79, 1.65, (0.04, 0.12, 0.56, 0.72),
        ((0, 0.43), (0.012, 0.60), (0.04, 0.67), (0.12, 0.94), (0.28, 1.0), (0.56, 0.985),
         (0.72, 0.69), (0.88, 0.64), (0.965, 0.57), (1, 0.42)), 0.24,
    ),
    BodyType(
        "van", 0.075, 4.45, 1.80, 1.86, (0.012, 0.05, 0.74, 0.89),
        ((0, 0.38), (0.008, 0.58), (0.012, 0.66), (0.05, 0.975), (0.30, 1.0), (0.74, 0.975),
         (0.89, 0.62), (0.97, 0.50), (1, 0.33)), 0.21,
    ),
    BodyType(
        "pickup", 0.025, 5.0, 1.84, 1.76, (0.38, 0.42, 0.60, 0.74),
        ((0, 0.44), (0.008, 0.58), (0.36, 0.59), (0.38, 0.66), (0.42, 0.965), (0.52, 1.0),
         (0.60, 0.985), (0.74, 0.67), (0.88, 0.62), (0.965, 0.56), (1, 0.42)), 0.27,
    ),
)  # fmt: skip

_PAINTS = np.array(
    [
        [225, 226, 228], [176, 180, 184], [120, 123, 127], [60, 62, 66], [24, 25, 27],
        [130, 22, 28], [30, 50, 105], [60, 85, 130], [45, 75, 55], [180, 165, 135],
        [90, 60, 45], [200, 120, 30],
    ]
)  # fmt: skip
_PAINT_SHARES = np.array([18, 17, 14, 12, 14, 6, 6, 5, 2, 3, 2, 1]) / 100.0
_STATIONS = 25
# Half of a cross-section's ring, from the sill up: side quads 0..2, the window, the roof.
_WINDOW_QUAD = 3


def sample_body_type(rng: np.random.Generator) -> BodyType:
    """A body type drawn by its share on the street."""
    shares = np.array([b.share for b in BODY_TYPES])
    return BODY_TYPES[int(rng.choice(len(BODY_TYPES), p=shares / shares.sum()))]


def _stations(body: BodyType) -> NDArray[np.float64]:
    """Positions along the body, denser where the silhouette bends."""
    knots = np.array([k[0] for k in body.silhouette])
    even = np.linspace(0, 1, 64)
    extra = even[np.argsort(-np.min(np.abs(even[:, None] - knots), 1), kind="stable")]
    return np.sort(np.concatenate([knots, extra[: _STATIONS - len(knots)]]))


def car(rng: np.random.Generator, body: BodyType | None = None) -> tuple[Mesh, NDArray[np.float64]]:
    """A car standing on z = 0, its box centred on the z axis, front towards +x.

    Returns:
        The mesh, and (3,) length, width (mirrors not counted) and height of its box in metres.
    """
    body = sample_body_type(rng) if body is None else body
    length = body.length_m * float(np.clip(rng.normal(1, 0.075), 0.82, 1.2))
    width = body.width_m * float(np.clip(rng.normal(1, 0.032), 0.92, 1.1))
    height = body.height_m * float(np.clip(rng.normal(1, 0.035), 0.9, 1.15))
    paint = _PAINTS[rng.choice(len(_PAINTS), p=_PAINT_SHARES)]
    paint = np.clip(paint + rng.integers(-12, 13, 3), 5, 250)
    pieces = [
        _shell(rng, body, length, width, height, paint),
        _wheels(rng, body, length, width, height),
        _details(rng, body, length, width, height, paint),
    ]
    return meshes.merge(pieces), np.array([length, width, height])


def boxed(size_lwh_m: NDArray[np.float64]) -> Mesh:
    """A car as plain as it gets: a painted cuboid that fills its box, on z = 0."""
    center = [0.0, 0.0, size_lwh_m[2] / 2]
    return meshes.boxes([center], [size_lwh_m], Surface.PAINT, _PAINTS[2])


def _shell(
    rng: np.random.Generator,
    body: BodyType,
    length: float,
    width: float,
    height: float,
    paint: NDArray[np.int64],
) -> Mesh:
    knots = np.array(body.silhouette)
    knots[1:-1] += rng.normal(0, [0.006, 0.008], knots[1:-1].shape)
    knots[:, 0] = np.clip(np.sort(knots[:, 0]), 0, 1)
    knots[:, 1] *= 1.0 / knots[:, 1].max()
    u = _stations(body)
    top = np.interp(u, knots[:, 0], knots[:, 1]) * height
    belt = np.minimum(height * (0.63 + 0.03 * (1 - u) + rng.normal(0, 0.008)), top - 0.02)
    clearance = body.clearance_m + rng.normal(0, 0.015)
    ends = np.minimum(u, 1 - u) * length
    floor = clearance + 0.16 * np.clip(1 - ends / 0.55, 0, 1) ** 1.5
    # Plan view: rounded at the corners, a little narrower in front.
    round_m = rng.uniform(0.35, 0.6)
    plan = 1 - 0.22 * np.clip(1 - ends / round_m, 0, 1) ** 2 - 0.03 * np.clip(u - 0.6, 0, 1)
    half = width / 2 * plan
    cabin_height = np.clip(top - belt, 0, None)
    tumblehome = rng.uniform(0.30, 0.42)
    rail = half - np.minimum(tumblehome * cabin_height + 0.03, 0.25 * half)
    mid = floor + 0.45 * (belt - floor)
    side = [
        (half * 0.93, floor),
        (half * 0.985, floor + 0.12 * (belt - floor)),
        (half, mid),
        (half * 0.985, belt),
        (rail, belt + 0.90 * cabin_height),
        (rail * 0.80, top - 0.02 * np.sign(cabin_height)),
        (np.zeros_like(half), top),
    ]
    left = np.stack([np.stack([(u - 0.5) * length, y, z], 1) for y, z in side], 1)  # (S, 7, 3)
    right = left[:, -2::-1] * [1, -1, 1]
    ring = np.concatenate([left, right], 1)  # (S, 13, 3)
    surface = np.full((len(u) - 1, ring.shape[1] - 1), Surface.PAINT, np.uint8)
    middle = (u[1:] + u[:-1]) / 2
    rear_foot, rear_top, front_top, front_foot = body.cabin
    in_cabin = (middle > rear_top - 0.02) & (middle < front_top + 0.08)
    pillars = np.array([(rear_top + front_top) / 2 + 0.03])
    in_cabin &= np.min(np.abs(middle[:, None] - pillars), 1) > 0.016
    panel_van = body.name == "van" and rng.random() < 0.45
    if panel_van:
        in_cabin &= middle > front_top - 0.16
    sides = [_WINDOW_QUAD, ring.shape[1] - 2 - _WINDOW_QUAD]
    surface[np.ix_(in_cabin, sides)] = Surface.CAR_GLASS
    screen = (middle > front_top + 0.01) & (middle < front_foot - 0.005)
    if not panel_van:
        screen |= (middle > rear_foot + 0.005) & (middle < rear_top - 0.01)
    surface[np.ix_(screen, np.arange(4, 8))] = Surface.CAR_GLASS
    surface[:, [0, -1]] = Surface.TRIM
    colors = np.where(
        (surface == Surface.CAR_GLASS)[..., None],
        [22, 26, 30],
        np.where((surface == Surface.TRIM)[..., None], [28, 28, 29], paint),
    )
    shell = meshes.sheet(ring, surface, colors)
    bottom = meshes.sheet(ring[:, [-1, 0]], Surface.TRIM, (20, 20, 20))
    caps = []
    for end in (0, -1):
        hub = ring[end].mean(0, keepdims=True)
        fan = np.stack([np.repeat(hub, 13, 0), ring[end], np.roll(ring[end], -1, 0)], 1)
        caps.append(meshes.parts(fan, np.array([[0, 1, 2]]), Surface.PAINT, paint))
    return meshes.merge([shell, bottom, *caps])


def _wheels(
    rng: np.random.Generator, body: BodyType, length: float, width: float, height: float
) -> Mesh:
    radius = 0.205 * height * rng.uniform(0.98, 1.1)
    if body.name == "van":
        radius *= 0.85
    x = np.array([-0.5 + rng.uniform(0.165, 0.2), 0.5 - rng.uniform(0.175, 0.21)]) * length
    y = width / 2 - 0.02
    inner = np.array([[px, s * (y - 0.22), radius] for px in x for s in (-1, 1)])
    outer = np.array([[px, s * (y + 0.012), radius] for px in x for s in (-1, 1)])
    tyre = meshes.tubes(inner, outer, radius, Surface.TYRE, (22, 22, 23), 14, capped=True)
    hub = meshes.tubes(
        inner, outer * [1, 1.004, 1], radius * 0.6, Surface.TRIM, (130, 132, 136), 8, capped=True
    )
    return meshes.merge([tyre, hub])


def _details(
    rng: np.random.Generator,
    body: BodyType,
    length: float,
    width: float,
    height: float,
    paint: NDArray[np.int64],
) -> Mesh:
    """Mirrors, lamps, plates, seats."""
    rear_top, front_top, front_foot = body.cabin[1:]
    mirror_x = (front_foot - 0.5 - 0.045) * length
    mirror_z = 0.66 * height
    y = width / 2
    lamp_z, tail_z = 0.47 * height, 0.53 * height
    tall_tail = 0.20 if body.name in ("van", "estate", "suv", "hatchback") else 0.12
    seats_x = np.linspace(front_top - 0.10, rear_top + 0.14, 2) - 0.5
    rows = [
        *(((mirror_x, s * (y + 0.07), mirror_z), (0.12, 0.17, 0.12), Surface.PAINT, paint)
          for s in (-1, 1)),
        *((((0.487) * length, s * 0.64 * y, lamp_z), (0.05, 0.34, 0.13), Surface.HEADLIGHT,
           (205, 210, 215)) for s in (-1, 1)),
        *(((-0.488 * length, s * 0.68 * y, tail_z), (0.05, 0.26, tall_tail), Surface.TAIL_LAMP,
           (165, 12, 14)) for s in (-1, 1)),
        ((-0.496 * length, 0.0, 0.40 * height), (0.02, 0.50, 0.11), Surface.PLATE, (235, 235, 225)),
        ((0.496 * length, 0.0, 0.28 * height), (0.02, 0.50, 0.11), Surface.PLATE, (235, 235, 225)),
        *((((x) * length, s * 0.36, 0.50 * height), (0.16, 0.46, 0.44 * height), Surface.INTERIOR,
           (40, 38, 38)) for x in seats_x for s in (-1, 1)),
        (((front_foot - 0.56) * length, 0.0, 0.52 * height), (0.3, 1.2, 0.2), Surface.INTERIOR,
         (30, 30, 30)),
    ]  # fmt: skip
    if rng.random() < 0.12:
        rows.append(
            ((-0.02 * length, 0, height + 0.035), (1.2, 0.9, 0.05), Surface.TRIM, (40,) * 3)
        )
    return meshes.boxes(
        [r[0] for r in rows],
        [r[1] for r in rows],
        np.array([r[2] for r in rows]),
        np.array([r[3] for r in rows]),
    )
