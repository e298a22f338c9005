"""Articulated people: standing, walking, running, adults and children, with what they carry."""

import numpy as np
from numpy.typing import NDArray

from spatial_perception.simulation import meshes
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.meshes import Mesh

Points = dict[str, NDArray[np.float64]]

_BOX_ROOM_M = np.array([0.08, 0.0, 0.0])
"""Length, width and height by which annotators' boxes of people exceed their outline: so the mean
box is 0.75 x 0.66 m, between KITTI's (0.84 x 0.66) and nuScenes's (0.73 x 0.67)."""

_LIMBS = (
    # from, to, radius at each end for a body of 1 m, coloured as
    ("hip_l", "knee_l", 0.050, 0.034, "trousers"),
    ("hip_r", "knee_r", 0.050, 0.034, "trousers"),
    ("knee_l", "ankle_l", 0.034, 0.024, "trousers"),
    ("knee_r", "ankle_r", 0.034, 0.024, "trousers"),
    ("ankle_l", "toe_l", 0.025, 0.020, "shoes"),
    ("ankle_r", "toe_r", 0.025, 0.020, "shoes"),
    ("shoulder_l", "elbow_l", 0.031, 0.025, "coat"),
    ("shoulder_r", "elbow_r", 0.031, 0.025, "coat"),
    ("elbow_l", "hand_l", 0.025, 0.019, "coat"),
    ("elbow_r", "hand_r", 0.025, 0.019, "coat"),
    ("neck", "head", 0.033, 0.036, "skin"),
)


def bend(start: NDArray[np.float64], angle_rad: float, length: float) -> NDArray[np.float64]:
    """The end of a limb that hangs down from `start`, swung forward by the angle."""
    return start + length * np.array([np.sin(angle_rad), 0.0, -np.cos(angle_rad)])


def joints_walking(phase_rad: float, stride: float, lean_rad: float, spread: float) -> Points:
    """Joint positions of a walker of height 1 whose feet reach the ground.

    Args:
        phase_rad: where in the step.
        stride: 0 standing .. 1 running.
        lean_rad: of the trunk, forward.
        spread: arms away from the body, 0..1.
    """
    joints: Points = {}
    hip = np.array([0.0, 0.0, 0.52])
    trunk = np.array([np.sin(lean_rad), 0.0, np.cos(lean_rad)])
    joints["pelvis"] = hip
    joints["chest"] = hip + 0.22 * trunk
    joints["neck"] = hip + 0.31 * trunk
    joints["head"] = hip + 0.41 * trunk
    for side, sign in (("l", 1.0), ("r", -1.0)):
        swing = np.sin(phase_rad + (0 if side == "l" else np.pi)) * 0.55 * stride
        lift = max(0.0, np.cos(phase_rad + (0 if side == "l" else np.pi))) * 0.9 * stride
        joints[f"hip_{side}"] = hip + [0, sign * 0.052, 0]
        joints[f"knee_{side}"] = bend(joints[f"hip_{side}"], swing + 0.3 * lift, 0.245)
        joints[f"ankle_{side}"] = bend(joints[f"knee_{side}"], swing - 0.6 * lift, 0.245)
        joints[f"toe_{side}"] = joints[f"ankle_{side}"] + [0.095, sign * 0.01, -0.008]
        shoulder = hip + 0.29 * trunk + [0, sign * 0.105, 0]
        joints[f"shoulder_{side}"] = shoulder
        elbow = bend(shoulder, -swing * 0.9, 0.17) + [0, sign * (0.02 + 0.06 * spread), 0]
        joints[f"elbow_{side}"] = elbow
        joints[f"hand_{side}"] = bend(elbow, -swing * 0.9 + 0.35 + 0.5 * stride, 0.155)
    lowest = min(float(joints[f"ankle_{s}"][2]) for s in "lr") - 0.027
    return {name: p - [0, 0, lowest] for name, p in joints.items()}


def body(
    rng: np.random.Generator, joints: Points, height_m: float, cloth: Surface = Surface.CLOTH
) -> Mesh:
    """The flesh and clothes over joints given for a body of height 1."""
    wide = rng.uniform(1.2, 1.75)
    tones = {
        "trousers": _cloth_color(rng, dark=True),
        "coat": _cloth_color(rng, dark=False),
        "shoes": np.array([35, 32, 30]),
        "skin": np.array([[224, 184, 156], [198, 146, 112], [120, 80, 56]][int(rng.integers(3))]),
    }
    skin = Surface.SKIN if cloth == Surface.CLOTH else cloth
    surfaces = [skin if limb[4] == "skin" else cloth for limb in _LIMBS]
    limbs = meshes.tubes(
        np.array([joints[limb[0]] for limb in _LIMBS]) * height_m,
        np.array([joints[limb[1]] for limb in _LIMBS]) * height_m,
        np.array([limb[2:4] for limb in _LIMBS]) * height_m * wide,
        np.array(surfaces),
        np.array([tones[limb[4]] for limb in _LIMBS]),
        segments=7,
    )
    trunk = joints["neck"] - joints["pelvis"]
    centers = [
        joints["pelvis"] + 0.62 * trunk,
        joints["pelvis"] + 0.15 * trunk,
        joints["head"] + [0.005, 0, 0.035],
        joints["hand_l"],
        joints["hand_r"],
    ]
    lean = abs(float(trunk[0]))
    radii = [
        [0.078 * wide + 0.4 * lean, 0.118 * wide, 0.155 - 0.1 * lean],
        [0.080 * wide, 0.100 * wide, 0.115],
        [0.060, 0.052, 0.072],
        [0.022, 0.020, 0.030],
        [0.022, 0.020, 0.030],
    ]
    blobs = meshes.ellipsoids(
        np.array(centers) * height_m,
        np.array(radii) * height_m,
        np.array([cloth, cloth, skin, skin, skin]),
        np.array([tones["coat"], tones["trousers"], tones["skin"], tones["skin"], tones["skin"]]),
    )
    pieces = [limbs, blobs]
    hair = (joints["head"] + [-0.01, 0, 0.06]) * height_m
    if rng.random() < 0.7:
        tone = np.array([[40, 28, 20], [90, 62, 36], [160, 130, 80], [60, 60, 60]][rng.integers(4)])
        size = np.array([0.056, 0.052, 0.052]) * height_m
        pieces.append(meshes.ellipsoids(hair, size, cloth, tone))
    if rng.random() < 0.3:
        pack = (joints["pelvis"] + 0.6 * trunk + [-0.10, 0, 0.0]) * height_m
        size = np.array([0.05, 0.08, 0.12]) * height_m
        pieces.append(meshes.ellipsoids(pack, size, cloth, _cloth_color(rng, dark=False)))
    return meshes.merge(pieces)


def person(
    rng: np.random.Generator, stride: float | None = None, phase_rad: float | None = None
) -> tuple[Mesh, NDArray[np.float64]]:
    """A person on z = 0 around the z axis, facing +x.

    Returns:
        The mesh and (3,) length, width and height of its box in metres.
    """
    height = float(rng.normal(1.72, 0.09)) if rng.random() > 0.12 else float(rng.uniform(1.0, 1.5))
    if stride is None:
        stride = 0.0 if rng.random() < 0.3 else float(rng.uniform(0.5, 1.1))
    phase = float(rng.uniform(0, 2 * np.pi))
    joints = joints_walking(
        phase if phase_rad is None else phase_rad,
        stride,
        float(rng.normal(0.06, 0.06)) + 0.1 * stride,
        float(rng.random()),
    )
    pieces = [body(rng, joints, height)]
    if rng.random() < 0.22:
        pieces.append(_bag(rng, joints, height))
    if rng.random() < 0.15:
        pieces.append(_skirt(rng, height))
    mesh, size = centred(meshes.merge(pieces))
    return mesh, size + _BOX_ROOM_M


def centred(mesh: Mesh) -> tuple[Mesh, NDArray[np.float64]]:
    """The mesh with its box around the z axis on z = 0, and the size of the box."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    shift = np.array([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])
    return mesh.placed(shift), (high - low).astype(np.float64)


def _bag(rng: np.random.Generator, joints: Points, height: float) -> Mesh:
    hand = joints["hand_l" if rng.random() < 0.5 else "hand_r"] * height
    size = rng.uniform([0.2, 0.08, 0.2], [0.45, 0.2, 0.4])
    return meshes.boxes(hand - [0, 0, size[2] / 2 + 0.05], size, Surface.CLOTH, _cloth_color(rng))


def _skirt(rng: np.random.Generator, height: float) -> Mesh:
    top, bottom = np.array([0, 0, 0.58]) * height, np.array([0, 0, rng.uniform(0.1, 0.3)]) * height
    return meshes.tubes(
        top, bottom, [[0.09 * height, 0.16 * height]], Surface.CLOTH, _cloth_color(rng), 10
    )


def _cloth_color(rng: np.random.Generator, dark: bool = False) -> NDArray[np.int64]:
    if dark:
        return rng.integers(15, 75, 3)
    color = rng.integers(25, 215, 3)
    gray = int(color.mean())
    return (color * 0.55 + gray * 0.45).astype(np.int64)
