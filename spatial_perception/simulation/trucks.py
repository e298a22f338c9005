"""Lorries, buses, trailers and delivery trucks."""

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

Size = NDArray[np.float64]


def _color(rng: np.random.Generator) -> NDArray[np.int64]:
    if rng.random() < 0.45:
        return rng.integers(200, 245) + np.zeros(3, np.int64)
    return meshes.muted(rng, 20, 210)


def _axles(xs: list[float], width: float, radius: float) -> Mesh:
    inner = np.array([[x, s * (width / 2 - 0.45), radius] for x in xs for s in (-1, 1)])
    outer = np.array([[x, s * (width / 2 - 0.03), radius] for x in xs for s in (-1, 1)])
    return meshes.tubes(inner, outer, radius, Surface.TYRE, (22, 22, 23), 14, capped=True)


def _hull(
    x0: float,
    x1: float,
    width: float,
    z0: float,
    z1: float,
    front_slope: float,
    round_m: float,
    surface: Surface,
    color: NDArray[np.int64],
) -> Mesh:
    """A box from x0 to x1 with rounded vertical front edges and a raked front."""
    z = np.array([z0, z0 + 0.35 * (z1 - z0), z0 + 0.62 * (z1 - z0), z1 - 0.12, z1])
    rake = front_slope * np.array([0.0, 0.1, 0.3, 0.9, 1.0])
    shrink = np.array([0, 0, 0, 0.0, min(0.1, round_m)])
    rows = []
    for k in range(len(z)):
        h = width / 2 - shrink[k]
        front = x1 - rake[k]
        outline = [
            (x0, h),
            (front - round_m, h),
            (front - 0.3 * round_m, h - 0.3 * round_m),
            (front, h - round_m),
            (front, -h + round_m),
            (front - 0.3 * round_m, -h + 0.3 * round_m),
            (front - round_m, -h),
            (x0, -h),
            (x0, h),
        ]
        rows.append([(x, y, z[k]) for x, y in outline])
    side = meshes.sheet(np.array(rows), surface, color)
    top = np.array(rows[-1])[:-1]
    hub = top.mean(0, keepdims=True)
    roof = np.stack([np.repeat(hub, len(top), 0), top, np.roll(top, -1, 0)], 1)
    return meshes.merge([side, meshes.parts(roof, np.array([[0, 1, 2]]), surface, color)])


def _panes(
    x: NDArray[np.float64], length: float, width: float, z: tuple[float, float], gap: float
) -> Mesh:
    """Window panes on both sides, slightly proud of the body."""
    quads = []
    for x0 in x:
        for s in (-1, 1):
            y = s * (width / 2 + 0.012)
            a, b = x0 + gap / 2, x0 + length - gap / 2
            quads.append([(a, y, z[0]), (b, y, z[0]), (b, y, z[1]), (a, y, z[1])])
    return meshes.quads(quads, Surface.CAR_GLASS, (24, 28, 33))


def _front(x: float, width: float, z: tuple[float, float], slope: float) -> Mesh:
    w = width / 2 - 0.12
    screen = [
        (x + 0.02, -w, z[0]),
        (x + 0.02, w, z[0]),
        (x - slope, w, z[1]),
        (x - slope, -w, z[1]),
    ]
    glass = meshes.quads([screen], Surface.CAR_GLASS, (26, 30, 34))
    lamps = meshes.boxes(
        [(x + 0.005, s * (w - 0.1), 0.72) for s in (-1, 1)],
        [0.04, 0.32, 0.2],
        Surface.HEADLIGHT,
        (215, 218, 220),
    )
    mirrors = meshes.boxes(
        [(x - 0.15, s * (width / 2 + 0.17), z[0] + 0.45) for s in (-1, 1)],
        [0.12, 0.22, 0.55],
        Surface.TRIM,
        (30, 30, 30),
    )
    return meshes.merge([glass, lamps, mirrors])


def _rear(x: float, width: float) -> Mesh:
    lamps = meshes.boxes(
        [(x - 0.005, s * (width / 2 - 0.25), 0.85) for s in (-1, 1)],
        [0.04, 0.30, 0.16],
        Surface.TAIL_LAMP,
        (165, 12, 14),
    )
    plate = meshes.boxes([(x - 0.005, 0, 0.6)], [0.02, 0.5, 0.12], Surface.PLATE, (235, 235, 225))
    return meshes.merge([lamps, plate])


def lorry(rng: np.random.Generator) -> tuple[Mesh, Size]:
    """A rigid truck: cab in front of a box, tarpaulin, tank, skip or flatbed."""
    length, width = float(rng.uniform(5.6, 10.5)), float(rng.uniform(2.05, 2.55))
    height = float(rng.uniform(2.6, 3.9))
    cab_height = min(float(rng.uniform(2.3, 3.0)), height)
    cab_length = float(rng.uniform(1.6, 2.3))
    front, rear = length / 2, -length / 2
    color, cargo = _color(rng), _color(rng)
    slope = float(rng.uniform(0.1, 0.4))
    cab = _hull(
        front - cab_length, front, width * 0.96, 0.42, cab_height, slope, 0.18, Surface.PAINT, color
    )
    x1 = front - cab_length - float(rng.uniform(0.08, 0.4))
    deck = float(rng.uniform(0.75, 1.1))
    kind = rng.choice(["box", "tank", "flatbed", "skip"], p=[0.66, 0.1, 0.12, 0.12])
    frame = meshes.boxes(
        [((rear + x1) / 2, 0, deck - 0.12), ((rear + x1) / 2 + 0.2, 0, 0.65)],
        [(x1 - rear, width * 0.96, 0.24), (x1 - rear + 0.4, 0.9, 0.3)],
        Surface.TRIM,
        (45, 45, 46),
    )
    if kind == "box":
        load = _hull(rear, x1, width, deck, height, 0.0, 0.03, Surface.CARGO, cargo)
    elif kind == "tank":
        half = min((height - deck) / 2 * 0.8, width / 2)
        load = meshes.tubes(
            [[rear + 0.1, 0, deck + half]],
            [[x1, 0, deck + half]],
            half,
            Surface.CARGO,
            cargo,
            16,
            capped=True,
        )
        height = max(cab_height, deck + 2 * half)
    else:
        wall = 0.5 if kind == "flatbed" else 1.3
        height = max(cab_height, deck + wall)
        middle, span = (rear + x1) / 2, x1 - rear
        load = meshes.boxes(
            [
                (middle, width / 2 - 0.03, deck + wall / 2),
                (middle, -width / 2 + 0.03, deck + wall / 2),
                (rear + 0.03, 0, deck + wall / 2),
                (x1 - 0.03, 0, deck + wall / 2),
            ],
            [(span, 0.05, wall), (span, 0.05, wall), (0.05, width, wall), (0.05, width, wall)],
            Surface.CARGO,
            cargo,
        )
    radius = float(rng.uniform(0.38, 0.5))
    axles = [front - cab_length * 0.55, rear + 0.22 * (x1 - rear)]
    if length > 8:
        axles.append(axles[1] + 2.3 * radius)
    parts = [
        cab,
        frame,
        load,
        _axles(axles, width, radius),
        _front(front, width * 0.96, (1.45, cab_height - 0.35), slope * 0.7),
        _rear(rear, width),
        _panes(
            np.array([front - cab_length * 0.72]), 0.9, width * 0.96, (1.5, cab_height - 0.4), 0.1
        ),
    ]
    return meshes.merge(parts), np.array([length, width, max(height, cab_height)])


def bus(rng: np.random.Generator) -> tuple[Mesh, Size]:
    """A city bus or coach."""
    length, width = float(rng.uniform(8.5, 13.5)), float(rng.uniform(2.4, 2.6))
    height = float(rng.uniform(2.85, 3.5))
    color = _color(rng)
    front, rear = length / 2, -length / 2
    body = _hull(rear, front, width, 0.32, height, 0.15, 0.22, Surface.PAINT, color)
    pane = float(rng.uniform(1.1, 1.6))
    x = np.arange(rear + 0.5, front - 0.7 - pane, pane)
    parts = [
        body,
        _panes(x, pane, width, (1.35, height - 0.5), 0.12),
        _front(front, width, (1.05, height - 0.4), 0.12),
        _rear(rear, width),
        _axles([front - 2.6, rear + 3.0], width, 0.48),
    ]
    return meshes.merge(parts), np.array([length, width, height])


def semitrailer(rng: np.random.Generator) -> tuple[Mesh, Size]:
    """A long trailer, alone at the kerb or behind a tractor unit."""
    width, height = 2.52, float(rng.uniform(3.4, 4.0))
    alone = rng.random() < 0.3
    cab_length = 0.0 if alone else 2.2
    length = float(rng.uniform(6.5, 9.0)) if alone else float(rng.uniform(11.0, 16.0))
    front, rear = length / 2, -length / 2
    x1 = front - cab_length - (0.0 if alone else 0.7)
    load = _hull(rear, x1, width, 1.15, height, 0.0, 0.03, Surface.CARGO, _color(rng))
    parts = [
        load,
        _rear(rear, width),
        _axles([rear + 1.4, rear + 2.7], width, 0.48),
        meshes.boxes(
            [((rear + x1) / 2, 0, 0.95)], [(x1 - rear, 0.9, 0.35)], Surface.TRIM, (45, 45, 46)
        ),
    ]
    if not alone:
        cab_height = min(float(rng.uniform(2.9, 3.8)), height)
        parts += [
            _hull(
                front - cab_length,
                front,
                2.45,
                0.4,
                cab_height,
                0.25,
                0.2,
                Surface.PAINT,
                _color(rng),
            ),
            _front(front, 2.45, (1.7, 2.7), 0.12),
            _axles([front - 1.3, front - 4.6], width, 0.5),
        ]
    return meshes.merge(parts), np.array([length, width, height])


def truck(rng: np.random.Generator) -> tuple[Mesh, Size, str]:
    """A truck, bus or trailer on z = 0, its box around the z axis, front towards +x.

    Returns:
        The mesh, (3,) length, width (mirrors not counted) and height of its box in metres, and its
        name in CAMERA_OBJECT_LABELS.
    """
    build = (lorry, bus, semitrailer)[int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
    return *build(rng), "bus" if build is bus else "truck"
