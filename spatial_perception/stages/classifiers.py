"""Traffic signs and lights: boxes of the detector, regions of the segmenter, named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spatial_perception.config import option
from spatial_perception.core.sync import StampSynchronizer
from spatial_perception.messages import DETECTIONS_2D
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from spatial_perception.stages.camera import (
    CAMERAS_HELP,
    camera_of,
    detections_port,
    image_port,
    segmentation_port,
)
from spatial_perception.stages.model_stage import ModelStage
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Outputs

PAIR_WAIT_HELP = "how long a picture waits for its boxes, measured in stamps"


@dataclass(frozen=True, slots=True)
class SignClassifierStageConfig(CropClassifierConfig):
    """Options of the stage sign_classifier."""

    model: str = option("sign_classifier", help="model name or folder")
    classes: tuple[str, ...] = option(("traffic_sign",), help="detector's classes to look at")
    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)
    max_wait_ms: float = option(500.0, help=PAIR_WAIT_HELP, unit="ms", range=(0, 60_000))


@dataclass(frozen=True, slots=True)
class LightClassifierStageConfig(CropClassifierConfig):
    """Options of the stage light_classifier."""

    model: str = option("light_classifier", help="model name or folder")
    classes: tuple[str, ...] = option(("traffic_light",), help="detector's classes to look at")
    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)
    max_wait_ms: float = option(500.0, help=PAIR_WAIT_HELP, unit="ms", range=(0, 60_000))


def named_boxes_port(camera: str, kind: str) -> Port:
    """Returns the port of a camera's classified `signs` or `lights`."""
    topic = f"/perception/camera/{camera}/{kind}"
    return Port(f"{camera}/{kind}", topic, DETECTIONS_2D, PortKind.RESULT)


class CropClassifierStage(ModelStage):
    """Names what is in a picture's boxes once picture and boxes of one stamp are there.

    The class map is waited for, too, where `regions` asks for it.
    """

    branch = Branch.CAMERA
    kind: str

    def __init__(self, config: SignClassifierStageConfig | LightClassifierStageConfig) -> None:
        super().__init__()
        self._config = config
        parts = [image_port, detections_port]
        if config.regions:
            parts.append(segmentation_port)
        ports = {camera: tuple(part(camera) for part in parts) for camera in config.cameras}
        self.inputs = tuple(port for of_camera in ports.values() for port in of_camera)
        self.outputs = tuple(named_boxes_port(c, self.kind) for c in config.cameras)
        self._parts = {
            camera: StampSynchronizer(tuple(p.name for p in of_camera), config.max_wait_ms)
            for camera, of_camera in ports.items()
        }

    def make_pipeline(self) -> CropClassifier:
        """Returns the classifier."""
        return CropClassifier(self._config)

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the named boxes of a picture once all that belongs to it is there."""
        camera = camera_of(port)
        parts, late = self._parts[camera].add(port, value.header.stamp_ns, value)
        self.drop(DropCause.EXPIRED, late)
        if parts is None:
            return ()
        named = self.pipeline(
            parts[f"{camera}/image"],
            parts[f"{camera}/detections"],
            parts.get(f"{camera}/segmentation"),
        )
        return [(f"{camera}/{self.kind}", named)]

    def flush(self) -> Outputs:
        """Counts pictures and boxes that lack a part as expired."""
        self.drop(DropCause.EXPIRED, sum(parts.clear() for parts in self._parts.values()))
        return ()

    def reset(self) -> None:
        """Forgets what waits."""
        for parts in self._parts.values():
            parts.clear()


class SignClassifierStage(CropClassifierStage):
    """Names traffic signs."""

    name = "sign_classifier"
    kind = "signs"


class LightClassifierStage(CropClassifierStage):
    """Names the colour of traffic lights."""

    name = "light_classifier"
    kind = "lights"
