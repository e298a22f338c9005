"""Traffic signs, boards and traffic lights."""

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
        0.05,
        Surface.POLE,
        _GRAY,
        6,
    )
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
        pieces.append(
            meshes.boxes(
                [[0.1, y, low + 0.45]], [[0.22, 0.32, 0.95]], Surface.LIGHT_HOUSING, (28, 30, 30)
            )
        )
        for k, name in enumerate(("green", "yellow", "red")):
            lit = np.array(LAMP_COLORS[name]) if name == state else np.array([38, 36, 34])
            disc = _plate("mandatory", 0.11) + [y, 0]
            pieces.append(_fan(disc, 0.225, low + 0.16 + 0.29 * k, Surface.LAMP, lit))
    return meshes.merge(pieces)
