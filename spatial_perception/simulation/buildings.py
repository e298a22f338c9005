"""Buildings with relief: recessed windows, doors, ledges, balconies, bays, roofs."""

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_WALLS = np.array(
    [
        [178, 158, 134],
        [152, 88, 66],
        [200, 192, 176],
        [168, 142, 112],
        [142, 140, 138],
        [214, 204, 182],
        [120, 78, 62],
        [186, 170, 150],
        [160, 172, 176],
        [222, 216, 206],
    ]
)


def _wall_quads(x0: NDArray, x1: NDArray, z0: NDArray, z1: NDArray, y: float) -> NDArray:
    """(P, 4, 3) upright quads in the plane y."""
    yy = np.full_like(x0, y)
    return np.stack(
        [np.stack(c, 1) for c in ((x0, yy, z0), (x1, yy, z0), (x1, yy, z1), (x0, yy, z1))], 1
    )


def _reveals(x0: NDArray, x1: NDArray, z0: NDArray, z1: NDArray, depth: float) -> NDArray:
    """(4 P, 4, 3) the sides of openings between the wall's face y = 0 and y = depth."""
    front = _wall_quads(x0, x1, z0, z1, 0.0)
    back = _wall_quads(x0, x1, z0, z1, depth)
    k = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
    sides = np.stack([front[:, k[:, 0]], front[:, k[:, 1]], back[:, k[:, 1]], back[:, k[:, 0]]], 2)
    return sides.reshape(-1, 4, 3)


def facade(rng: np.random.Generator, length_m: float, height_m: float, color: NDArray) -> Mesh:
    """A front in the plane y = 0 from x = 0 to length, its rooms behind it (y > 0)."""
    floor = float(rng.uniform(2.7, 3.6))
    floors = max(1, int(height_m / floor))
    pitch = float(rng.uniform(1.7, 3.6))
    columns = max(1, int(length_m / pitch))
    pitch = length_m / columns
    wide = pitch * float(rng.uniform(0.35, 0.62))
    left = np.arange(columns) * pitch + (pitch - wide) / 2
    sill, tall = float(rng.uniform(0.7, 1.1)), float(rng.uniform(1.2, 1.7))
    ledge = np.arange(floors) * (height_m / floors) + sill
    recess = float(rng.uniform(0.06, 0.26))
    lo = np.broadcast_to(ledge, (columns, floors)).copy()
    hi = lo + tall
    shop = rng.random() < 0.3
    doors = rng.random(columns) < (0.5 if shop else 0.18)
    lo[doors, 0] = 0.05
    hi[doors, 0] = 2.2
    if shop:
        lo[~doors, 0] = 0.45
        hi[:, 0] = np.minimum(2.5, height_m / floors - 0.2)
    x0 = np.repeat(left, floors)
    w0, w1 = x0, x0 + wide
    z0, z1 = lo.reshape(-1), hi.reshape(-1)
    edges = np.concatenate([[0.0], np.stack([left, left + wide], 1).reshape(-1), [length_m]])
    piers = _wall_quads(
        edges[0::2], edges[1::2], np.full(columns + 1, -0.6), np.full(columns + 1, height_m), 0.0
    )
    below = np.concatenate([np.full((columns, 1), -0.6), hi], 1).reshape(-1)
    above = np.concatenate([lo, np.full((columns, 1), height_m)], 1).reshape(-1)
    xs = np.repeat(left, floors + 1)
    spandrels = _wall_quads(xs, xs + wide, below, above, 0.0)
    walls = np.concatenate([piers, spandrels, _reveals(w0, w1, z0, z1, recess)])
    closed = rng.random(len(w0)) < 0.12
    closed[::floors] |= doors & (rng.random(columns) < 0.6)
    panes = _wall_quads(w0, w1, z0, z1, recess)
    pieces = [
        meshes.quads(walls, Surface.FACADE, color),
        meshes.quads(panes[~closed], Surface.WINDOW, (58, 66, 74)),
        meshes.quads(panes[closed], Surface.FACADE, meshes.muted(rng, 40, 190)),
        # Curtains and inner walls, seen through the panes.
        meshes.quads(panes[~closed] + [0, rng.uniform(0.2, 2.5), 0], Surface.FACADE, (90, 84, 76)),
    ]
    return meshes.merge([*pieces, _relief(rng, length_m, height_m, floors, left, wide, color)])


def _relief(
    rng: np.random.Generator,
    length: float,
    height: float,
    floors: int,
    left: NDArray,
    wide: float,
    color: NDArray,
) -> Mesh:
    """Plinth, ledges, pipes, pilasters, balconies, awnings, steps."""
    step = height / floors
    rows: list[tuple[tuple[float, ...], tuple[float, ...], NDArray | tuple[int, ...]]] = []
    if rng.random() < 0.5:
        rows.append(((length / 2, -0.05, 0.1), (length, 0.1, 1.2), color * 0.75))
    if rng.random() < 0.5:
        rows += [
            ((length / 2, -0.06, k * step), (length, 0.14, 0.18), color * 0.9)
            for k in range(1, floors + 1)
        ]
    if rng.random() < 0.4:
        for x in np.arange(0.2, length, float(rng.uniform(3, 7))):
            rows.append(((x, -0.1, height / 2), (0.4, 0.22, height), color * 0.95))
    if rng.random() < 0.3 and floors > 1:
        for x in left[rng.random(len(left)) < 0.5]:
            for k in range(1, floors):
                rows.append(((x + wide / 2, -0.5, k * step + 0.1), (wide + 0.5, 1.0, 0.15), color))
                rows.append(
                    ((x + wide / 2, -0.97, k * step + 0.6), (wide + 0.5, 0.05, 0.9), (70, 72, 75))
                )
    if rng.random() < 0.25:
        bay = float(rng.choice(left))
        rows.append(
            ((bay + wide / 2, -0.35, height * 0.42), (wide * 1.2, 0.8, height * 0.84), color)
        )
    if rng.random() < 0.3:
        rows.append(((length * rng.random(), -0.4, 0.05), (1.6, 0.9, 0.45), (150, 148, 145)))
    pieces = []
    if rows:
        pieces.append(
            meshes.boxes(
                [r[0] for r in rows],
                [r[1] for r in rows],
                Surface.FACADE,
                np.array([np.asarray(r[2], np.float64) for r in rows]),
            )
        )
    if rng.random() < 0.5:
        x = rng.uniform(0.1, 0.9) * length
        pieces.append(
            meshes.tubes(
                [[x, -0.09, 0]], [[x, -0.09, height]], 0.05, Surface.FACADE, (90, 90, 92), 5
            )
        )
    return meshes.merge(pieces)


def building(
    rng: np.random.Generator, length_m: float, depth_m: float, height_m: float, pitched: bool
) -> Mesh:
    """A building from x = 0 to length, its front at y = 0, its depth towards +y."""
    color = np.clip(_WALLS[rng.integers(len(_WALLS))] + rng.integers(-18, 19, 3), 0, 255)
    x, y, h = length_m, depth_m, height_m
    z = -0.6
    ridge = h + (float(rng.uniform(0.3, 0.55)) * y if pitched else 0.0)
    side_quads: list[list[tuple[float, float, float]]] = [
        [(0, 0, z), (0, y, z), (0, y, h), (0, 0, h)],
        [(x, 0, z), (x, y, z), (x, y, h), (x, 0, h)],
        [(0, y, z), (x, y, z), (x, y, h), (0, y, h)],
    ]
    over = 0.35 if pitched else 0.0
    roof_quads: list[list[tuple[float, float, float]]] = [
        [
            (-0.1, -over, h - 0.15 * over),
            (x + 0.1, -over, h - 0.15 * over),
            (x + 0.1, y / 2, ridge),
            (-0.1, y / 2, ridge),
        ],
        [
            (-0.1, y + over, h),
            (x + 0.1, y + over, h),
            (x + 0.1, y / 2, ridge),
            (-0.1, y / 2, ridge),
        ],
    ]
    gables = [[(k, 0, h), (k, y, h), (k, y / 2, ridge), (k, y / 2, ridge)] for k in (0, x)]
    roof_color = np.array([[120, 62, 48], [70, 68, 70], [96, 84, 74]][int(rng.integers(3))])
    ends = facade(rng, y, h, color) if rng.random() < 0.5 else None
    pieces = [
        facade(rng, x, h, color),
        meshes.quads(side_quads, Surface.FACADE, color),
        meshes.quads(roof_quads, Surface.ROOF, roof_color),
        meshes.quads(gables, Surface.FACADE, color),
    ]
    if ends is not None:
        pieces += [ends.placed((-0.02, y, 0), -np.pi / 2), ends.placed((x + 0.02, 0, 0), np.pi / 2)]
    if pitched and rng.random() < 0.6:
        pieces.append(
            meshes.boxes(
                [(x * rng.random(), y / 2, ridge + 0.2)],
                [0.6, 0.6, 1.4],
                Surface.FACADE,
                (110, 70, 58),
            )
        )
    return meshes.merge(pieces)
