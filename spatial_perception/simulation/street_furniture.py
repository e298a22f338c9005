"""Poles, lamps, benches, bins, fences, walls, barriers, shelters."""

import numpy as np

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_GRAY = (120, 122, 124)


def pole(rng: np.random.Generator) -> Mesh:
    """A lamp post, mast or thin post at the origin."""
    kind = rng.choice(3, p=[0.5, 0.2, 0.3])
    if kind == 2:
        return meshes.tubes(
            [[0, 0, -0.2]],
            [[0, 0, rng.uniform(0.9, 3.2)]],
            rng.uniform(0.025, 0.06),
            Surface.POLE,
            _GRAY,
            7,
        )
    height, radius = rng.uniform(4.5, 9.5), rng.uniform(0.05, 0.15)
    color = np.array([105, 80, 60]) if kind == 1 else np.array(_GRAY) * rng.uniform(0.5, 1.2)
    pieces = [
        meshes.tubes(
            [[0, 0, -0.2]], [[0, 0, height]], [[radius, radius * 0.6]], Surface.POLE, color, 8
        )
    ]
    if kind == 0:
        reach = rng.uniform(0.4, 2.2)
        pieces.append(
            meshes.tubes(
                [[0, 0, height - 0.1]], [[reach, 0, height + 0.15]], 0.04, Surface.POLE, color, 6
            )
        )
        pieces.append(
            meshes.boxes([[reach, 0, height + 0.1]], [0.6, 0.25, 0.14], Surface.POLE, color)
        )
        pieces.append(meshes.boxes([[0, 0, 0.5]], [0.26, 0.26, 1.0], Surface.POLE, color))
    return meshes.merge(pieces)


def bench(rng: np.random.Generator) -> Mesh:
    """A bench along y at the origin."""
    wide = rng.uniform(1.4, 2.0)
    wood = np.array([120, 84, 52]) * rng.uniform(0.7, 1.2)
    return meshes.boxes(
        [[0, 0, 0.45], [-0.22, 0, 0.72], [0, -wide * 0.4, 0.2], [0, wide * 0.4, 0.2]],
        [[0.45, wide, 0.05], [0.05, wide, 0.35], [0.4, 0.06, 0.45], [0.4, 0.06, 0.45]],
        Surface.FURNITURE,
        wood,
    )


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
        Surface.FURNITURE,
        color,
    )


def column(rng: np.random.Generator) -> Mesh:
    """An advertising column, planter, hydrant or bollard."""
    radius, height = (
        (0.6, rng.uniform(2.2, 3.2))
        if rng.random() < 0.3
        else (rng.uniform(0.1, 0.45), rng.uniform(0.5, 1.1))
    )
    return meshes.tubes(
        [[0, 0, 0]],
        [[0, 0, height]],
        radius,
        Surface.FURNITURE,
        meshes.muted(rng, 60, 180),
        12,
        capped=True,
    )


def shelter(rng: np.random.Generator) -> Mesh:
    """A bus shelter, open towards +x."""
    wide = float(rng.uniform(3.0, 5.0))
    frame = meshes.boxes(
        [[0, 0, 2.4], [-0.6, -wide / 2, 1.2], [-0.6, wide / 2, 1.2], [-0.4, 0, 0.5]],
        [[1.5, wide, 0.1], [0.08, 0.08, 2.4], [0.08, 0.08, 2.4], [0.4, wide * 0.7, 0.06]],
        Surface.FURNITURE,
        (80, 84, 88),
    )
    w = wide / 2
    panes = meshes.quads(
        [
            [(-0.6, -w, 0.2), (-0.6, w, 0.2), (-0.6, w, 2.3), (-0.6, -w, 2.3)],
            [(-0.6, -w, 0.2), (0.5, -w, 0.2), (0.5, -w, 2.3), (-0.6, -w, 2.3)],
        ],
        Surface.WINDOW,
        (80, 96, 104),
    )
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
        slats = meshes.boxes(
            centers, [length_m, 0.04, float(rng.uniform(0.03, 0.12))], Surface.FENCE, color
        )
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
    return meshes.merge(
        [
            meshes.boxes(sway, [length_m / panels, thick, height + 0.4], Surface.WALL, color),
            meshes.boxes(pier, [0.45, thick + 0.2, height + 0.25], Surface.WALL, color * 0.9),
            meshes.boxes(
                [[length_m / 2, 0, height + 0.03]],
                [length_m, thick + 0.12, 0.08],
                Surface.WALL,
                color * 0.8,
            ),
        ]
    )


def barrier(rng: np.random.Generator, length_m: float) -> Mesh:
    """A guard rail, concrete barrier or a row of red and white boards along +x."""
    kind = int(rng.integers(3))
    if kind == 0:
        x = np.arange(0, length_m, 2.0)
        posts = meshes.boxes(
            np.stack([x, 0 * x, 0 * x + 0.35], 1),
            [0.12, 0.08, 0.8],
            Surface.BARRIER,
            (140, 142, 145),
        )
        rail = meshes.boxes(
            [[length_m / 2, -0.08, 0.6]], [length_m, 0.06, 0.3], Surface.BARRIER, (165, 168, 170)
        )
        return meshes.merge([posts, rail])
    if kind == 1:
        profile = [
            (0.3, -0.1),
            (0.3, 0.1),
            (0.12, 0.35),
            (0.09, 0.85),
            (-0.09, 0.85),
            (-0.12, 0.35),
            (-0.3, 0.1),
            (-0.3, -0.1),
        ]
        grid = [[(x, y, z) for y, z in profile] for x in np.linspace(0, length_m, 6)]
        return meshes.sheet(np.array(grid), Surface.BARRIER, (178, 176, 170))
    x = np.arange(0.5, length_m, 1.6)
    boards = meshes.boxes(
        np.stack([x, 0 * x, 0 * x + 0.85], 1), [1.3, 0.05, 0.28], Surface.BARRIER, (215, 70, 60)
    )
    feet = meshes.boxes(
        np.stack([x, 0 * x, 0 * x + 0.05], 1), [0.25, 0.7, 0.12], Surface.BARRIER, (50, 50, 50)
    )
    posts = meshes.tubes(
        np.stack([x, 0 * x, 0 * x], 1),
        np.stack([x, 0 * x, 0 * x + 1.0], 1),
        0.03,
        Surface.BARRIER,
        (230, 230, 225),
        5,
    )
    return meshes.merge([boards, feet, posts])
