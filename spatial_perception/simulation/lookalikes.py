"""Street furniture of a person's size, which a detector takes for people until it has met it."""

import numpy as np

from spatial_perception.simulation import meshes, vegetation
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

_GRAY = (120, 122, 124)
_PER_M = 0.09


def lookalikes(ground: Ground, rng: np.random.Generator) -> Mesh:
    """Posts, bins, cabinets and saplings strewn along both pavements, in the world."""
    pieces = []
    builds = (litter_bin, delineator, mast, low_board, cabinet, guarded_sapling, slim_bush)
    plan = ground.plan
    for block in plan.blocks:
        road, length = plan.road_half_m(block.side), block.end_m - block.start_m
        for _ in range(int(rng.poisson(_PER_M * length * rng.uniform(0.2, 1.8)))):
            s = float(rng.uniform(block.start_m, block.end_m))
            beside = float(rng.choice([0.4, plan.sidewalk_m, rng.uniform(0.4, 12.0)]))
            build = builds[int(rng.integers(len(builds)))]
            position, yaw = ground.pose(
                s, block.side * (road + beside), float(rng.uniform(-np.pi, np.pi))
            )
            pieces.append(build(rng).placed(position, yaw))
    return meshes.merge(pieces) if pieces else _post(0.02, 0.1)


def litter_bin(rng: np.random.Generator) -> Mesh:
    """A bin that hangs on a post, at the origin."""
    wide, tall = float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.4, 0.75))
    low = float(rng.uniform(0.25, 0.6))
    post = _post(0.03, low + tall + float(rng.uniform(0.0, 0.4)))
    size = [wide * float(rng.uniform(0.6, 1.0)), wide, tall]
    body = meshes.boxes([[0.12, 0, low + tall / 2]], [size], Surface.FURNITURE, _dull(rng))
    return meshes.merge([post, body])


def delineator(rng: np.random.Generator) -> Mesh:
    """A reflector post of the roadside or a bollard."""
    return _post(float(rng.uniform(0.05, 0.11)), float(rng.uniform(0.8, 1.3)))


def mast(rng: np.random.Generator) -> Mesh:
    """A thick mast with control boxes at the height of a body, as under traffic lights."""
    pieces = [_post(float(rng.uniform(0.07, 0.17)), float(rng.uniform(2.8, 6.0)))]
    for _ in range(int(rng.integers(0, 3))):
        size = rng.uniform([0.15, 0.2, 0.3], [0.4, 0.45, 0.9])
        center = [float(rng.uniform(0.05, 0.25)), 0.0, float(rng.uniform(0.6, 2.2))]
        pieces.append(meshes.boxes([center], [size], Surface.POLE, _dull(rng)))
    return meshes.merge(pieces)


def low_board(rng: np.random.Generator) -> Mesh:
    """A board or arrow on one or two low posts."""
    wide, tall = float(rng.uniform(0.35, 0.9)), float(rng.uniform(0.4, 1.1))
    low = float(rng.uniform(0.2, 0.9))
    posts = [
        _post(0.03, low + tall).placed((0, y, 0))
        for y in ([0.0] if wide < 0.55 else [-0.4 * wide, 0.4 * wide])
    ]
    center, size = [0.05, 0, low + tall / 2], [0.04, wide, tall]
    return meshes.merge([*posts, meshes.boxes([center], [size], Surface.SIGN_FACE, _dull(rng))])


def cabinet(rng: np.random.Generator) -> Mesh:
    """A slim cabinet, parking meter or letter box on the ground or on a foot."""
    size = rng.uniform([0.2, 0.3, 0.7], [0.5, 0.7, 1.9])
    foot = float(rng.choice([0.0, rng.uniform(0.1, 0.7)]))
    body = meshes.boxes([[0, 0, foot + size[2] / 2]], [size], Surface.FURNITURE, _dull(rng))
    return meshes.merge([_post(0.05, foot + 0.05), body])


def guarded_sapling(rng: np.random.Generator) -> Mesh:
    """The trunk of a young tree between stakes, its crown no wider than a person or above one."""
    radius, height = float(rng.uniform(0.03, 0.14)), float(rng.uniform(1.8, 4.5))
    trunk = meshes.tubes([[0, 0, -0.2]], [[0, 0, height]], radius, Surface.BARK, (96, 78, 60), 7)
    pieces = [trunk]
    for turn in np.arange(int(rng.integers(0, 4))) * 2.1:
        foot = 0.3 * np.array([np.cos(turn), np.sin(turn), 0.0])
        top = foot + [0, 0, float(rng.uniform(0.9, 1.8))]
        pieces.append(meshes.tubes([foot], [top], 0.03, Surface.BARK, (130, 105, 80), 5))
    wide = float(rng.uniform(0.2, 0.8))
    crown = vegetation.bush(rng).placed(scale=(wide, wide, float(rng.uniform(0.5, 1.0))))
    lift = height - float(rng.uniform(0.2, 1.0))
    return meshes.merge([*pieces, crown.placed((0, 0, lift))])


def slim_bush(rng: np.random.Generator) -> Mesh:
    """A bush as slim as a person."""
    wide = float(rng.uniform(0.2, 0.5))
    return vegetation.bush(rng).placed(scale=(wide, wide, float(rng.uniform(0.6, 1.4))))


def _post(radius_m: float, height_m: float) -> Mesh:
    return meshes.tubes([[0, 0, -0.2]], [[0, 0, height_m]], radius_m, Surface.POLE, _GRAY, 7)


def _dull(rng: np.random.Generator) -> np.ndarray:
    return meshes.muted(rng, 25, 190)
