"""Traffic signs and lights: boxes of the detector, cropped and named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spatial_perception.config import option
from spatial_perception.core.sync import StampSynchronizer
from spatial_perception.messages import DETECTIONS_2D
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from spatial_perception.stages.camera import CAMERAS_HELP, camera_of, detections_port, image_port
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
    """Pairs each picture with the detector's boxes of the same stamp and names what is in them."""

    branch = Branch.CAMERA
    kind: str

    def __init__(self, config: SignClassifierStageConfig | LightClassifierStageConfig) -> None:
        super().__init__()
        self._config = config
        self.inputs = tuple(
            port for c in config.cameras for port in (image_port(c), detections_port(c))
        )
        self.outputs = tuple(named_boxes_port(c, self.kind) for c in config.cameras)
        self._pairs = {
            camera: StampSynchronizer(
                (f"{camera}/image", f"{camera}/detections"), config.max_wait_ms
            )
            for camera in config.cameras
        }

    def make_pipeline(self) -> CropClassifier:
        """Returns the classifier."""
        return CropClassifier(self._config)

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the named boxes of a picture once both it and its boxes are there."""
        camera = camera_of(port)
        pair, late = self._pairs[camera].add(port, value.header.stamp_ns, value)
        self.drop(DropCause.EXPIRED, late)
        if pair is None:
            return ()
        named = self.pipeline(pair[f"{camera}/image"], pair[f"{camera}/detections"])
        return [(f"{camera}/{self.kind}", named)]

    def flush(self) -> Outputs:
        """Counts pictures and boxes that found no partner as expired."""
        self.drop(DropCause.EXPIRED, sum(pairs.clear() for pairs in self._pairs.values()))
        return ()

    def reset(self) -> None:
        """Forgets what waits."""
        for pairs in self._pairs.values():
            pairs.clear()


class SignClassifierStage(CropClassifierStage):
    """Names traffic signs."""

    name = "sign_classifier"
    kind = "signs"


class LightClassifierStage(CropClassifierStage):
    """Names the colour of traffic lights."""

    name = "light_classifier"
    kind = "lights"
