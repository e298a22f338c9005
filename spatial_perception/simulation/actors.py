"""Objects that are boxed: vehicles, people and riders, where they are and how they move."""

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.simulation.cars import boxed, car
from spatial_perception.simulation.features import ALL_FEATURES, SceneFeatures, opaque
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.meshes import Mesh
from spatial_perception.simulation.people import person
from spatial_perception.simulation.trucks import truck
from spatial_perception.simulation.two_wheelers import cyclist

_STRIDE_M = 1.35
_CRANK_M = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """One object of a scene.

    Attributes:
        kind: name in OBJECT_LABELS.
        look: name in CAMERA_OBJECT_LABELS; of a rider that of the machine.
        s_m: along the street at time 0.
        d_m: to the left of its middle.
        yaw_rad: heading relative to the street.
        speed_mps: along its heading.
        seed: what its shape is drawn from.
        mesh: around the z axis on z = 0, front towards +x.
        size_lwh_m: (3,) of its box.
    """

    kind: str
    look: str
    s_m: float
    d_m: float
    yaw_rad: float
    speed_mps: float
    seed: int
    mesh: Mesh
    size_lwh_m: np.ndarray

    @property
    def label(self) -> int:
        """Its class in OBJECT_LABELS."""
        return OBJECT_LABELS.index(self.kind)

    def station(self, time_s: float) -> tuple[float, float]:
        """Its s and d at a time."""
        way = self.speed_mps * time_s
        return self.s_m + way * np.cos(self.yaw_rad), self.d_m + way * np.sin(self.yaw_rad)

    def placed(self, ground: Ground, time_s: float = 0.0) -> tuple[Mesh, np.ndarray]:
        """Its mesh and its box (7,) x y z l w h yaw in the world at a time."""
        s, d = self.station(time_s)
        position, yaw = ground.pose(s, d, self.yaw_rad)
        mesh = self.mesh if self.speed_mps == 0 or time_s == 0 else self._moving_mesh(time_s)
        wheels = self.kind in ("car", "truck")
        rise_s, rise_d = ground.gradient(s, d, 0.3 * float(self.size_lwh_m[0]) if wheels else 0.3)
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        pitch, roll = rise_s * cos + rise_d * sin, rise_d * cos - rise_s * sin
        v = mesh.vertices.copy()
        if wheels:
            v[:, 2] += (pitch * v[:, 0] + roll * v[:, 1]).astype(np.float32)
        center = position + [0, 0, self.size_lwh_m[2] / 2]
        box = np.concatenate([center, self.size_lwh_m, [(yaw + np.pi) % (2 * np.pi) - np.pi]])
        return mesh.with_vertices(v).placed(position, yaw), box

    def _moving_mesh(self, time_s: float) -> Mesh:
        """Its mesh with legs that move; vehicles keep theirs."""
        rng = np.random.default_rng(self.seed)
        way = self.speed_mps * time_s
        if self.kind == "pedestrian":
            phase = 2 * np.pi * way / _STRIDE_M
            return person(rng, stride=min(1.0, 0.45 * self.speed_mps), phase_rad=phase)[0]
        if self.kind == "cyclist":
            return cyclist(rng, pedal_rad=2 * np.pi * way / _CRANK_M)[0]
        return self.mesh


def make_actor(
    kind: str,
    s_m: float,
    d_m: float,
    yaw_rad: float,
    speed_mps: float,
    seed: int,
    features: SceneFeatures = ALL_FEATURES,
) -> Actor:
    """An actor whose shape is drawn from its seed."""
    rng = np.random.default_rng(seed)
    look = "person" if kind == "pedestrian" else kind
    if kind == "car":
        mesh, size = car(rng)
    elif kind == "truck":
        mesh, size, look = truck(rng)
    elif kind == "cyclist":
        mesh, size, look = cyclist(rng, pedal_rad=0.0 if speed_mps else None)
    elif speed_mps:
        mesh, size = person(rng, stride=min(1.0, 0.45 * speed_mps), phase_rad=0.0)
    else:
        mesh, size = person(rng)
    if kind == "car" and not features.lofted_cars:
        mesh = boxed(size)
    if not features.glass:
        mesh = opaque(mesh)
    return Actor(kind, look, s_m, d_m, yaw_rad, speed_mps, seed, mesh, size)
