"""The stage in which LiDAR and cameras meet; it runs in whichever branch completes its input."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spatial_perception.config import option
from spatial_perception.core import (
    Detections2D,
    Detections3D,
    Header,
    Pose,
)
from spatial_perception.core.sync import NS_PER_MS
from spatial_perception.errors import TransformError
from spatial_perception.messages import CAMERA_OBJECTS, DETECTIONS_3D
from spatial_perception.pipelines.camera_lidar_fusion import (
    CameraLidarFusion,
    CameraLidarFusionConfig,
)
from spatial_perception.pipelines.camera_view import CameraView
from spatial_perception.pipelines.point_evidence import PointEvidence
from spatial_perception.stages.announced import AnnouncedPartner, Patience, Settled
from spatial_perception.stages.camera import CAMERAS_HELP, boxes_port, camera_of
from spatial_perception.stages.ego_motion import ODOMETRY_PORT, EgoMotion
from spatial_perception.stages.fusion_camera import FusionCamera
from spatial_perception.stages.fusion_points import NO_POINTS, FusionPoints
from spatial_perception.stages.lidar import candidates_port, labelled_port, points_port
from spatial_perception.stages.overlay import camera_info_port
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import TIME_JUMP_NS, Branch, DropCause, Outputs, Stage
from spatial_perception.stages.transforms import TRANSFORM_NAMES, TRANSFORM_PORTS

FUSED_DETECTIONS = Port("fused", "/perception/fusion/detections", DETECTIONS_3D, PortKind.RESULT)


@dataclass(frozen=True, slots=True)
class CameraLidarFusionStageConfig(CameraLidarFusionConfig):
    """Options of the stage camera_lidar_fusion."""

    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)
    fixed_frame: str = option(
        "odom", help="frame that does not move, for what the vehicle drove between two sensors"
    )
    max_offset_ms: float = option(
        60.0, help="boxes farther from a scan in time are not used", unit="ms", range=(0, 10_000)
    )
    max_wait_ms: float = option(
        200.0,
        help="how long a scan's objects wait for pose and cameras, measured in the LiDAR's stamps",
        unit="ms",
        range=(0, 60_000),
    )
    lost_after_ms: float = option(
        500.0,
        help="a camera silent for so long is not waited for",
        unit="ms",
        range=(0, 60_000),
    )
    use_segmentation: bool = option(
        True, help="lidar_segmenter's points raise or lower the scores of the LiDAR's objects"
    )
    segmentation_weight: float = option(
        1.5, help="of what the classes of its points say about an object", range=(0.0, 10.0)
    )
    lidar: str = option("", help="the LiDAR whose objects are taken, where several have names")


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """Objects that wait, and which boxes belong to them as far as that is settled."""

    objects: Detections3D
    settled: dict[str, Settled] = field(default_factory=dict)


class CameraLidarFusionStage(Stage):
    """Objects of the LiDAR with what cameras and the classes of its points know of them."""

    name = "camera_lidar_fusion"
    branch = Branch.LIDAR

    def __init__(self, config: CameraLidarFusionStageConfig) -> None:
        super().__init__()
        self._config = config
        self._fusion = CameraLidarFusion(config)
        self._ego = EgoMotion(config.fixed_frame)
        lost_ns = int(config.lost_after_ms * NS_PER_MS)
        offset_ns = int(config.max_offset_ms * NS_PER_MS)
        self._max_wait_ns = int(config.max_wait_ms * NS_PER_MS)
        patience = Patience(self._max_wait_ns, lost_ns, offset_ns)
        self._cameras = {
            name: FusionCamera(AnnouncedPartner(patience), config.misaligned_share)
            for name in config.cameras
        }
        evidence = PointEvidence(config.segmentation_weight) if config.use_segmentation else None
        self._points = FusionPoints(lost_ns, evidence)
        self._waiting: deque[_Scan] = deque()
        self._newest_ns = 0  # of the LiDAR: the other branch is no clock for this one
        self._released_ns: int | None = None
        self._has_stopped = False
        self._objects_port = candidates_port(config.lidar)
        self._points_port = points_port(config.lidar)
        self._labels_port = labelled_port(config.lidar)
        inputs = [*TRANSFORM_PORTS, ODOMETRY_PORT, self._points_port, self._objects_port]
        inputs += [self._labels_port] * config.use_segmentation
        for name in config.cameras:
            inputs += [boxes_port(name), camera_info_port(name)]
        self.inputs = tuple(inputs)
        self.outputs = (FUSED_DETECTIONS, *(camera_objects_port(c) for c in config.cameras))

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the fused objects of all scans whose partners are there or given up."""
        if port in TRANSFORM_NAMES:
            self._ego.add_transforms(port, value)
        elif port == ODOMETRY_PORT.name:
            self._ego.add_odometry(value)
        elif port == self._points_port.name:
            self._points.add_cloud(value)
            self._newest_ns = max(self._newest_ns, value.header.stamp_ns)
            if not self.is_lossless:
                self._points.forget_old(self._newest_ns)
        elif port == self._labels_port.name:
            self._points.add_labels(value)
        elif port == self._objects_port.name:
            self._add_objects(value)
        elif port.endswith("/camera_info"):
            self._cameras[camera_of(port)].add_calibration(value)
        else:
            self._add_boxes(camera_of(port), value)
        return list(self._ready())

    def flush(self) -> Outputs:
        """Returns what still waits for a camera, without it."""
        return [output for _ in range(len(self._waiting)) for output in self._release()]

    def reset(self) -> None:
        """Forgets what waits, poses and the cameras' boxes; calibrations stay."""
        self._ego.reset()
        self._points.clear()
        self._waiting.clear()
        self._newest_ns, self._released_ns, self._has_stopped = 0, None, False
        for camera in self._cameras.values():
            camera.reset()

    def status(self) -> Mapping[str, str]:
        """Returns how each camera does, whether points have classes, and what is degraded."""
        values = self._points.status()
        troubles = []
        for name, camera in self._cameras.items():
            values[f"camera_{name}"] = camera.status()
            if camera.trouble:
                troubles.append(f"camera {name}: {camera.trouble}")
        if troubles:
            values["degraded"] = "; ".join(troubles)
        return values

    def _add_objects(self, objects: Detections3D) -> None:
        stamp_ns = objects.header.stamp_ns
        if self._released_ns is not None and stamp_ns < self._released_ns - TIME_JUMP_NS:
            self.reset()
        if self._released_ns is not None and stamp_ns <= self._released_ns:
            self.drop(DropCause.STALE)
            return
        self._newest_ns = max(self._newest_ns, stamp_ns)
        self._waiting.append(_Scan(objects))

    def _add_boxes(self, name: str, boxes: Detections2D) -> None:
        stamp_ns, partner = boxes.header.stamp_ns, self._cameras[name].boxes
        if partner.newest_ns is not None and stamp_ns < partner.newest_ns - TIME_JUMP_NS:
            self.reset()
        partner.add(boxes)
        late_ns = self._config.max_offset_ms * NS_PER_MS
        if self._cameras[name].went_out_alone(stamp_ns, late_ns):
            self.drop(DropCause.EXPIRED)  # their scan went out without them

    def _ready(self) -> Iterator[tuple[str, Any]]:
        for scan in self._waiting:  # all of them: what is settled when depends on none before
            self._settle(scan)
        while self._waiting and not self._is_worth_waiting(self._waiting[0]):
            yield from self._release()

    def _settle(self, scan: _Scan) -> None:
        stamp_ns = scan.objects.header.stamp_ns
        for name, camera in self._cameras.items():
            if name not in scan.settled:
                certain = self._is_certain(name)
                settled = camera.boxes.settle(stamp_ns, self._newest_ns, certain)
                if settled is not None:
                    scan.settled[name] = settled

    def _is_worth_waiting(self, scan: _Scan) -> bool:
        header, now_ns = scan.objects.header, self._newest_ns
        is_late = now_ns - header.stamp_ns > self._max_wait_ns
        if self._ego.at(header) is not None:
            self._has_stopped = False
        elif is_late or self._has_stopped:
            self._has_stopped = True
        else:
            return True
        if not is_late and self._points.may_come(header.stamp_ns, now_ns, self._are_certain()):
            return True
        if len(scan.settled) < len(self._cameras):
            return True
        return any(
            self._cameras[name].boxes.is_missing(
                settled, header.stamp_ns, now_ns, self._is_certain(name)
            )
            for name, settled in scan.settled.items()
        )

    def _is_certain(self, camera: str) -> bool:
        return self.is_lossless and self.is_fed(boxes_port(camera).name)

    def _are_certain(self) -> bool:
        """Whether a segmenter of this graph labels the points of every scan."""
        labelled = self._config.use_segmentation and self.is_fed(self._labels_port.name)
        return labelled and self.is_lossless

    def _release(self) -> Iterator[tuple[str, Any]]:
        scan = self._waiting.popleft()
        header, tree = scan.objects.header, self._ego.tree
        self._released_ns = header.stamp_ns
        views = [v for name in self._cameras if (v := self._view(name, scan)) is not None]
        distrusted = frozenset(n for n, camera in self._cameras.items() if camera.is_off)
        labelled = self._points.labelled(header, tree)
        if labelled is not None:
            points = labelled.cloud.points
        else:
            points = self._points.points(header, tree) if views else NO_POINTS
        objects = self._points.weighed(scan.objects, labelled)
        fused, results = self._fusion(objects, views, points, distrusted)
        for result in results:
            self._cameras[result.name].judge(result)
        self._points.forget(header.stamp_ns)
        yield FUSED_DETECTIONS.name, fused
        for result in results:
            yield f"{result.name}/objects", result.objects

    def _view(self, name: str, scan: _Scan) -> CameraView | None:
        """Returns a camera with its boxes, None where it has nothing to say; `trouble` says why."""
        camera, header = self._cameras[name], scan.objects.header
        settled = scan.settled.get(name, Settled(None))
        boxes = camera.boxes.partner(settled, header.stamp_ns)
        if boxes is None:
            camera.alone_ns.append(header.stamp_ns)
            lost = camera.boxes.is_lost(header.stamp_ns)
            late = "silent" if camera.boxes.newest_ns else "no boxes yet"
            camera.trouble = late if lost else "its boxes come too late or not at this time"
            return None
        if camera.calibration is None or camera.calibration.flaw:
            camera.trouble = camera.calibration.flaw if camera.calibration else "no camera_info"
            return None
        if misfit := camera.misfit(boxes):
            camera.trouble = misfit
            return None
        try:
            pose = self._camera_from_base(boxes.header, header)
        except TransformError as error:
            self.drop(DropCause.TRANSFORM)
            camera.trouble = f"cannot be placed: {error}"
            return None
        camera.trouble = ""
        camera.offset_ms = (boxes.header.stamp_ns - header.stamp_ns) / NS_PER_MS
        return CameraView(name, camera.calibration, boxes, pose)

    def _camera_from_base(self, picture: Header, scan: Header) -> Pose:
        """Returns the camera at its picture from the vehicle at the scan.

        Raises:
            TransformError: nothing says where the camera is mounted.
        """
        mounting = self._ego.tree.lookup(picture.frame_id, scan.frame_id, picture.stamp_ns)
        off_ns = picture.stamp_ns - scan.stamp_ns
        # what comes after the scan may not be known yet: the vehicle goes on as it came
        then = self._ego.at(Header(scan.stamp_ns - abs(off_ns), scan.frame_id))
        now = self._ego.at(scan)
        if then is None or now is None:
            return mounting
        if then.fixed_from_base is None or now.fixed_from_base is None:
            return mounting
        then_from_now = then.fixed_from_base.inverse() @ now.fixed_from_base
        return mounting @ (then_from_now.inverse() if off_ns > 0 else then_from_now)


def camera_objects_port(camera: str) -> Port:
    """Returns the port of a camera's objects with bearing and range."""
    topic = f"/perception/camera/{camera}/objects"
    return Port(f"{camera}/objects", topic, CAMERA_OBJECTS, PortKind.RESULT)
