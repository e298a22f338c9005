"""The picture with everything seen in it, for eyes; costs nothing while nobody looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spatial_perception.config import near_miss, option
from spatial_perception.core import CameraImage, Detections3D, PinholeCamera, Pose, TransformTree
from spatial_perception.core.sync import NS_PER_MS, StampSynchronizer
from spatial_perception.errors import ConfigError, TransformError
from spatial_perception.messages import CAMERA_INFO, IMAGE
from spatial_perception.stages.camera import (
    CAMERAS_HELP,
    camera_of,
    detections_port,
    image_port,
    segmentation_port,
)
from spatial_perception.stages.classifiers import named_boxes_port
from spatial_perception.stages.lidar import objects_port
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Outputs, Stage
from spatial_perception.stages.transforms import TRANSFORM_NAMES, TRANSFORM_PORTS
from spatial_perception.visualization.overlay import OverlayStyle, draw_overlay


@dataclass(frozen=True, slots=True)
class OverlayStageConfig:
    """Options of the stage overlay."""

    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)
    parts: tuple[str, ...] = option(
        ("detections", "segmentation", "signs", "lights"),
        help="camera results that a picture waits for and shows",
    )
    min_score: float = option(0.35, help="objects below are not drawn", range=(0.0, 1.0))
    max_offset_ms: float = option(
        250.0, help="LiDAR objects older than this are not drawn", unit="ms", range=(0, 10_000)
    )
    max_wait_ms: float = option(
        500.0,
        help="how long a picture waits for its parts, in stamps",
        unit="ms",
        range=(0, 60_000),
    )
    lidar: str = option("", help="the LiDAR whose objects are drawn, where several have names")


@dataclass(slots=True)
class _View:
    """What is known of one camera."""

    parts: StampSynchronizer
    camera: PinholeCamera | None = field(default=None)
    lacks_parts: bool = field(default=False)
    misfit: str = field(default="")


class OverlayStage(Stage):
    """Draws masks, boxes, names and LiDAR objects into each camera's picture."""

    name = "overlay"
    branch = Branch.CAMERA

    def __init__(self, config: OverlayStageConfig) -> None:
        super().__init__()
        self._config = config
        self._tree = TransformTree()
        self._objects: Detections3D | None = None
        self._objects_port = objects_port(config.lidar)
        inputs: list[Port] = [*TRANSFORM_PORTS, self._objects_port]
        self._views: dict[str, _View] = {}
        for camera in config.cameras:
            ports = [image_port(camera), *self._part_ports(camera)]
            names = tuple(port.name for port in ports)
            self._views[camera] = _View(StampSynchronizer(names, config.max_wait_ms))
            inputs += [*ports, camera_info_port(camera)]
        self.inputs = tuple(inputs)
        self.outputs = tuple(
            Port(f"{c}/overlay", f"/perception/camera/{c}/overlay", IMAGE, PortKind.RESULT)
            for c in config.cameras
        )

    def _part_ports(self, camera: str) -> list[Port]:
        ports = {
            "detections": detections_port(camera),
            "segmentation": segmentation_port(camera),
            "signs": named_boxes_port(camera, "signs"),
            "lights": named_boxes_port(camera, "lights"),
        }
        for name in self._config.parts:
            if name not in ports:
                raise ConfigError(f"overlay: parts: no part '{name}'{near_miss(name, ports)}")
        return [ports[name] for name in self._config.parts]

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the drawn picture once all its parts are there."""
        if port in TRANSFORM_NAMES:
            self._tree.add(value, static=port == "tf_static")
        elif port == self._objects_port.name:
            self._objects = value
        elif port.endswith("/camera_info"):
            self._views[camera_of(port)].camera = value
        elif self.is_wanted(f"{camera_of(port)}/overlay"):
            return self._add_part(port, value)
        return ()

    def flush(self) -> Outputs:
        """Counts pictures that lack a part as expired."""
        for view in self._views.values():
            self._give_up(view, view.parts.clear())
        return ()

    def status(self) -> Mapping[str, str]:
        """Returns which pictures lack parts or objects, as what is degraded; idle unwatched."""
        troubles = []
        for name, view in self._views.items():
            if view.lacks_parts:
                parts = ", ".join(self._config.parts)
                troubles.append(
                    f"camera {name}: not all of {parts} came; set `parts` to those made"
                )
            if view.camera is not None and (trouble := view.camera.flaw or view.misfit):
                troubles.append(f"camera {name}: {trouble}, objects are not drawn")
        values = {"degraded": "; ".join(troubles)} if troubles else {}
        if not any(self.is_wanted(port.name) for port in self.outputs):
            values["idle"] = "nobody takes its pictures"
        return values

    def reset(self) -> None:
        """Forgets pictures, objects and moving transforms."""
        for view in self._views.values():
            view.parts.clear()
        self._objects = None
        self._tree.clear()

    def _give_up(self, view: _View, count: int) -> None:
        self.drop(DropCause.EXPIRED, count)
        view.lacks_parts |= count > 0

    def _add_part(self, port: str, value: Any) -> Outputs:
        camera = camera_of(port)
        view = self._views[camera]
        parts, late = view.parts.add(port, value.header.stamp_ns, value)
        self._give_up(view, late)
        if parts is None:
            return ()
        view.lacks_parts = False
        image: CameraImage = parts.pop(f"{camera}/image")
        named = {name.split("/", 1)[1]: part for name, part in parts.items()}
        objects = self._current_objects(image)
        if view.camera is not None:
            misfit = view.camera.misfit(image.width, image.height)
            view.misfit = f"camera_info {misfit}" if misfit else ""
        drawn = draw_overlay(
            image,
            **named,
            objects=objects,
            camera=None if view.misfit else view.camera,
            camera_from_objects=self._camera_from_objects(image, objects),
            style=OverlayStyle(min_score=self._config.min_score),
        )
        return [(f"{camera}/overlay", drawn)]

    def _current_objects(self, image: CameraImage) -> Detections3D | None:
        if self._objects is None:
            return None
        offset_ns = abs(self._objects.header.stamp_ns - image.header.stamp_ns)
        return self._objects if offset_ns <= self._config.max_offset_ms * NS_PER_MS else None

    def _camera_from_objects(self, image: CameraImage, objects: Detections3D | None) -> Pose | None:
        if objects is None:
            return None
        header = image.header
        try:
            return self._tree.lookup(header.frame_id, objects.header.frame_id, header.stamp_ns)
        except TransformError:
            return None  # the picture is worth showing without the objects


def camera_info_port(camera: str) -> Port:
    """Returns the input port of a camera's calibration."""
    topic = f"/sensing/camera/{camera}/camera_info"
    return Port(f"{camera}/camera_info", topic, CAMERA_INFO, PortKind.STATE)
