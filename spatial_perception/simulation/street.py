"""A street with everything on it, and the snapshot of it that sensors look at."""

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.pose import Pose
from spatial_perception.simulation import meshes
from spatial_perception.simulation.actors import Actor
from spatial_perception.simulation.cars import car
from spatial_perception.simulation.features import ALL_FEATURES, SceneFeatures, opaque
from spatial_perception.simulation.ground import Ground
from spatial_perception.simulation.layout import sample_plan
from spatial_perception.simulation.lookalikes import lookalikes
from spatial_perception.simulation.meshes import Mesh
from spatial_perception.simulation.scenery import SceneryBuilder
from spatial_perception.simulation.traffic import TrafficBuilder

EGO = np.uint16(65535)
"""Instance of the ego vehicle: it blocks rays and is not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """A street.

    Attributes:
        ground: its course and height.
        scenery: ground, buildings, plants and furniture in the world.
        ground_faces: how many triangles of the scenery, its first ones, are the ground.
        actors: everything that is boxed.
        ego_d_m: the lane in which the ego vehicle drives, from s = 0.
        ego_speed_mps: how fast.
    """

    ground: Ground
    scenery: Mesh
    ground_faces: int
    actors: tuple[Actor, ...]
    ego_d_m: float
    ego_speed_mps: float

    def follows(self, actor: Actor) -> bool:
        """Whether something comes along behind the ego vehicle, in its lane or at its edge."""
        beside_m = abs(actor.d_m - self.ego_d_m)
        comes = actor.speed_mps > 0 and np.cos(actor.yaw_rad) > 0
        return bool(comes and actor.s_m < 0 and beside_m < self.ground.plan.lane_width_m * 0.6)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Triangles of a moment in the world, and whose they are.

    Attributes:
        mesh: all triangles, metres, world.
        instances: (F,) uint16; 0 scenery, k the k-th object of `boxes` counted from 1.
        boxes: (M, 7) float64 x y z l w h yaw, world, z at the centre.
        labels: (M,) uint8 in OBJECT_LABELS.
    """

    mesh: Mesh
    instances: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def build_street(
    rng: np.random.Generator,
    start_m: float = -75.0,
    end_m: float = 105.0,
    flowing: bool = False,
    features: SceneFeatures = ALL_FEATURES,
) -> Street:
    """A street drawn at random around s = 0.

    Args:
        rng: draws everything.
        start_m: where the street begins.
        end_m: where it ends.
        flowing: whether its traffic moves. Standing scenes are for training: in them trucks, riders
            and things that look like people are more frequent than on the road.
        features: what there is; whatever is left out, the seed draws the same plan and traffic.
    """
    plan = sample_plan(rng, start_m, end_m)
    ground = Ground(plan, rng, features.relief)
    lane = int(rng.integers(plan.lanes))
    ego_d = plan.lane_center_m(lane, -1) + float(rng.normal(0, 0.25)) * (not flowing)
    ego_speed = float(rng.uniform(6, 12)) if flowing else 0.0
    surface = ground.mesh()
    pieces = [surface, SceneryBuilder(ground, rng, features.clutter).build()]
    if not flowing:
        strewn = lookalikes(ground, rng)
        pieces += [strewn] * features.clutter
    scenery = meshes.merge(pieces)
    if not features.glass:
        scenery = opaque(scenery)
    reach = (start_m + 6, end_m - 6)
    actors = TrafficBuilder(ground, rng, ego_d, flowing, reach, features).build(ego_speed)
    return Street(ground, scenery, len(surface.faces), tuple(actors), ego_d, ego_speed)


def snapshot(
    street: Street, actors: tuple[Actor, ...], time_s: float = 0.0, with_scenery: bool = True
) -> Snapshot:
    """The given actors (and the scenery) at a time."""
    pieces = [street.scenery] if with_scenery else []
    owners = [np.zeros(len(street.scenery.faces), np.uint16)] if with_scenery else []
    boxes = np.zeros((len(actors), 7))
    for k, actor in enumerate(actors):
        mesh, boxes[k] = actor.placed(street.ground, time_s)
        pieces.append(mesh)
        owners.append(np.full(len(mesh.faces), k + 1, np.uint16))
    return Snapshot(
        meshes.merge(pieces),
        np.concatenate(owners) if owners else np.zeros(0, np.uint16),
        boxes,
        np.array([a.label for a in actors], np.uint8),
    )


def vehicle_pose(ground: Ground, s_m: float, d_m: float, yaw_rad: float = 0.0) -> Pose:
    """World from base_link of a vehicle that stands on the ground at (s, d)."""
    position, yaw = ground.pose(s_m, d_m, yaw_rad)
    rise_s, rise_d = ground.gradient(s_m, d_m, 1.3)
    heading = ground.heading(s_m)
    along = np.array([np.cos(heading), np.sin(heading), rise_s])
    left = np.array([-np.sin(heading), np.cos(heading), rise_d])
    up = np.cross(along, left)
    up /= np.linalg.norm(up)
    forward = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    forward -= up * (forward @ up)
    forward /= np.linalg.norm(forward)
    rotation = np.stack([forward, np.cross(up, forward), up], 1)
    return Pose(rotation, position)


def ego_snapshot(world_from_base: Pose, rng: np.random.Generator, sensor_z_m: float) -> Snapshot:
    """The vehicle that carries the sensors, its roof well below them."""
    mesh, size = car(rng)
    roof = min(1.0, (sensor_z_m - float(rng.uniform(0.25, 0.5))) / float(size[2]))
    mesh = mesh.placed((float(rng.uniform(-0.6, 0.1)), 0, 0), scale=(1, 1, roof))
    placed = mesh.with_vertices(world_from_base.apply(mesh.vertices))
    owners = np.full(len(mesh.faces), EGO, np.uint16)
    return Snapshot(placed, owners, np.zeros((0, 7)), np.zeros(0, np.uint8))


def together(first: Snapshot, second: Snapshot) -> Snapshot:
    """One snapshot of both; the second has no objects of its own but may have EGO."""
    return Snapshot(
        meshes.merge([first.mesh, second.mesh]),
        np.concatenate([first.instances, second.instances]),
        first.boxes,
        first.labels,
    )
