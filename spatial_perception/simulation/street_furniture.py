"""Poles, lamps, signs, traffic lights, benches, bins, fences, walls, barriers, shelters."""

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_GRAY = (120, 122, 124)
LAMP_COLORS = {"red": (235, 30, 25), "yellow": (240, 180, 30), "green": (40, 220, 120)}
SIGN_COLORS = {
    "prohibition": (215, 30, 35),
    "warning": (220, 40, 35),
    "mandatory": (25, 80, 170),
    "priority": (240, 200, 40),
    "stop": (195, 25, 30),
    "information": (30, 90, 180),
}


def pole(rng: np.random.Generator) -> Mesh:
    """A lamp post, mast or thin post at the origin."""
    kind = rng.choice(3, p=[0.5, 0.2, 0.3])
    if kind == 2:
        return meshes.tubes([[0, 0, -0.2]], [[0, 0, rng.uniform(0.9, 3.2)]],
                            rng.uniform(0.025, 0.06), Surface.POLE, _GRAY, 7)  # fmt: skip
    height, radius = rng.uniform(4.5, 9.5), rng.uniform(0.05, 0.15)
    color = np.array([105, 80, 60]) if kind == 1 else np.array(_GRAY) * rng.uniform(0.5, 1.2)
    pieces = [
        meshes.tubes([[0, 0, -0.2]], [[0, 0, height]], [[radius, radius * 0.6]], Surface.POLE,
                     color, 8)
    ]  # fmt: skip
    if kind == 0:
        reach = rng.uniform(0.4, 2.2)
        pieces.append(meshes.tubes([[0, 0, height - 0.1]], [[reach, 0, height + 0.15]], 0.04,
                                   Surface.POLE, color, 6))  # fmt: skip
        pieces.append(meshes.boxes([[reach, 0, height + 0.1]], [0.6, 0.25, 0.14], Surface.POLE,
                                   color))  # fmt: skip
        pieces.append(meshes.boxes([[0, 0, 0.5]], [0.26, 0.26, 1.0], Surface.POLE, color))
    return meshes.merge(pieces)


def _plate(shape: str, size: float) -> NDArray[np.float64]:
    """(N, 2) outline of a sign face around its centre."""
    if shape == "warning":
        angle = np.pi / 2 + np.arange(3) * 2 * np.pi / 3
    elif shape == "stop":
        angle = np.pi / 8 + np.arange(8) * np.pi / 4
    elif shape == "priority":
        angle = np.arange(4) * np.pi / 2
    elif shape == "information":
        return size * np.array([[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]])
    else:
        angle = np.arange(16) * np.pi / 8
    return size * np.stack([np.cos(angle), np.sin(angle)], 1)


def _fan(outline: NDArray[np.float64], x: float, z: float, surface: Surface, color: object) -> Mesh:
    ring = np.stack([np.full(len(outline), x), outline[:, 0], outline[:, 1] + z], 1)
    hub = np.repeat(ring.mean(0, keepdims=True), len(ring), 0)
    fan = np.stack([hub, ring, np.roll(ring, -1, 0)], 1)
    return meshes.parts(fan, np.array([[0, 1, 2]]), surface, np.asarray(color))


def sign(rng: np.random.Generator) -> Mesh:
    """A traffic sign on its post at the origin, its face towards +x."""
    height = float(rng.uniform(1.9, 2.8))
    post = meshes.tubes([[0, 0, -0.2]], [[0, 0, height + 0.35]], 0.03, Surface.POLE, _GRAY, 6)
    pieces, z = [post], height
    for _ in range(1 + int(rng.random() < 0.25)):
        shape = str(rng.choice(list(SIGN_COLORS)))
        size = float(rng.uniform(0.28, 0.40))
        outline = _plate(shape, size)
        pieces.append(_fan(outline, 0.045, z, Surface.SIGN_FACE, SIGN_COLORS[shape]))
        pieces.append(_fan(outline, 0.030, z, Surface.SIGN_BACK, (130, 132, 134)))
        if shape in ("prohibition", "warning"):
            pieces.append(_fan(outline * 0.72, 0.050, z, Surface.SIGN_FACE, (240, 240, 238)))
            bar = np.array([[-0.5, -0.12], [0.5, -0.12], [0.5, 0.12], [-0.5, 0.12]]) * size
            pieces.append(_fan(bar, 0.055, z, Surface.SIGN_FACE, (25, 25, 25)))
        elif shape in ("mandatory", "information", "stop"):
            bar = np.array([[-0.55, -0.1], [0.55, -0.1], [0.55, 0.1], [-0.55, 0.1]]) * size
            pieces.append(_fan(bar, 0.050, z, Surface.SIGN_FACE, (240, 240, 240)))
        elif shape == "priority":
            pieces.append(_fan(outline * 1.15, 0.042, z, Surface.SIGN_FACE, (240, 240, 238)))
        z -= 2 * size + 0.08
    return meshes.merge(pieces)


def big_sign(rng: np.random.Generator) -> Mesh:
    """A direction board or advertisement on two posts, its face towards +x."""
    wide, tall, low = rng.uniform(1.2, 3.2), rng.uniform(0.8, 2.2), rng.uniform(0.5, 2.2)
    color = SIGN_COLORS["information"] if rng.random() < 0.5 else tuple(meshes.muted(rng, 60, 240))
    posts = meshes.tubes(
        [[0, -wide * 0.35, -0.2], [0, wide * 0.35, -0.2]],
        [[0, -wide * 0.35, low + tall], [0, wide * 0.35, low + tall]],
        0.05, Surface.POLE, _GRAY, 6,
    )  # fmt: skip
    board = meshes.boxes(
        [[0.06, 0, low + tall / 2]], [[0.05, wide, tall]], Surface.SIGN_FACE, color
    )
    return meshes.merge([posts, board])


def traffic_light(rng: np.random.Generator, state: str | None = None) -> Mesh:
    """A traffic light at the origin, its lamps towards +x."""
    state = str(rng.choice(list(LAMP_COLORS))) if state is None else state
    z = float(rng.uniform(2.2, 2.8))
    heads = [(0.0, z)]
    tops, ends = [[0.0, 0.0, -0.2]], [[0.0, 0.0, z + 1.0]]
    if rng.random() < 0.4:
        reach = float(rng.uniform(2.5, 4.5))
        tops.append([0, 0, 5.4])
        ends[0] = [0, 0, 5.5]
        ends.append([0, reach, 5.6])
        heads.append((reach, 4.75))
    pieces = [meshes.tubes(tops, ends, 0.06, Surface.POLE, (90, 92, 94), 8)]
    for y, low in heads:
        pieces.append(meshes.boxes([[0.1, y, low + 0.45]], [[0.22, 0.32, 0.95]],
                                   Surface.LIGHT_HOUSING, (28, 30, 30)))  # fmt: skip
        for k, name in enumerate(("green", "yellow", "red")):
            lit = np.array(LAMP_COLORS[name]) if name == state else np.array([38, 36, 34])
            disc = _plate("mandatory", 0.11) + [y, 0]
            pieces.append(_fan(disc, 0.225, low + 0.16 + 0.29 * k, Surface.LAMP, lit))
    return meshes.merge(pieces)


def bench(rng: np.random.Generator) -> Mesh:
    """A bench along y at the origin."""
    wide = rng.uniform(1.4, 2.0)
    wood = np.array([120, 84, 52]) * rng.uniform(0.7, 1.2)
    return meshes.boxes(
        [[0, 0, 0.45], [-0.22, 0, 0.72], [0, -wide * 0.4, 0.2], [0, wide * 0.4, 0.2]],
        [[0.45, wide, 0.05], [0.05, wide, 0.35], [0.4, 0.06, 0.45], [0.4, 0.06, 0.45]],
        Surface.FURNITURE, wood,
    )  # fmt: skip


def bins(rng: np.random.Generator) -> Mesh:
    """Dustbins, containers or a cabinet, standing at the origin in a row along y."""
    count = int(rng.integers(1, 5))
    size = rng.uniform([0.45, 0.4, 0.8], [0.8, 0.65, 1.2])
    if rng.random() < 0.2:
        count, size = 1, rng.uniform([0.9, 1.2, 1.1], [1.4, 2.4, 1.7])
    color = meshes.muted(rng, 25, 140)
    y = (np.arange(count) - (count - 1) / 2) * (size[1] + 0.08)
    centers = np.stack([rng.normal(0, 0.05, count), y, np.full(count, size[2] / 2)], 1)
    lids = centers + [0.02, 0, size[2] / 2 + 0.03]
    return meshes.boxes(
        np.concatenate([centers, lids]),
        np.concatenate([np.tile(size, (count, 1)), np.tile(size * [1.08, 1.04, 0], (count, 1))])
        + np.repeat([[0, 0, 0], [0, 0, 0.07]], count, 0),
        Surface.FURNITURE, color,
    )  # fmt: skip


def column(rng: np.random.Generator) -> Mesh:
    """An advertising column, planter, hydrant or bollard."""
    radius, height = (0.6, rng.uniform(2.2, 3.2)) if rng.random() < 0.3 else (
        rng.uniform(0.1, 0.45), rng.uniform(0.5, 1.1))  # fmt: skip
    return meshes.tubes([[0, 0, 0]], [[0, 0, height]], radius, Surface.FURNITURE,
                        meshes.muted(rng, 60, 180), 12, capped=True)  # fmt: skip


def shelter(rng: np.random.Generator) -> Mesh:
    """A bus shelter, open towards +x."""
    wide = float(rng.uniform(3.0, 5.0))
    frame = meshes.boxes(
        [[0, 0, 2.4], [-0.6, -wide / 2, 1.2], [-0.6, wide / 2, 1.2], [-0.4, 0, 0.5]],
        [[1.5, wide, 0.1], [0.08, 0.08, 2.4], [0.08, 0.08, 2.4], [0.4, wide * 0.7, 0.06]],
        Surface.FURNITURE, (80, 84, 88),
    )  # fmt: skip
    w = wide / 2
    panes = meshes.quads(
        [[(-0.6, -w, 0.2), (-0.6, w, 0.2), (-0.6, w, 2.3), (-0.6, -w, 2.3)],
         [(-0.6, -w, 0.2), (0.5, -w, 0.2), (0.5, -w, 2.3), (-0.6, -w, 2.3)]],
        Surface.WINDOW, (80, 96, 104),
    )  # fmt: skip
    return meshes.merge([frame, panes])


def fence(rng: np.random.Generator, length_m: float) -> Mesh:
    """A fence along +x from the origin: pickets, rails, mesh or boards."""
    height = float(rng.uniform(0.8, 2.0))
    kind = int(rng.integers(3))
    color = np.array([[125, 95, 65], [70, 76, 72], [205, 205, 200]][int(rng.integers(3))])
    posts_x = np.linspace(0, length_m, max(2, int(length_m / 2.2)))
    zero = np.zeros_like(posts_x)
    posts = meshes.tubes(
        np.stack([posts_x, zero, zero - 0.2], 1),
        np.stack([posts_x, zero, zero + height], 1),
        0.04,
        Surface.FENCE,
        color,
        5,
    )
    if kind == 0:
        board = float(rng.uniform(0.08, 0.14))
        x = np.arange(board, length_m, board * float(rng.uniform(1.05, 2.4)))
        centers = np.stack([x, 0 * x, 0 * x + height * 0.5], 1)
        slats = meshes.boxes(centers, [board, 0.03, height * 0.95], Surface.FENCE, color)
    elif kind == 1:
        z = np.linspace(0.2, height - 0.05, int(rng.integers(3, 7)))
        centers = np.stack([0 * z + length_m / 2, 0 * z, z], 1)
        slats = meshes.boxes(centers, [length_m, 0.04, float(rng.uniform(0.03, 0.12))],
                             Surface.FENCE, color)  # fmt: skip
    else:
        x = np.arange(0.1, length_m, 0.16)
        slats = meshes.tubes(
            np.stack([x, 0 * x, 0 * x + 0.1], 1),
            np.stack([x, 0 * x, 0 * x + height], 1),
            0.012,
            Surface.FENCE,
            color,
            3,
        )
    return meshes.merge([posts, slats])


def wall(rng: np.random.Generator, length_m: float) -> Mesh:
    """A garden or retaining wall along +x, with piers, niches and a coping."""
    height, thick = float(rng.uniform(0.5, 2.6)), float(rng.uniform(0.2, 0.4))
    color = np.clip(np.array([158, 142, 122]) + rng.integers(-35, 36, 3), 0, 255)
    x = np.arange(0, length_m, float(rng.uniform(2.0, 4.5)))
    pier = np.stack([x, 0 * x, 0 * x + height / 2], 1)
    panels = max(1, int(length_m / 4))
    px = (np.arange(panels) + 0.5) * length_m / panels
    sway = np.stack([px, rng.normal(0, 0.04, panels), np.full(panels, height / 2 - 0.2)], 1)
    return meshes.merge([
        meshes.boxes(sway, [length_m / panels, thick, height + 0.4], Surface.WALL, color),
        meshes.boxes(pier, [0.45, thick + 0.2, height + 0.25], Surface.WALL, color * 0.9),
        meshes.boxes([[length_m / 2, 0, height + 0.03]], [length_m, thick + 0.12, 0.08],
                     Surface.WALL, color * 0.8),
    ])  # fmt: skip


def barrier(rng: np.random.Generator, length_m: float) -> Mesh:
    """A guard rail, concrete barrier or a row of red and white boards along +x."""
    kind = int(rng.integers(3))
    if kind == 0:
        x = np.arange(0, length_m, 2.0)
        posts = meshes.boxes(np.stack([x, 0 * x, 0 * x + 0.35], 1), [0.12, 0.08, 0.8],
                             Surface.BARRIER, (140, 142, 145))  # fmt: skip
        rail = meshes.boxes([[length_m / 2, -0.08, 0.6]], [length_m, 0.06, 0.3], Surface.BARRIER,
                            (165, 168, 170))  # fmt: skip
        return meshes.merge([posts, rail])
    if kind == 1:
        profile = [(0.3, -0.1), (0.3, 0.1), (0.12, 0.35), (0.09, 0.85), (-0.09, 0.85),
                   (-0.12, 0.35), (-0.3, 0.1), (-0.3, -0.1)]  # fmt: skip
        grid = [[(x, y, z) for y, z in profile] for x in np.linspace(0, length_m, 6)]
        return meshes.sheet(np.array(grid), Surface.BARRIER, (178, 176, 170))
    x = np.arange(0.5, length_m, 1.6)
    boards = meshes.boxes(np.stack([x, 0 * x, 0 * x + 0.85], 1), [1.3, 0.05, 0.28],
                          Surface.BARRIER, (215, 70, 60))  # fmt: skip
    feet = meshes.boxes(np.stack([x, 0 * x, 0 * x + 0.05], 1), [0.25, 0.7, 0.12],
                        Surface.BARRIER, (50, 50, 50))  # fmt: skip
    posts = meshes.tubes(np.stack([x, 0 * x, 0 * x], 1), np.stack([x, 0 * x, 0 * x + 1.0], 1), 0.03,
                         Surface.BARRIER, (230, 230, 225), 5)  # fmt: skip
    return meshes.merge([boards, feet, posts])
