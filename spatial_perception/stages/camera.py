"""Camera stages: detection and segmentation of each configured camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from spatial_perception.config import option
from spatial_perception.core import CameraImage
from spatial_perception.messages import (
    COMPRESSED_IMAGE,
    DETECTIONS_2D,
    IMAGE,
    LABEL_COLOR_IMAGE,
    LABEL_IMAGE,
    LABEL_INFO,
)
from spatial_perception.pipelines.camera_detector import CameraDetector, CameraDetectorConfig
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig
from spatial_perception.stages.model_stage import ModelStage
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, Outputs

CAMERAS_HELP = "camera names; topics are /sensing/camera/NAME/... and /perception/camera/NAME/..."


@dataclass(frozen=True, slots=True)
class CameraDetectorStageConfig(CameraDetectorConfig):
    """Options of the stage camera_detector."""

    candidate_threshold: float = option(
        0.2, help="boxes from this score on go to fusion", range=(0.0, 1.0)
    )
    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)


@dataclass(frozen=True, slots=True)
class CameraSegmenterStageConfig(CameraSegmenterConfig):
    """Options of the stage camera_segmenter."""

    cameras: tuple[str, ...] = option(("front",), help=CAMERAS_HELP)


def image_port(camera: str) -> Port:
    """Returns the input port of a camera's pictures, raw or compressed."""
    topic = f"/sensing/camera/{camera}/image"
    compressed = ((f"{topic}/compressed", COMPRESSED_IMAGE),)
    return Port(f"{camera}/image", topic, IMAGE, PortKind.SENSOR, compressed)


def detections_port(camera: str) -> Port:
    """Returns the port of a camera's boxes."""
    topic = f"/perception/camera/{camera}/detections"
    return Port(f"{camera}/detections", topic, DETECTIONS_2D, PortKind.RESULT)


def boxes_port(camera: str) -> Port:
    """Returns the port of a camera's boxes with the doubtful ones, which fusion sifts."""
    topic = f"/perception/camera/{camera}/candidates"
    return Port(f"{camera}/candidates", topic, DETECTIONS_2D, PortKind.RESULT)


def segmentation_port(camera: str) -> Port:
    """Returns the port of a camera's class map."""
    topic = f"/perception/camera/{camera}/segmentation"
    return Port(f"{camera}/segmentation", topic, LABEL_IMAGE, PortKind.RESULT)


def camera_of(port: str) -> str:
    """Returns the camera's name of a port `NAME/...`."""
    return port.split("/", 1)[0]


class CameraDetectorStage(ModelStage):
    """Pictures to boxes."""

    name = "camera_detector"
    branch = Branch.CAMERA

    def __init__(self, config: CameraDetectorStageConfig) -> None:
        self.inputs = tuple(image_port(c) for c in config.cameras)
        self.outputs = tuple(
            port for c in config.cameras for port in (detections_port(c), boxes_port(c))
        )
        self._config = config
        super().__init__()

    def make_pipeline(self) -> CameraDetector:
        """Returns the detector."""
        least = min(self._config.score_threshold, self._config.candidate_threshold)
        return CameraDetector(replace(self._config, score_threshold=least))

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the boxes of one picture."""
        image: CameraImage = value
        camera, candidates = camera_of(port), self.pipeline(image)
        kept = candidates.scores >= self._config.score_threshold
        yield f"{camera}/detections", candidates.selected(kept)
        if self.is_wanted(f"{camera}/candidates"):
            possible = candidates.scores >= self._config.candidate_threshold
            yield f"{camera}/candidates", candidates.selected(possible)


class CameraSegmenterStage(ModelStage):
    """Pictures to class maps, in colour for eyes, with the list of classes latched once."""

    name = "camera_segmenter"
    branch = Branch.CAMERA

    def __init__(self, config: CameraSegmenterStageConfig) -> None:
        self.inputs = tuple(image_port(c) for c in config.cameras)
        ports: list[Port] = []
        for camera in config.cameras:
            topic = f"/perception/camera/{camera}/segmentation"
            color, labels = f"{camera}/segmentation/color", f"{camera}/segmentation/labels"
            ports += [
                segmentation_port(camera),
                Port(color, f"{topic}/color", LABEL_COLOR_IMAGE, PortKind.RESULT),
                Port(labels, f"{topic}/labels", LABEL_INFO, PortKind.LATCHED),
            ]
        self.outputs = tuple(ports)
        self._config = config
        self._announced: set[str] = set()
        super().__init__()

    def make_pipeline(self) -> CameraSegmenter:
        """Returns the segmenter."""
        return CameraSegmenter(self._config)

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the class map of one picture."""
        image: CameraImage = value
        camera = camera_of(port)
        segmentation = self.pipeline(image)
        if camera not in self._announced:
            self._announced.add(camera)
            yield f"{camera}/segmentation/labels", segmentation.label_set
        yield f"{camera}/segmentation", segmentation
        if self.is_wanted(f"{camera}/segmentation/color"):
            yield f"{camera}/segmentation/color", segmentation
