"""LiDAR stages: objects and voxels, a class for each point, the occupancy grid."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from spatial_perception.config import option
from spatial_perception.core import PointCloud, Pose
from spatial_perception.messages import (
    DETECTIONS_3D,
    LABELLED_CLOUD,
    MARKERS,
    OCCUPANCY_GRID,
    POINT_CLOUD,
    VISION_INFO,
    VOXELS,
)
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig
from spatial_perception.pipelines.lidar_segmenter import LidarSegmenter, LidarSegmenterConfig
from spatial_perception.pipelines.occupancy_mapper import OccupancyMapper, OccupancyMapperConfig
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

POINTS = Port("points", "/sensing/lidar/points", POINT_CLOUD, PortKind.SENSOR)
LIDAR_DETECTIONS = Port(
    "detections", "/perception/lidar/detections", DETECTIONS_3D, PortKind.RESULT
)


@dataclass(frozen=True, slots=True)
class LidarDetectorStageConfig(LidarDetectorConfig):
    """Options of the stage lidar_detector."""

    target_frame: str = option("base_link", help=FRAME_HELP)
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))


@dataclass(frozen=True, slots=True)
class LidarSegmenterStageConfig(LidarSegmenterConfig):
    """Options of the stage lidar_segmenter."""

    target_frame: str = option("base_link", help="frame in which heights are taken")
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))


@dataclass(frozen=True, slots=True)
class OccupancyMapperStageConfig(OccupancyMapperConfig):
    """Options of the stage occupancy_mapper."""

    target_frame: str = option("base_link", help=FRAME_HELP)
    max_wait_ms: float = option(500.0, help=WAIT_HELP, unit="ms", range=(0, 60_000))


class CloudStage(Stage):
    """Gives each cloud to `process` with its transform into the target frame."""

    branch = Branch.LIDAR
    inputs = (POINTS, *TRANSFORM_PORTS)

    def __init__(self, target_frame: str, max_wait_ms: float) -> None:
        super().__init__()
        self._waiter: TransformWaiter[PointCloud] = TransformWaiter(target_frame, max_wait_ms)

    @abstractmethod
    def process(self, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the outputs for one cloud, given in its own frame."""

    def push(self, port: str, value: Any) -> Outputs:
        """Returns the outputs for every cloud whose transform is now known."""
        if port in TRANSFORM_NAMES:
            ready = list(self._waiter.add_transforms(port, value))
        else:
            ready = list(self._waiter.add(value))
            for reason in self._waiter.expired(value.header.stamp_ns):
                self.drop(DropCause.TRANSFORM, error=reason)
        return self._outputs(ready)

    def flush(self) -> Outputs:
        """Counts the clouds that still wait for a transform as dropped."""
        for reason in self._waiter.expired():
            self.drop(DropCause.TRANSFORM, error=reason)
        return ()

    def reset(self) -> None:
        """Forgets waiting clouds and moving transforms."""
        self._waiter.reset()

    def _outputs(self, ready: list[tuple[PointCloud, Pose]]) -> Iterator[tuple[str, Any]]:
        for cloud, target_from_cloud in ready:
            yield from self.process(cloud, target_from_cloud)


class LidarDetectorStage(CloudStage, ModelStage):
    """Clouds to boxes, markers and semantic voxels in the target frame."""

    name = "lidar_detector"
    outputs = (
        LIDAR_DETECTIONS,
        Port("markers", "/perception/lidar/markers", MARKERS, PortKind.RESULT),
        Port("voxels", "/perception/occupancy/voxels", VOXELS, PortKind.RESULT),
        Port("classes", "/perception/lidar/detections/classes", VISION_INFO, PortKind.LATCHED),
    )

    def __init__(self, config: LidarDetectorStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms)
        self._config = config
        self._is_announced = False

    def make_pipeline(self) -> LidarDetector:
        """Returns the detector."""
        return LidarDetector(self._config)

    def process(self, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns boxes, markers and voxels."""
        frame = self._waiter.target_frame
        found, voxels = self.pipeline(
            cloud.transformed(target_from_cloud, frame), with_voxels=self.is_wanted("voxels")
        )
        if not self._is_announced:
            self._is_announced = True
            yield "classes", found.label_set
        yield "detections", found
        if self.is_wanted("markers"):
            yield "markers", detection_markers(found)
        if voxels is not None:
            yield "voxels", voxels


class LidarSegmenterStage(CloudStage, ModelStage):
    """Clouds to a class for each point, in the cloud's own frame."""

    name = "lidar_segmenter"
    outputs = (
        Port("segmentation", "/perception/lidar/segmentation", LABELLED_CLOUD, PortKind.RESULT),
    )

    def __init__(self, config: LidarSegmenterStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms)
        self._config = config

    def make_pipeline(self) -> LidarSegmenter:
        """Returns the segmenter."""
        return LidarSegmenter(self._config)

    def process(self, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the labelled cloud."""
        return [("segmentation", self.pipeline(cloud, target_from_cloud))]


class OccupancyMapperStage(CloudStage):
    """Clouds to an occupancy grid in the target frame."""

    name = "occupancy_mapper"
    outputs = (Port("grid", "/perception/occupancy/grid", OCCUPANCY_GRID, PortKind.LATCHED),)

    def __init__(self, config: OccupancyMapperStageConfig) -> None:
        super().__init__(config.target_frame, config.max_wait_ms)
        self._mapper = OccupancyMapper(config)

    def process(self, cloud: PointCloud, target_from_cloud: Pose) -> Outputs:
        """Returns the grid of one cloud."""
        frame = self._waiter.target_frame
        transformed = cloud.transformed(target_from_cloud, frame)
        return [("grid", self._mapper(transformed, target_from_cloud.translation))]
