"""The occupancy grid over time, with what is free around the vehicle."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import (
    Detections3D,
    LabelledCloud,
    OccupancyGrid,
    PointCloud,
    Pose,
    VoxelGrid,
)
from spatial_perception.core.sync import NS_PER_MS
from spatial_perception.errors import TransformError
from spatial_perception.messages import OCCUPANCY_GRID, POLYGON, RANGE_SCAN
from spatial_perception.pipelines.free_space import FreeSpaceConfig, FreeSpaceReader
from spatial_perception.pipelines.occupancy_mapper import OccupancyMapper, OccupancyMapperConfig
from spatial_perception.stages.ego_motion import (
    MATCHED_PORT,
    ODOMETRY_PORT,
    EgoMotion,
    EgoPose,
    EgoSource,
    JumpWatch,
)
from spatial_perception.stages.lidar import (
    FRAME_HELP,
    LIDARS_HELP,
    labelled_port,
    lidar_of,
    objects_port,
    points_port,
    voxels_port,
)
from spatial_perception.stages.partner import Partner
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Outputs, Stage
from spatial_perception.stages.transforms import TRANSFORM_NAMES, TRANSFORM_PORTS

_LOST_AFTER_NS = 1000 * NS_PER_MS
_SOURCES = {
    "auto": (EgoSource.TF, EgoSource.ODOM, EgoSource.SCAN_MATCHING),
    "tf": (EgoSource.TF,),
    "odom": (EgoSource.ODOM,),
    "scan_matching": (EgoSource.SCAN_MATCHING,),
    "none": (),
}


@dataclass(frozen=True, slots=True)
class OccupancyMapperStageConfig(OccupancyMapperConfig):
    """Options of the stage occupancy_mapper."""

    free_space: FreeSpaceConfig = option(default_factory=FreeSpaceConfig, help="beams")
    target_frame: str = option("base_link", help=FRAME_HELP)
    fixed_frame: str = option("odom", help="frame that does not move, in which the grid remembers")
    ego_motion: Literal["auto", "tf", "odom", "scan_matching", "none"] = option(
        "auto",
        help="where the vehicle's motion is taken from; auto: /tf, else /odom, else the stage"
        " ego_motion; none: each grid is that of a single scan, in target_frame",
    )
    grid_frame: Literal["auto", "odom", "base_link"] = option(
        "auto",
        help="frame of the published grid: fixed_frame (odom, as Nav2 wants it) or target_frame"
        " (base_link, with the origin turned); auto: odom where /tf leads there",
    )
    use_segmentation: bool = option(True, help="ground is what lidar_segmenter calls ground")
    use_voxels: bool = option(True, help="lidar_detector's voxels where no ray has been")
    use_objects: bool = option(True, help="what lidar_detector finds is occupied as a whole")
    max_wait_ms: float = option(
        200.0,
        help="how long a cloud waits for transform, odometry, labels and objects, in stamps",
        unit="ms",
        range=(0, 60_000),
    )
    lidars: tuple[str, ...] = option(("",), help=f"{LIDARS_HELP}; all see into one grid")


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A cloud with everything that is known of its moment."""

    cloud: PointCloud
    base_from_cloud: Pose
    ego: EgoPose
    labels: LabelledCloud | None
    voxels: VoxelGrid | None
    objects: Detections3D | None


class OccupancyMapperStage(Stage):
    """Clouds of all LiDARs to one occupancy grid over time.

    A cloud waits for its transform, for the vehicle's pose where that may still come, and for the
    labels and objects of the same scan while such come at all. What does not come in time degrades
    the grid: without labels the ground is estimated, without objects only their seen sides are
    occupied, without a pose the grid is that of a single scan.
    Only a cloud without a transform is dropped.
    """

    name = "occupancy_mapper"
    branch = Branch.LIDAR
    outputs = (
        Port("grid", "/perception/occupancy/grid", OCCUPANCY_GRID, PortKind.LATCHED),
        Port("free_space", "/perception/occupancy/free_space", POLYGON, PortKind.RESULT),
        Port("scan", "/perception/occupancy/scan", RANGE_SCAN, PortKind.RESULT),
    )

    def __init__(self, config: OccupancyMapperStageConfig) -> None:
        super().__init__()
        self._config = config
        self.inputs = self._input_ports()
        self._mapper = OccupancyMapper(config)
        self._free_space = FreeSpaceReader(config.free_space, config.ego)
        self._ego = EgoMotion(config.fixed_frame, _SOURCES[config.ego_motion])
        self._jumps = JumpWatch()
        self._labels = {name: self._partner() for name in config.lidars}
        self._voxels = {name: self._partner() for name in config.lidars}
        self._objects = {name: self._partner() for name in config.lidars}
        self._waiting: deque[tuple[str, PointCloud]] = deque()
        self._newest_ns = 0
        self._source = EgoSource.NONE
        self._counts: Counter[str] = Counter()
        self._state = {"ground": "", "clear_ahead_m": ""}
        self._degraded = ""

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the grids of the clouds that have everything they wait for."""
        lidar, leaf = lidar_of(port), port.rpartition("/")[2]
        if port in TRANSFORM_NAMES:
            self._ego.add_transforms(port, value)
        elif port == ODOMETRY_PORT.name:
            self._ego.add_odometry(value)
        elif port == MATCHED_PORT.name:
            self._ego.add_odometry(value, EgoSource.SCAN_MATCHING)
        elif leaf == "segmentation":
            self._labels[lidar].add(value)
        elif leaf == "voxels":
            self._voxels[lidar].add(value)
        elif leaf == "detections":
            self._objects[lidar].add(value)
        else:
            self._waiting.append((lidar, value))
            self._newest_ns = max(self._newest_ns, value.header.stamp_ns)
        return list(self._released(self._newest_ns - int(self._config.max_wait_ms * NS_PER_MS)))

    def flush(self) -> Outputs:
        """Returns the grids of the clouds that still wait, with what there is."""
        return list(self._released(None))

    def reset(self) -> None:
        """Forgets the grid, what waits and all that moves."""
        self._waiting.clear()
        self._newest_ns = 0
        self._ego.reset()
        self._jumps.reset()
        self._mapper.reset()
        for partners in (self._labels, self._voxels, self._objects):
            for partner in partners.values():
                partner.clear()

    def status(self) -> Mapping[str, str]:
        """Returns where pose and ground are from, what is missing how often, the free way ahead."""
        counts = {name: str(count) for name, count in sorted(self._counts.items())}
        values = {"ego_motion": self._source.value, **self._state, **counts}
        return {**values, "degraded": self._degraded} if self._degraded else values

    def _input_ports(self) -> tuple[Port, ...]:
        config = self._config
        ports: list[Port] = []
        for name in config.lidars:
            ports.append(points_port(name))
            ports += [labelled_port(name)] * config.use_segmentation
            ports += [voxels_port(name)] * config.use_voxels
            ports += [objects_port(name)] * config.use_objects
        return (*ports, *TRANSFORM_PORTS, ODOMETRY_PORT, MATCHED_PORT)

    def _partner(self) -> Partner[Any]:
        return Partner(0, _LOST_AFTER_NS)

    def _released(self, late_ns: int | None) -> Iterator[tuple[str, Any]]:
        """Yields outputs in the order of the clouds; a late cloud waits no longer (None: all)."""
        while self._waiting:
            lidar, cloud = self._waiting[0]
            is_late = late_ns is None or cloud.header.stamp_ns < late_ns
            try:
                ready = self._ready(lidar, cloud, is_late)
            except TransformError as error:
                if not is_late:
                    return
                self._leave(lidar, cloud)
                self.drop(DropCause.TRANSFORM, error=str(error))
                continue
            if ready is None:
                return
            self._leave(lidar, cloud)
            yield from self._mapped(ready)

    def _leave(self, lidar: str, cloud: PointCloud) -> None:
        """Takes the first cloud out of the waiting ones, and forgets what no later one can use."""
        self._waiting.popleft()
        for partners in (self._labels, self._voxels, self._objects):
            partners[lidar].forget(cloud.header.stamp_ns)

    def _ready(self, lidar: str, cloud: PointCloud, is_late: bool) -> _Ready | None:
        """Returns the cloud with its partners, None while it is worth to wait for them.

        Raises:
            TransformError: the LiDAR's place on the vehicle is not known.
        """
        stamp_ns, target = cloud.header.stamp_ns, self._config.target_frame
        pose = self._ego.tree.lookup(target, cloud.header.frame_id, stamp_ns)
        ego = self._ego.at(cloud.header.in_frame(target))
        labels = self._labels[lidar].nearest(stamp_ns)
        misses_labels = self._labels[lidar].may_come(stamp_ns, self._newest_ns)
        misses_objects = self._objects[lidar].may_come(stamp_ns, self._newest_ns)
        if not is_late and (ego is None or misses_labels or misses_objects):
            return None
        self._counts["labels_late"] += int(misses_labels)
        self._counts["objects_late"] += int(misses_objects)
        self._counts["poses_late"] += int(ego is None)
        if labels is not None and len(labels.labels) != len(cloud):
            labels = None
        voxels = self._voxels[lidar].nearest(stamp_ns)
        ego = ego or EgoPose(None, EgoSource.NONE)
        return _Ready(cloud, pose, ego, labels, voxels, self._found(lidar, stamp_ns))

    def _found(self, lidar: str, stamp_ns: int) -> Detections3D | None:
        """Returns the objects of a scan in the frame of the grid; None where there are none."""
        objects: Detections3D | None = self._objects[lidar].nearest(stamp_ns)
        if objects is None or objects.header.frame_id == self._config.target_frame:
            return objects
        try:
            pose = self._ego.tree.lookup(
                self._config.target_frame, objects.header.frame_id, stamp_ns
            )
        except TransformError:
            return None
        return objects.transformed(pose, self._config.target_frame)

    def _mapped(self, ready: _Ready) -> Iterator[tuple[str, Any]]:
        config, header = self._config, ready.cloud.header
        ego = ready.ego.fixed_from_base
        if ego is not None:
            has_jumped = self._jumps.add(header.stamp_ns, ego) is not None
            if has_jumped or ready.ego.source is not self._source:
                self._mapper.reset()
            self._counts["odometry_jumps"] += int(has_jumped)
        cloud = ready.cloud.transformed(ready.base_from_cloud, config.target_frame)
        grid = self._mapper(
            cloud,
            ready.base_from_cloud.translation,
            ego,
            config.fixed_frame,
            ready.labels,
            ready.voxels,
            ready.objects,
        )
        self._note(ready)
        yield "grid", self._in_grid_frame(grid, ready.ego)
        if self.is_wanted("free_space") or self.is_wanted("scan"):
            free = self._free_space(grid, ego or Pose.identity(), config.target_frame)
            self._state["clear_ahead_m"] = f"{free.ahead_m:.1f}"
            yield "free_space", free.outline
            yield "scan", free.scan

    def _note(self, ready: _Ready) -> None:
        """Remembers for the diagnostics what the last grid was made from."""
        is_alone = ready.ego.fixed_from_base is None
        self._counts["single_scans"] += int(is_alone)
        had_labels = any(partner.newest_ns is not None for partner in self._labels.values())
        problems = []
        if is_alone and self._config.ego_motion != "none":
            problems.append("no odometry: grid of a single scan")
        if ready.labels is None and had_labels:
            problems.append("no labels: ground is estimated")
        self._source = ready.ego.source
        self._state["ground"] = "estimated" if ready.labels is None else "labels"
        self._degraded = "; ".join(problems)

    def _in_grid_frame(self, grid: OccupancyGrid, ego: EgoPose) -> OccupancyGrid:
        """Returns the grid in the frame it is published in; its cells stay as they are."""
        config, pose = self._config, ego.fixed_from_base
        stays = config.grid_frame == "odom"
        stays |= config.grid_frame == "auto" and ego.source is EgoSource.TF
        if pose is None or stays:
            return grid
        flat = Pose.from_yaw(pose.yaw_rad, np.append(pose.translation[:2], 0.0))
        header = grid.header.in_frame(config.target_frame)
        return replace(grid, header=header, origin=flat.inverse() @ grid.origin)
