"""Bicycles and motorcycles, parked or with their riders."""

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes, people
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh


def _wheel(x: float, radius: float, thickness: float, y: float = 0.0) -> Mesh:
    angle = np.linspace(0, 2 * np.pi, 15)
    hub = np.array([x, y, radius])
    rim = hub + (radius - thickness / 2) * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], 1)
    tyre = meshes.tubes(rim[:-1], rim[1:], thickness / 2, Surface.CYCLE, (20, 20, 20), 5)
    spokes = meshes.tubes(
        np.repeat(hub[None], 7, 0), rim[:-1:2], 0.005, Surface.CYCLE, (120, 120, 120), 3
    )
    return meshes.merge([tyre, spokes])


def bicycle(rng: np.random.Generator) -> Mesh:
    """A bicycle on z = 0, its hubs' middle over the origin, front towards +x."""
    r = float(rng.uniform(0.31, 0.36))
    base = float(rng.uniform(0.98, 1.12))
    color = meshes.muted(rng, 20, 200)
    rear, front = np.array([-base / 2, 0, r]), np.array([base / 2, 0, r])
    crank, saddle = np.array([-0.08, 0, r - 0.05]), np.array([-0.24, 0, 0.92])
    head, bar = np.array([0.34, 0, 0.82]), np.array([0.30, 0, 1.05])
    tube_ends = [
        (crank, saddle),
        (crank, head),
        (saddle * [1, 1, 0.87], head),
        (rear, crank),
        (rear, saddle * [1, 1, 0.87]),
        (head, front),
        (head, bar),
        (bar + [-0.06, -0.28, 0], bar + [-0.06, 0.28, 0]),
    ]
    frame = meshes.tubes(
        [a for a, _ in tube_ends], [b for _, b in tube_ends], 0.02, Surface.CYCLE, color, 5
    )
    pieces = [_wheel(-base / 2, r, 0.045), _wheel(base / 2, r, 0.045), frame]
    pieces.append(meshes.boxes([saddle], [[0.26, 0.14, 0.06]], Surface.CYCLE, (25, 25, 25)))
    if rng.random() < 0.4:
        basket = [0.5, 0, 0.92] if rng.random() < 0.5 else [-0.5, 0, 0.85]
        pieces.append(meshes.boxes([basket], [[0.32, 0.30, 0.22]], Surface.CYCLE, (60, 50, 40)))
    return meshes.merge(pieces)


def motorcycle(rng: np.random.Generator) -> Mesh:
    """A motorcycle or scooter on z = 0 over the origin, front towards +x."""
    base, r = float(rng.uniform(1.25, 1.5)), float(rng.uniform(0.24, 0.32))
    color = meshes.muted(rng, 15, 200)
    dark = (30, 30, 32)
    blobs = meshes.ellipsoids(
        [[0.12, 0, 0.78], [0, 0, 0.50], [-0.42, 0, 0.74], [0.48, 0, 0.85]],
        [[0.30, 0.15, 0.17], [0.34, 0.17, 0.24], [0.45, 0.14, 0.11], [0.20, 0.19, 0.27]],
        Surface.CYCLE,
        np.array([color, dark, dark, color]),
    )
    forks = meshes.tubes(
        [[base / 2, -0.09, r], [base / 2, 0.09, r], [0.42, -0.36, 1.02], [-base / 2, 0, r]],
        [[0.42, -0.09, 1.0], [0.42, 0.09, 1.0], [0.42, 0.36, 1.02], [0, 0, 0.4]],
        0.03,
        Surface.CYCLE,
        dark,
        6,
    )
    return meshes.merge([_wheel(-base / 2, r, 0.14), _wheel(base / 2, r, 0.12), blobs, forks])


def _rider(rng: np.random.Generator, motor: bool, pedal_rad: float) -> Mesh:
    height = float(rng.normal(1.74, 0.08))
    seat = np.array([-0.24, 0, 0.98]) if not motor else np.array([-0.28, 0, 0.86])
    lean = float(rng.uniform(0.1, 0.75)) if not motor else float(rng.uniform(0.1, 0.4))
    hip = seat / height
    trunk = np.array([np.sin(lean), 0.0, np.cos(lean)])
    joints: people.Points = {
        "pelvis": hip,
        "chest": hip + 0.22 * trunk,
        "neck": hip + 0.31 * trunk,
        "head": hip + 0.31 * trunk + [0.03, 0, 0.09],
    }
    for side, sign in (("l", 1.0), ("r", -1.0)):
        angle = pedal_rad + (0 if side == "l" else np.pi)
        if motor:
            ankle = np.array([0.02, sign * 0.22, 0.33])
        else:
            ankle = np.array(
                [-0.08 + 0.17 * np.cos(angle), sign * 0.13, 0.33 + 0.17 * np.sin(angle)]
            )
        ankle = ankle / height
        start = hip + [0, sign * 0.055, 0]
        middle = (start + ankle) / 2
        reach = float(np.linalg.norm(ankle - start))
        forward = np.sqrt(max(0.245**2 - (reach / 2) ** 2, 0.0))
        joints[f"hip_{side}"] = start
        joints[f"knee_{side}"] = middle + forward * np.array([0.85, sign * 0.1, 0.5])
        joints[f"ankle_{side}"] = ankle
        joints[f"toe_{side}"] = ankle + [0.09, 0, -0.02]
        shoulder = hip + 0.29 * trunk + [0, sign * 0.11, 0]
        hand = np.array([0.26, sign * 0.26, 1.05] if not motor else [0.40, sign * 0.32, 1.04])
        joints[f"shoulder_{side}"] = shoulder
        joints[f"hand_{side}"] = hand / height
        joints[f"elbow_{side}"] = (shoulder + hand / height) / 2 + [0, sign * 0.03, -0.04]
    mesh = people.body(rng, joints, height, Surface.RIDER)
    if motor or rng.random() < 0.4:
        helmet = (joints["head"] + [0.0, 0, 0.05]) * height
        size = [0.15, 0.13, 0.15] if motor else [0.14, 0.1, 0.09]
        tone = rng.integers(20, 235, 3)
        mesh = meshes.merge([mesh, meshes.ellipsoids(helmet, size, Surface.RIDER, tone)])
    return mesh


def cyclist(
    rng: np.random.Generator, motor: bool | None = None, pedal_rad: float | None = None
) -> tuple[Mesh, NDArray[np.float64], str]:
    """A bicycle or motorcycle with its rider on z = 0, its box around the z axis, facing +x.

    Returns:
        The mesh, (3,) length, width and height of its box in metres, and the machine's name in
        CAMERA_OBJECT_LABELS.
    """
    motor = bool(rng.random() < 0.2) if motor is None else motor
    pedal = float(rng.uniform(0, 2 * np.pi)) if pedal_rad is None else pedal_rad
    machine = motorcycle(rng) if motor else bicycle(rng)
    mesh, size = people.centred(meshes.merge([machine, _rider(rng, motor, pedal)]))
    return mesh, size, "motorcycle" if motor else "bicycle"


def bike_rack(rng: np.random.Generator, count: int) -> Mesh:
    """Parked bicycles side by side along y, some leaning, some at an angle."""
    pieces = []
    pitch = float(rng.uniform(0.35, 0.6))
    model = [bicycle(rng) for _ in range(min(count, 3))]
    for k in range(count):
        bike = model[int(rng.integers(len(model)))]
        v = bike.vertices.copy()
        v[:, 1] += v[:, 2] * np.float32(rng.normal(0, 0.08))
        turn = float(rng.normal(0, 0.12)) + (np.pi if rng.random() < 0.2 else 0.0)
        offset = [float(rng.normal(0, 0.08)), (k - (count - 1) / 2) * pitch, 0.0]
        pieces.append(bike.with_vertices(v).placed(offset, turn))
    y = (np.arange(count + 1) - count / 2) * pitch
    starts = np.stack([np.full_like(y, 0.4), y, np.zeros_like(y)], 1)
    hoops = meshes.tubes(starts, starts + [0, 0, 0.6], 0.02, Surface.FURNITURE, (110, 112, 115), 5)
    return meshes.merge([*pieces, hoops])
