"""LiDAR stages: objects and voxels, and a class for each point."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from spatial_perception.config import option
from spatial_perception.core import PointCloud, Pose
from spatial_perception.messages import (
    DETECTIONS_3D,
    LABELLED_CLOUD,
    MARKERS,
    POINT_CLOUD,
    VISION_INFO,
    VOXELS,
    Codec,
)
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig
from spatial_perception.pipelines.lidar_segmenter import LidarSegmenter, LidarSegmenterConfig
from spatial_perception.stages.model_stage import ModelStage
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Outputs, Stage
from spatial_perception.stages.transforms import (
    TRANSFORM_NAMES,
    TRANSFORM_PORTS,
    TransformWaiter,
)
from spatial_perception.visualization.markers import detection_markers

FRAME_HELP = "frame of the results, x forward and z up, on the ground under the vehicle"
WAIT_HELP = "how long a cloud waits for its transform, measured in stamps"

LIDARS_HELP = (
    "LiDAR names; topics are /sensing/lidar/NAME/points and /perception/lidar/NAME/..., the empty"
    " name leaves its level out"
)


def lidar_topic(layer: str, lidar: str, leaf: str) -> str:
    """Returns a topic of a LiDAR; a lone one needs no name."""
    return f"{layer}/{lidar}/{leaf}" if lidar else f"{layer}/{leaf}"


def port_name(lidar: str, leaf: str) -> str:
    """Returns the name of a LiDAR's port."""
    return f"{lidar}/{leaf}" if lidar else leaf


def lidar_of(port: str) -> str:
    """Returns the LiDAR's name of a port, empty for a lone LiDAR's."""
    return port.rpartition("/")[0]


def points_port(lidar: str) -> Port:
    """Returns the input port of a LiDAR's clouds."""
    topic = lidar_topic("/sensing/lidar", lidar, "points")
    return Port(port_name(lidar, "points"), topic, POINT_CLOUD, PortKind.SENSOR)


def objects_port(lidar: str) -> Port:
    """Returns the port of the objects seen by a LiDAR."""
    topic = lidar_topic("/perception/lidar", lidar, "detections")
    return Port(port_name(lidar, "detections"), topic, DETECTIONS_3D, PortKind.RESULT)


def candidates_port(lidar: str) -> Port:
    """Returns the port of a LiDAR's objects, doubtful ones too, for fusion and tracker to sift."""
    topic = lidar_topic("/perception/lidar", lidar, "candidates")
    return Port(port_name(lidar, "candidates"), topic, DETECTIONS_3D, PortKind.RESULT)


@dataclass(frozen=True, slots=True)
class LidarDetectorStageConfig(LidarDetectorConfig):
    """Options of the stage lidar_detector."""

    candidate_threshold: float = option(
        0.05, help="boxes from this score on go to fusion and tracker", range=(0.0, 1.0)
    )
    target_frame: str = option("base_link", help=FRAME_HELP)
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))
    lidars: tuple[str, ...] = option(("",), help=LIDARS_HELP)


@dataclass(frozen=True, slots=True)
class LidarSegmenterStageConfig(LidarSegmenterConfig):
    """Options of the stage lidar_segmenter."""

    target_frame: str = option("base_link", help="frame in which heights are taken")
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))
    lidars: tuple[str, ...] = option(("",), help=LIDARS_HELP)


class CloudStage(Stage):
    """Gives each cloud to `process` with its transform into the target frame.

    Args:
        target_frame: frame that clouds are wanted in.
        max_wait_ms: how long a cloud waits for its transform, in stamps.
        lidars: names of the LiDARs.
    """

    branch = Branch.LIDAR

    def __init__(self, target_frame: str, max_wait_ms: float, lidars: tuple[str, ...]) -> None:
        super().__init__()
        self.inputs = (*(points_port(lidar) for lidar in lidars), *TRANSFORM_PORTS)
        self._target_frame = target_frame
        self._waiters: dict[str, TransformWaiter[PointCloud]] = {
            lidar: TransformWaiter(target_frame, max_wait_ms) for lidar in lidars
        }

    @abstractmethod
    def process(self, lidar: str, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the outputs for one cloud of a LiDAR, given in its own frame."""

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the outputs for every cloud whose transform is now known."""
        if port in TRANSFORM_NAMES:
            for lidar, waiter in self._waiters.items():
                yield from self._outputs(lidar, list(waiter.add_transforms(port, value)))
            return
        lidar = lidar_of(port)
        waiter = self._waiters[lidar]
        ready = list(waiter.add(value))
        for reason in waiter.expired(value.header.stamp_ns):
            self.drop(DropCause.TRANSFORM, error=reason)
        yield from self._outputs(lidar, ready)

    def flush(self) -> Outputs:
        """Counts the clouds that still wait for a transform as dropped."""
        for waiter in self._waiters.values():
            for reason in waiter.expired():
                self.drop(DropCause.TRANSFORM, error=reason)
        return ()

    def reset(self) -> None:
        """Forgets waiting clouds and moving transforms."""
        for waiter in self._waiters.values():
            waiter.reset()

    def _outputs(
        self, lidar: str, ready: list[tuple[PointCloud, Pose]]
    ) -> Iterator[tuple[str, Any]]:
        for cloud, target_from_cloud in ready:
            yield from self.process(lidar, cloud, target_from_cloud)


class LidarDetectorStage(CloudStage, ModelStage):
    """Clouds to boxes, markers and semantic voxels in the target frame."""

    name = "lidar_detector"

    def __init__(self, config: LidarDetectorStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms, config.lidars)
        self.outputs = tuple(port for lidar in config.lidars for port in _detector_ports(lidar))
        self._config = config
        self._announced: set[str] = set()

    def make_pipeline(self) -> LidarDetector:
        """Returns the detector."""
        least = min(self._config.score_threshold, self._config.candidate_threshold)
        return LidarDetector(replace(self._config, score_threshold=least))

    def process(self, lidar: str, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns boxes, markers and voxels."""
        candidates, voxels = self.pipeline(
            cloud.transformed(target_from_cloud, self._target_frame),
            with_voxels=self.is_wanted(port_name(lidar, "voxels")),
        )
        found = candidates.selected(candidates.scores >= self._config.score_threshold)
        if lidar not in self._announced:
            self._announced.add(lidar)
            yield port_name(lidar, "classes"), found.label_set
        yield port_name(lidar, "detections"), found
        if self.is_wanted(port_name(lidar, "candidates")):
            possible = candidates.scores >= self._config.candidate_threshold
            yield port_name(lidar, "candidates"), candidates.selected(possible)
        if self.is_wanted(port_name(lidar, "markers")):
            yield port_name(lidar, "markers"), detection_markers(found)
        if voxels is not None:
            yield port_name(lidar, "voxels"), voxels


def _detector_ports(lidar: str) -> tuple[Port, ...]:
    def output(leaf: str, topic: str, codec: Codec[Any], kind: PortKind) -> Port:
        return Port(port_name(lidar, leaf), topic, codec, kind)

    seen, classes = "/perception/lidar", "detections/classes"
    return (
        objects_port(lidar),
        candidates_port(lidar),
        output("markers", lidar_topic(seen, lidar, "markers"), MARKERS, PortKind.RESULT),
        voxels_port(lidar),
        output("classes", lidar_topic(seen, lidar, classes), VISION_INFO, PortKind.LATCHED),
    )


def voxels_port(lidar: str) -> Port:
    """Returns the port of the semantic voxels seen by a LiDAR."""
    topic = lidar_topic("/perception/occupancy", lidar, "voxels")
    return Port(port_name(lidar, "voxels"), topic, VOXELS, PortKind.RESULT)


class LidarSegmenterStage(CloudStage, ModelStage):
    """Clouds to a class for each point, in the cloud's own frame."""

    name = "lidar_segmenter"

    def __init__(self, config: LidarSegmenterStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms, config.lidars)
        self.outputs = tuple(labelled_port(lidar) for lidar in config.lidars)
        self._config = config

    def make_pipeline(self) -> LidarSegmenter:
        """Returns the segmenter."""
        return LidarSegmenter(self._config)

    def process(self, lidar: str, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the labelled cloud."""
        return [(port_name(lidar, "segmentation"), self.pipeline(cloud, target_from_cloud))]


def labelled_port(lidar: str) -> Port:
    """Returns the port of a LiDAR's labelled clouds."""
    topic = lidar_topic("/perception/lidar", lidar, "segmentation")
    return Port(port_name(lidar, "segmentation"), topic, LABELLED_CLOUD, PortKind.RESULT)
