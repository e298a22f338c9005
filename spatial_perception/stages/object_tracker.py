"""The stage that follows objects over time, with the vehicle's own motion taken out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spatial_perception.config import option
from spatial_perception.core import Detections3D, Pose, Tracks
from spatial_perception.core.sync import NS_PER_MS
from spatial_perception.messages import (
    DETECTED_OBJECTS,
    MARKERS,
    PREDICTED_OBJECTS,
    TRACK_STATES,
    TRACKED_OBJECTS,
    TRACKS,
)
from spatial_perception.pipelines.object_tracker import ObjectTracker, ObjectTrackerConfig
from spatial_perception.pipelines.path_prediction import predict_paths
from spatial_perception.stages.camera_lidar_fusion import FUSED_DETECTIONS
from spatial_perception.stages.detection_choice import DetectionChoice
from spatial_perception.stages.ego_motion import (
    ODOMETRY_PORT,
    EgoMotion,
    EgoPose,
    EgoSource,
    JumpWatch,
)
from spatial_perception.stages.lidar import candidates_port
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import TIME_JUMP_NS, Branch, DropCause, Outputs, Stage
from spatial_perception.stages.transforms import TRANSFORM_NAMES, TRANSFORM_PORTS
from spatial_perception.visualization.markers import track_markers
from spatial_perception.visualization.trails import TrailHistory

_LOOSE_MPS = 5.0
_TRAIL_LENGTH = 20


OBJECT_PORTS = (
    Port("objects", "/perception/objects", TRACKS, PortKind.RESULT),
    Port("states", "/perception/objects/states", TRACK_STATES, PortKind.RESULT),
    Port("markers", "/perception/objects/markers", MARKERS, PortKind.RESULT),
)
_RECOGNITION = "/perception/object_recognition"  # as Autoware's planners expect them
AUTOWARE_PORTS = (
    Port("detected", f"{_RECOGNITION}/detection/objects", DETECTED_OBJECTS, PortKind.RESULT),
    Port("tracked", f"{_RECOGNITION}/tracking/objects", TRACKED_OBJECTS, PortKind.RESULT),
    Port("predicted", f"{_RECOGNITION}/objects", PREDICTED_OBJECTS, PortKind.RESULT),
)


@dataclass(frozen=True, slots=True)
class ObjectTrackerStageConfig(ObjectTrackerConfig):
    """Options of the stage object_tracker."""

    fixed_frame: str = option(
        "odom", help="frame that does not move; /tf or /odom says where the vehicle is in it"
    )
    max_wait_ms: float = option(
        200.0,
        help="how long detections wait for the vehicle's pose, measured in stamps",
        unit="ms",
        range=(0, 60_000),
    )
    fusion_timeout_ms: float = option(
        1000.0,
        help="LiDAR detections alone are tracked once fused ones are older than this",
        unit="ms",
        range=(0, 60_000),
    )
    autoware: bool = option(
        False, help="publish autoware_perception_msgs too, as Autoware's planners take them"
    )
    prediction_s: float = option(
        5.0, help="how far ahead those predict", unit="s", range=(0.5, 30.0)
    )
    prediction_step_s: float = option(
        0.5, help="time between two poses of a predicted way", unit="s", range=(0.05, 5.0)
    )
    lidar: str = option("", help="the LiDAR whose objects are taken, where several have names")


class ObjectTrackerStage(Stage):
    """Fused detections, or those of the LiDAR where nothing fuses, to objects with a velocity."""

    name = "object_tracker"
    branch = Branch.LIDAR

    def __init__(self, config: ObjectTrackerStageConfig) -> None:
        super().__init__()
        self.inputs = (
            *TRANSFORM_PORTS,
            ODOMETRY_PORT,
            FUSED_DETECTIONS,
            candidates_port(config.lidar),
        )
        self.outputs = (*OBJECT_PORTS, *(AUTOWARE_PORTS if config.autoware else ()))
        self._config = config
        self._tracker = ObjectTracker(config)
        self._ego = EgoMotion(config.fixed_frame)
        self._watch = JumpWatch()
        # Boxes are float32, which far from the origin (UTM) is coarse, so that tracks are kept in a
        # frame of their own: as fixed as fixed_frame, near the vehicle, and without its jumps.
        self._local_from_fixed = Pose.identity()
        self._waiting: deque[Detections3D] = deque()
        self._choice = DetectionChoice(int(config.fusion_timeout_ms * NS_PER_MS))
        self._source = EgoSource.NONE
        self._is_fixed: bool | None = None
        self._is_stopped = False
        self._jumps = 0
        self._trails = TrailHistory(_TRAIL_LENGTH)

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the objects of all detections whose pose is now known."""
        if port in TRANSFORM_NAMES:
            self._ego.add_transforms(port, value)
        elif port == ODOMETRY_PORT.name:
            self._ego.add_odometry(value)
        else:
            self._waiting += self._chosen(port, value)
        return list(self._ready())

    def flush(self) -> Outputs:
        """Returns the objects of what still waits, without a pose."""
        self._waiting += self._choice.flush()
        self._is_stopped = self._is_stopped or bool(self._waiting)
        return list(self._ready())

    def reset(self) -> None:
        """Forgets tracks, poses and what waits; ids stay taken."""
        self._tracker.reset()
        self._ego.reset()
        self._watch.reset()
        self._waiting.clear()
        self._choice.reset()
        self._is_fixed = None
        self._is_stopped = False
        self._trails = TrailHistory(_TRAIL_LENGTH)

    def status(self) -> Mapping[str, str]:
        """Returns what is tracked, in which frame, and what is degraded."""
        fixed = self._is_fixed is not False
        values = {
            "tracks": str(self._tracker.count),
            "frame": self._config.fixed_frame if fixed else "that of the vehicle",
            "ego_motion": self._source.value,
            "odometry_jumps": str(self._jumps),
            "detections": "fused" if self._choice.is_fused else "lidar",
        }
        if not fixed:
            why = "stopped" if self._is_stopped else "missing"
            values["degraded"] = f"odometry {why}: velocities are relative to the vehicle"
        return values

    def _chosen(self, port: str, value: Detections3D) -> list[Detections3D]:
        """Returns the detections to be tracked now: each stamp once, fused ones first."""
        newest_ns = self._choice.newest_ns
        if newest_ns is not None and value.header.stamp_ns < newest_ns - TIME_JUMP_NS:
            self.reset()
        if port == FUSED_DETECTIONS.name:
            chosen = self._choice.add_fused(value)
            self.drop(DropCause.STALE, int(not chosen))
            return chosen
        if self._choice.is_stale(value):
            self.drop(DropCause.STALE)
            return []
        is_fed = self.is_fed(FUSED_DETECTIONS.name)
        return self._choice.add_unfused(value, is_fed, is_fed and self.is_lossless)

    def _ready(self) -> Iterator[tuple[str, Any]]:
        while self._waiting:
            detections = self._waiting[0]
            ego = self._ego.at(detections.header)
            if ego is None:
                if not self._is_stopped and not self._has_waited(detections):
                    return
                ego, self._is_stopped = EgoPose(None, EgoSource.NONE), True
            elif ego.fixed_from_base is not None:
                self._is_stopped = False
            self._waiting.popleft()
            yield from self._outputs(detections, *self._track(detections, ego))

    def _has_waited(self, detections: Detections3D) -> bool:
        newest_ns = self._choice.newest_ns or 0
        waited_ns = newest_ns - detections.header.stamp_ns
        return waited_ns > self._config.max_wait_ms * NS_PER_MS

    def _track(self, detections: Detections3D, ego: EgoPose) -> tuple[Tracks, Pose]:
        """Returns the objects in the frame of the detections, and where that is in theirs."""
        header, pose = detections.header, ego.fixed_from_base
        self._source = ego.source
        self._change_frame(header.stamp_ns, pose)
        if pose is None:
            return self._tracker(detections, is_fixed=False), Pose.identity()
        jump = self._watch.add(header.stamp_ns, pose)
        if jump is not None:
            self._jumps += 1
            self._local_from_fixed = self._local_from_fixed @ jump.inverse()
        local = self._local_from_fixed @ pose
        placed = detections.transformed(local, self._config.fixed_frame)
        tracks = self._tracker(placed, local.translation)
        return tracks.transformed(local.inverse(), header.frame_id), local

    def _change_frame(self, stamp_ns: int, pose: Pose | None) -> None:
        """Takes the tracks along where odometry has come or gone; their speeds are open then."""
        is_fixed = pose is not None
        if pose is not None and not self._is_fixed:
            self._local_from_fixed = Pose(np.eye(3), -pose.translation)
        if self._is_fixed is not None and is_fixed != self._is_fixed:
            last = pose if pose is not None else self._watch.expected(stamp_ns)
            if last is not None:
                last = self._local_from_fixed @ last
                self._tracker.move(last if is_fixed else last.inverse())
            self._tracker.loosen(_LOOSE_MPS)
            self._watch.reset()
            self._trails = TrailHistory(_TRAIL_LENGTH)
        self._is_fixed = is_fixed

    def _outputs(
        self, detections: Detections3D, tracks: Tracks, pose: Pose
    ) -> Iterator[tuple[str, Any]]:
        yield "objects", tracks
        yield "states", tracks
        if self.is_wanted("markers"):
            yield "markers", track_markers(tracks, trails=self._trails.update(tracks, pose))
        if self._config.autoware:
            yield "detected", detections
            yield "tracked", tracks
            if self.is_wanted("predicted"):
                ahead_s, step_s = self._config.prediction_s, self._config.prediction_step_s
                yield "predicted", predict_paths(tracks, ahead_s, step_s)
