"""Objects and semantic voxels in a LiDAR scan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spatial_perception.config import from_mapping, option
from spatial_perception.core import POINT_LABELS, Detections3D, LabelSet, PointCloud, VoxelGrid
from spatial_perception.errors import EngineError
from spatial_perception.ops.calibration import ScoreCalibration
from spatial_perception.ops.centers import CentersConfig, decode_centers
from spatial_perception.ops.ground import GroundConfig, estimate_ground
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig, decode_voxels
from spatial_perception.ops.voxelize import CHANNELS, VoxelConfig, voxelize
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.model import EngineOptions, ModelPipeline, check_channels

_HALF_A_PERSON_M = 0.2


@dataclass(frozen=True, slots=True)
class VoxelPreprocessing:
    """How a scan becomes voxels; stands in model.yaml."""

    voxels: VoxelConfig = option(default_factory=VoxelConfig, help="range and size")
    ground: GroundConfig = option(default_factory=GroundConfig, help="ground estimate")


@dataclass(frozen=True, slots=True)
class CentersArguments:
    """Options of the decoder centers."""

    centers: CentersConfig = option(default_factory=CentersConfig, help="grid of the boxes")
    occupancy: SemanticVoxelConfig = option(
        default_factory=SemanticVoxelConfig, help="grid of the occupancy head"
    )
    occupancy_classes: tuple[str, ...] = option(
        POINT_LABELS.names, help="classes of the occupancy head, without free"
    )
    calibration: ScoreCalibration = option(
        default_factory=ScoreCalibration, help="from scores to probabilities"
    )


@dataclass(frozen=True, slots=True)
class LidarDetectorConfig:
    """Options of a LiDAR detector."""

    model: str = option("lidar_detector", help="model name or folder")
    engine: EngineOptions = option(default_factory=EngineOptions, help="backend and precision")
    score_threshold: float = option(0.3, help="boxes below are dropped", range=(0.0, 1.0))
    iou_threshold: float = option(
        0.1, help="of two boxes of a class that overlap more, the better stays", range=(0.0, 1.0)
    )
    max_detections: int = option(300, help="at most so many boxes a scan", range=(1, 10_000))
    ego: EgoBox = option(
        default_factory=EgoBox,
        help="the vehicle itself: its returns are unused, no object is there",
    )


class LidarDetector(ModelPipeline):
    """Ground estimate, voxels, network, peaks to boxes, rotated non-maximum suppression.

    Returns from the vehicle itself are left out first, boxes with their middle on it, or nearer to
    it than half a person, last.

    Raises:
        EngineError: the model is missing or does not fit its decoder.
    """

    def __init__(self, config: LidarDetectorConfig) -> None:
        super().__init__(config.model, ("centers",), config.engine)
        spec = self._model.spec
        place = f"model '{spec.name}'"
        self._input, tensor = self._model.only_input()
        self._preprocessing = from_mapping(VoxelPreprocessing, spec.preprocessing, place)
        arguments = from_mapping(CentersArguments, spec.decoder_arguments, place)
        self._occupancy = arguments.occupancy
        self._ego = config.ego
        self._calibration = arguments.calibration
        self._occupancy_labels = _label_set(arguments.occupancy_classes)
        self._centers = replace(
            arguments.centers,
            min_score=config.score_threshold,
            nms_iou=config.iou_threshold,
            max_boxes=config.max_detections,
        )
        check_channels(self._model, "heatmap", 1, len(spec.classes))
        check_channels(self._model, "regression", 1, 8)
        self._check_grid("heatmap", self._centers.shape)
        calibrated = len(self._calibration.scales)
        if calibrated not in (0, len(spec.classes)):
            raise EngineError(
                f"{place}: {calibrated} classes are calibrated of {len(spec.classes)}"
            )
        self._has_voxels = "occupancy" in spec.variants[0].outputs
        if self._has_voxels:
            check_channels(self._model, "occupancy", 1, len(self._occupancy_labels) + 1)
            self._check_grid("occupancy", self._occupancy.shape)
        expected = (1, CHANNELS, *self._preprocessing.voxels.shape)
        if tensor.shape != expected:
            raise EngineError(f"{place}: input is {tensor.shape}, its voxels are {expected}")

    def _check_grid(self, output: str, cells: tuple[int, ...]) -> None:
        """Boxes and voxels would lie elsewhere if the decoder's grid were not the network's."""
        for axis, count in enumerate(cells, start=2):
            check_channels(self._model, output, axis, count, "cells in the decoder's grid")

    def __call__(
        self, cloud: PointCloud, with_voxels: bool = True
    ) -> tuple[Detections3D, VoxelGrid | None]:
        """Returns boxes, best first, and semantic voxels, in the frame of the cloud.

        Args:
            cloud: points in a frame on the ground under the vehicle: x forward, z up.
            with_voxels: decode the occupancy head too, where the model has one.
        """
        pre = self._preprocessing
        self.laps.start()
        points = cloud.points[~self._ego.holds(cloud.points)]
        ground = estimate_ground(points, pre.ground)
        self.laps.mark("ground")
        voxels = voxelize(points, ground, pre.voxels)[None]
        self.laps.mark("voxelize")
        outputs = self._model.engine().infer({self._input: voxels})
        self.laps.mark("network")
        boxes, scores, labels = decode_centers(outputs, ground, self._centers, self._calibration)
        self.laps.mark("boxes")
        found = Detections3D(
            cloud.header,
            boxes[:, :3],
            boxes[:, 3:6],
            boxes[:, 6],
            scores,
            labels,
            self._model.label_set,
        )
        found = found.selected(~self._ego.holds(found.centers_m, _HALF_A_PERSON_M))
        if not (with_voxels and self._has_voxels):
            return found, None
        grid = decode_voxels(
            outputs["occupancy"], ground, self._occupancy, cloud.header, self._occupancy_labels
        )
        self.laps.mark("voxels")
        return found, grid


def _label_set(names: tuple[str, ...]) -> LabelSet:
    return POINT_LABELS if names == POINT_LABELS.names else LabelSet(names)
