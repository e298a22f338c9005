"""A drive along a street, sensor by sensor and moment by moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from spatial_perception.config import option
from spatial_perception.core.pose import Pose
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.camera import CameraModel, Picture, render
from spatial_perception.simulation.features import SceneFeatures
from spatial_perception.simulation.lidar import LidarConditions, Scan, scan
from spatial_perception.simulation.lidar_models import lidar_model
from spatial_perception.simulation.raycast import Backend
from spatial_perception.simulation.shading import Daylight
from spatial_perception.simulation.street import (
    Snapshot,
    Street,
    build_street,
    ego_snapshot,
    snapshot,
    vehicle_pose,
)
from spatial_perception.simulation.surroundings import Surroundings

OPTICAL_FROM_FORWARD = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Rotation from an optical frame (z forward) into a body frame (x forward)."""
Course = Callable[[float], Pose]
"""World from base_link at a time in seconds."""
_SCAN_SECTORS = 24


@dataclass(frozen=True, slots=True)
class DriveConfig:
    """What a simulated drive is like."""

    seconds: float = option(6.0, help="how long", unit="s", range=(0.1, 600))
    seed: int = option(0, help="draws street, traffic and weather", range=(0, 2**31))
    rate_hz: float = option(10.0, help="scans and pictures a second", unit="Hz", range=(1, 50))
    sensor: str = option(
        "hdl64", help="LiDAR: hdl64, vlp32, beam32, beam128 or a YAML file with one's own"
    )
    camera_delay_s: float = option(0.003, help="pictures after scans", unit="s", range=(0, 0.1))
    motion_distortion: bool = option(
        False, help="measure each point from where the sensor was at that moment"
    )
    backend: Backend = option("auto", help="ray caster: auto, open3d or torch")
    camera: CameraModel = option(default_factory=CameraModel, help="the camera")
    with_camera: bool = option(True, help="render pictures; a drive without takes half the time")
    features: SceneFeatures = option(default_factory=SceneFeatures, help="what the street has")


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """Where the sensors are mounted."""

    base_from_lidar: Pose
    lidar_from_camera: Pose


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What the sensors measured at one moment and what is true.

    Attributes:
        time_s: since the start.
        odom_from_base: pose at the scan.
        scan: in the LiDAR's frame.
        picture: of the camera, `camera_delay_s` later; None in a drive without a camera.
        boxes: (M, 7) float64 x y z l w h yaw in base_link at the scan.
        velocities_mps: (M, 2) float64 over ground, in base_link.
        kinds: OBJECT_LABELS name of every instance, counted from 1.
        looks: CAMERA_OBJECT_LABELS name of each; of riders that of their machine.
        ids: (M,) int64: instance of each box.
        hits: (M,) int64 points on each box.
    """

    time_s: float
    odom_from_base: Pose
    scan: Scan
    picture: Picture | None
    boxes: np.ndarray
    velocities_mps: np.ndarray
    kinds: list[str]
    looks: list[str]
    ids: np.ndarray
    hits: np.ndarray


class Drive:
    """A street with traffic that an ego vehicle drives along.

    Args:
        config: what it is like.
        followers: whether others drive behind the ego vehicle in its lane. They do not brake for
            it: leave them out where it takes another course than its own.

    Attributes:
        standing: everything that never moves, in the world.

    Raises:
        ConfigError: the sensor is unknown or a ray caster is not installed.
    """

    def __init__(self, config: DriveConfig, followers: bool = True) -> None:
        self.config = config
        sensor = lidar_model(config.sensor)
        turn_s = min(sensor.spin_time_s, 1.0 / config.rate_hz)
        self.lidar = replace(sensor, spin_time_s=turn_s)
        if config.seconds * config.rate_hz < 1:
            raise ConfigError(f"{config.seconds} s at {config.rate_hz} Hz hold no scan")
        rng = np.random.default_rng([config.seed, 77])
        reach = 105.0 + 12.0 * config.seconds
        self.street: Street = build_street(
            rng, -75.0, reach, flowing=True, features=config.features
        )
        self._limits = (-70.0, reach - 5.0)
        still = tuple(a for a in self.street.actors if a.speed_mps == 0)
        self._moving = tuple(
            a
            for a in self.street.actors
            if a.speed_mps != 0 and (followers or not self.street.follows(a))
        )
        self._last: tuple[float, Snapshot] | None = None  # scan and truth ask for the same time
        self._still_count = len(still)
        self.kinds = [a.kind for a in (*still, *self._moving)]
        self.looks = [a.look for a in (*still, *self._moving)]
        self.standing = snapshot(self.street, still)
        self._for_lidar = Surroundings([self.standing], config.backend)
        self._for_camera = Surroundings(
            [self.standing] * config.with_camera, config.backend, see_through=False
        )
        self._day = Daylight.sample(rng)
        self._ego_seed = int(rng.integers(2**31))
        self._world_from_start = self.world_from_base(0.0)
        self.rig = Rig(
            Pose.from_yaw(0.0, np.array([0.0, 0.0, self.lidar.mount_z_m])),
            Pose(OPTICAL_FROM_FORWARD, np.array([0.27, 0.06, -0.08])),
        )

    @property
    def frames(self) -> int:
        """How many scans and pictures there are."""
        return round(self.config.seconds * self.config.rate_hz)

    def world_from_base(self, time_s: float) -> Pose:
        """Where the ego vehicle is at a time."""
        way = self.street.ego_speed_mps * time_s
        return vehicle_pose(self.street.ground, way, self.street.ego_d_m)

    def odom_from_base(self, time_s: float) -> Pose:
        """Where the ego vehicle is at a time, seen from where it started."""
        return self._world_from_start.inverse() @ self.world_from_base(time_s)

    def base_velocity(self, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Linear (3,) m/s and angular (3,) rad/s velocity in base_link, by central difference."""
        step = 0.05
        before, after = self.world_from_base(time_s - step), self.world_from_base(time_s + step)
        now = self.world_from_base(time_s)
        linear = now.rotation.T @ (after.translation - before.translation) / (2 * step)
        turn = before.rotation.T @ after.rotation
        angular = np.array(
            [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
        ) / (4 * step)
        return linear, angular

    def moments(self) -> Iterator[Moment]:
        """Every scan with the picture that belongs to it."""
        for k in range(self.frames):
            yield self.moment(k)

    def moment(self, index: int, course: Course | None = None) -> Moment:
        """One scan with the picture that belongs to it.

        Args:
            index: which, counted from 0.
            course: where the ego vehicle is, asked for times around the scan; without one it drives
                along its lane. The rest of the traffic does not heed it.
        """
        course = course or self.world_from_base
        rng = np.random.default_rng([self.config.seed, 78, index])
        time_s = index / self.config.rate_hz
        measured, boxes = self._scan(time_s, course, rng)
        picture = None
        if self.config.with_camera:
            picture = self._picture(time_s + self.config.camera_delay_s, course, rng)
        world_from_base = course(time_s)
        base = world_from_base.inverse()
        ids = (
            np.concatenate(
                [np.arange(self._still_count), self._still_count + self._present(time_s)]
            ).astype(np.int64)
            + 1
        )
        local = boxes.copy()
        local[:, :3] = base.apply(boxes[:, :3])
        local[:, 6] = (boxes[:, 6] - world_from_base.yaw_rad + np.pi) % (2 * np.pi) - np.pi
        speeds = np.array([0.0] * self._still_count + [a.speed_mps for a in self._moving])[ids - 1]
        ahead = np.stack([np.cos(local[:, 6]), np.sin(local[:, 6])], 1)
        hits = np.bincount(measured.instances, minlength=len(self.kinds) + 1)[ids]
        return Moment(
            time_s,
            self._world_from_start.inverse() @ world_from_base,
            measured,
            picture,
            local,
            speeds[:, None] * ahead,
            self.kinds,
            self.looks,
            ids,
            hits,
        )

    def _present(self, time_s: float) -> np.ndarray:
        """Indices of moving actors that are on the street."""
        s = np.array([a.station(time_s)[0] for a in self._moving])
        return np.flatnonzero((s > self._limits[0]) & (s < self._limits[1]))

    def moving(self, time_s: float) -> Snapshot:
        """Everything on the street that moves during the drive, at a time, in the world."""
        if self._last is None or self._last[0] != time_s:
            actors = tuple(self._moving[i] for i in self._present(time_s))
            self._last = time_s, snapshot(self.street, actors, time_s, with_scenery=False)
        return self._last[1]

    def _others(self, time_s: float, see_through: bool) -> tuple[Surroundings, np.ndarray]:
        moving = self.moving(time_s)
        numbers = np.concatenate([[0], self._present(time_s) + 1]).astype(np.uint16)
        numbered = replace(moving, instances=numbers[moving.instances])
        built = Surroundings(
            [numbered],
            self.config.backend,
            first_instance=self._still_count,
            see_through=see_through,
        )
        return built, moving.boxes

    def _scan(
        self, time_s: float, course: Course, rng: np.random.Generator
    ) -> tuple[Scan, np.ndarray]:
        base = course(time_s)
        others, boxes = self._others(time_s, see_through=True)
        ego_rng = np.random.default_rng(self._ego_seed)
        ego = Surroundings([ego_snapshot(base, ego_rng, self.lidar.mount_z_m)], self.config.backend)
        times = [time_s]
        if self.config.motion_distortion:
            share = (np.arange(_SCAN_SECTORS) + 0.5) / _SCAN_SECTORS - 0.5
            times = list(time_s + share * self.lidar.spin_time_s)
        poses = [course(t) @ self.rig.base_from_lidar for t in times]
        around = self._for_lidar.joined(others).joined(ego)
        measured = scan(around, poses, self.lidar, LidarConditions(), rng)
        return measured, np.concatenate([self.standing.boxes, boxes])

    def _picture(self, time_s: float, course: Course, rng: np.random.Generator) -> Picture:
        others, _ = self._others(time_s, see_through=False)
        pose = course(time_s) @ self.rig.base_from_lidar @ self.rig.lidar_from_camera
        return render(self._for_camera.joined(others), pose, self.config.camera, self._day, rng)
