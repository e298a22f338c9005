"""Trees, bushes, hedges and grass: twigs, and clouds of leaves around dense cores."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_TRIANGLE = np.array([[0, 1, 2]])


def _green(rng: np.random.Generator) -> NDArray[np.float64]:
    tone = rng.uniform(0.6, 1.1)
    return np.array([rng.uniform(70, 125), rng.uniform(95, 145), rng.uniform(35, 70)]) * tone


def _leaves(
    rng: np.random.Generator, points: NDArray[np.float64], size_m: float, green: ArrayLike
) -> Mesh:
    """One small random triangle at each of (N, 3) points."""
    corners = points[:, None] + rng.normal(0, size_m / 1.7, (len(points), 3, 3))
    shade = rng.uniform(0.55, 1.25, (len(points), 1))
    colors = np.clip(np.asarray(green) * shade, 0, 255)
    return meshes.parts(corners, _TRIANGLE, Surface.LEAVES, colors)


def _crown(
    rng: np.random.Generator, centers: ArrayLike, radii: ArrayLike, leaves: int, size_m: float
) -> Mesh:
    """Leaves around ellipsoidal blobs, thick near the surface, with darker cores inside."""
    c, r = np.asarray(centers, np.float64), np.asarray(radii, np.float64)
    green = _green(rng)
    area = (r**2).sum(1)
    blob = rng.choice(len(c), leaves, p=area / area.sum())
    direction = rng.normal(size=(leaves, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    depth = 1.05 - np.abs(rng.normal(0, 0.22, (leaves, 1)))
    foliage = _leaves(rng, c[blob] + direction * r[blob] * depth, size_m, green)
    cores = meshes.ellipsoids(c, r * rng.uniform(0.45, 0.7), Surface.LEAVES, green * 0.75)
    shaken = cores.vertices + rng.normal(0, 0.06 * r.mean(), cores.vertices.shape)
    return meshes.merge([foliage, cores.with_vertices(shaken)])


def tree(rng: np.random.Generator) -> Mesh:
    """A deciduous tree, conifer or young tree on a stake, on z = 0 at the origin."""
    kind = rng.choice(4, p=[0.62, 0.14, 0.16, 0.08])
    if kind == 1:
        return _conifer(rng)
    young = kind == 2
    height = rng.uniform(3.0, 5.5) if young else rng.uniform(5.5, 14.0)
    radius = rng.uniform(0.035, 0.08) if young else rng.uniform(0.10, 0.34)
    clear = height * rng.uniform(0.12, 0.42)
    lean = rng.normal(0, 0.03, 2) * height
    fork = np.array([lean[0] * 0.4, lean[1] * 0.4, clear])
    trunk_color = rng.uniform(0.7, 1.2) * np.array([88, 72, 58])
    crown_radius = rng.uniform(0.2, 0.38) * height
    blobs = int(rng.integers(3, 8))
    angle = rng.uniform(0, 2 * np.pi, blobs)
    spread = crown_radius * rng.uniform(0.2, 0.75, blobs)
    centers = np.stack(
        [
            fork[0] + spread * np.cos(angle),
            fork[1] + spread * np.sin(angle),
            rng.uniform(clear + 0.25 * crown_radius, height - 0.3 * crown_radius, blobs),
        ],
        1,
    )
    branches = meshes.tubes(
        np.concatenate([[[0, 0, -0.3]], np.repeat(fork[None], blobs, 0)]),
        np.concatenate([fork[None], centers]),
        np.concatenate([[[radius * 1.25, radius]], np.full((blobs, 2), [radius * 0.5, 0.02])]),
        Surface.BARK,
        trunk_color,
        8,
    )
    if kind == 3:  # bare in winter
        tips = np.repeat(centers, 14, 0) + rng.normal(0, crown_radius * 0.5, (14 * blobs, 3))
        twigs = meshes.tubes(
            np.repeat(centers, 14, 0), tips, [[0.025, 0.008]], Surface.BARK, trunk_color, 3
        )
        return meshes.merge([branches, twigs])
    radii = crown_radius * rng.uniform(0.4, 0.75, (blobs, 3)) * [1, 1, 0.85]
    leaves = 420 if young else int(rng.uniform(800, 1400))
    return meshes.merge([branches, _crown(rng, centers, radii, leaves, 0.07 + 0.012 * height)])


def _conifer(rng: np.random.Generator) -> Mesh:
    height, base = rng.uniform(3.5, 13.0), rng.uniform(0.1, 1.6)
    wide = height * rng.uniform(0.13, 0.24)
    share = rng.random(550) ** 1.6
    angle = rng.uniform(0, 2 * np.pi, 550)
    reach = wide * (1 - share) * (1 - 0.35 * rng.random(550) ** 2)
    z = base + share * (height - base)
    green = _green(rng) * [0.7, 0.85, 0.8]
    needles = _leaves(
        rng, np.stack([reach * np.cos(angle), reach * np.sin(angle), z], 1), 0.17, green
    )
    core = meshes.tubes(
        [[0, 0, base]], [[0, 0, height]], [[wide * 0.6, 0.02]], Surface.LEAVES, green * 0.6, 8
    )
    trunk = meshes.tubes([[0, 0, -0.3]], [[0, 0, base + 0.3]], 0.14, Surface.BARK, (80, 62, 48))
    return meshes.merge([needles, core, trunk])


def bush(rng: np.random.Generator) -> Mesh:
    """A bush on z = 0 at the origin."""
    blobs = int(rng.integers(1, 5))
    wide, height = rng.uniform(0.35, 1.2), rng.uniform(0.5, 2.0)
    centers = np.concatenate(
        [rng.normal(0, wide * 0.5, (blobs, 2)), rng.uniform(0.35, 0.6, (blobs, 1)) * height], 1
    )
    radii = np.array([wide, wide, height / 2]) * rng.uniform(0.6, 1.0, (blobs, 3))
    return _crown(rng, centers, radii, 140 + 80 * blobs, 0.09)


def hedge(rng: np.random.Generator, length_m: float) -> Mesh:
    """A clipped hedge along +x from the origin, on z = 0, with an uneven surface."""
    height, half = rng.uniform(0.6, 2.1), rng.uniform(0.22, 0.55)
    stations = max(2, int(length_m / 0.7))
    profile = np.array(
        [[half, -0.2], [half, height * 0.5], [half * 0.85, height * 0.92], [0, height],
         [-half * 0.85, height * 0.92], [-half, height * 0.5], [-half, -0.2]]
    )  # fmt: skip
    grid = np.zeros((stations, 7, 3))
    grid[..., 0] = np.linspace(0, length_m, stations)[:, None]
    grid[..., 1:] = profile
    grid += rng.normal(0, 0.05, grid.shape)
    green = _green(rng)
    shade = rng.uniform(0.6, 1.1, (stations - 1, 6, 1))
    core = meshes.sheet(grid, Surface.LEAVES, np.clip(green * shade, 0, 255))
    count = int(length_m * height * 22)
    edge = rng.uniform(-1, 1, count)
    onto_top = rng.random(count) < 0.25
    points = np.stack(
        [
            rng.uniform(0, length_m, count),
            np.where(onto_top, edge * half, np.sign(edge) * half),
            np.where(onto_top, height, rng.uniform(0, height, count)),
        ],
        1,
    )
    return meshes.merge([core, _leaves(rng, points, 0.09, green)])


def grass_tufts(rng: np.random.Generator, points: NDArray[np.float64]) -> Mesh:
    """High grass and weeds at (N, 3) points, on the ground."""
    lifted = points + [0, 0, 0.12]
    return _leaves(rng, lifted, 0.16, _green(rng) * [1.15, 1.1, 0.9])
