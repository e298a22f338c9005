"""Training of the dense 3D network on simulated scans: boxes and semantic occupancy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from spatial_perception.config import option
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.errors import ConfigError
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.networks.voxel_network import VoxelNetwork
from spatial_perception.ops.calibration import UNCALIBRATED, ScoreCalibration
from spatial_perception.ops.centers import CentersConfig
from spatial_perception.ops.ground import GroundConfig
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import CHANNELS, VoxelConfig
from spatial_perception.training.augment_scans import ScanAugmentation
from spatial_perception.training.fit_config import FitConfig
from spatial_perception.training.lidar_losses import (
    box_distances,
    heatmap_loss,
    overlap_loss,
    quality_loss,
    regression_loss,
    weighted_cross_entropy,
    weighted_mean,
)
from spatial_perception.training.lidar_samples import SampleConfig, VoxelBatch, random_sample
from spatial_perception.training.lidar_validation import detection_answers, validate_detector
from spatial_perception.training.score_calibration import fit_scores
from spatial_perception.training.task import EpochOrder, ExportPlan, Task, sample_generator

_COARSEST = 4
"""Cells of the bird's-eye grid along a cell of the network's coarsest level."""

CALIBRATED_FROM = 0.05
"""Detections from this score on enter the calibration."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each part of the loss counts."""

    heatmap: float = option(1.0, range=(0.0, 100.0))
    offset: float = option(1.0, help="dx, dy", range=(0.0, 100.0))
    height: float = option(3.0, help="z", range=(0.0, 100.0))
    size: float = option(1.0, help="log l, w, h", range=(0.0, 100.0))
    axis: float = option(0.5, help="sin and cos of twice the yaw", range=(0.0, 100.0))
    box: float = option(
        3.0, help="distance of the boxes as normal distributions", range=(0.0, 100.0)
    )
    heading: float = option(0.5, help="sin and cos of the yaw", range=(0.0, 100.0))
    quality: float = option(1.0, help="how good each box is said to be", range=(0.0, 100.0))
    occupancy: float = option(1.0, help="cross-entropy and overlap", range=(0.0, 100.0))


@dataclass(frozen=True, slots=True)
class VoxelDetectorConfig:
    """config/training/lidar_detector.yaml."""

    initial: str = option(
        "", help="checkpoint or weights.safetensors whose matching weights are taken over"
    )
    stages: tuple[tuple[int, int], ...] = option(
        ((32, 2), (32, 2)), help="channels and stride along z of the 3D convolutions"
    )
    widths: tuple[int, int, int] = option((32, 64, 128), help="channels at strides 1, 2, 4")
    blocks: tuple[int, int, int] = option((1, 3, 4), help="convolutions at strides 1, 2, 4")
    batch_size: int = option(4, help="crops a step", range=(1, 1024))
    crop_m: float = option(51.2, help="side of a crop", unit="m", range=(12.8, 200.0))
    min_hits: int = option(5, help="objects with fewer points are not asked for", range=(1, 1000))
    validation_scans: int = option(40, help="scans of the validation split", range=(1, 100000))
    class_weights: tuple[float, float, float, float] = option(
        (1.0, 3.0, 1.5, 4.0), help="weight of each class of boxes: cars are many, riders few"
    )
    calibrate_scores: bool = option(True, help="map scores to shares of right boxes at export")
    occupancy_weights: tuple[float, ...] = option(
        (1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 1.5, 4.0, 4.0, 0.7),
        help="weight of each class of voxels, free last",
    )
    occupancy_crop: int = option(
        64, help="side of the part of a crop whose voxels are judged, cells", range=(1, 10000)
    )
    loss: LossWeights = option(default_factory=LossWeights)
    voxels: VoxelConfig = option(default_factory=VoxelConfig)
    centers: CentersConfig = option(default_factory=CentersConfig)
    occupancy: SemanticVoxelConfig = option(default_factory=SemanticVoxelConfig)
    ground: GroundConfig = option(default_factory=GroundConfig)
    augmentation: ScanAugmentation = option(default_factory=ScanAugmentation)
    fit: FitConfig = option(default_factory=FitConfig)

    def __post_init__(self) -> None:
        wanted = len(POINT_LABELS) + 1
        if (given := len(self.occupancy_weights)) != wanted:
            raise ConfigError(f"occupancy_weights: expected {wanted} values, got {given}")
        voxels, centers = self.voxels, self.centers
        ranges = [(grid.range_x_m, grid.range_y_m) for grid in (voxels, centers)]
        if ranges[0] != ranges[1] or not np.allclose(voxels.voxel_m[:2], centers.cell_m):
            raise ConfigError(
                "voxels and centers: expected the same ranges and cells along x and y"
            )
        if any(
            cells % _COARSEST for cells in (*centers.shape, round(self.crop_m / centers.cell_m))
        ):
            raise ConfigError(
                f"ranges and crop_m: expected multiples of {_COARSEST} cells of {centers.cell_m} m"
            )
        occupancy_window(centers, self.occupancy)


class LidarDetectorTask(Task[VoxelBatch]):
    """Scans to boxes and voxels; the best weights are those of the highest mean BEV AP at 0.5."""

    def __init__(self, model: str, config: VoxelDetectorConfig, data_root: Path) -> None:
        super().__init__(config.fit, config.initial)
        self._model, self._config = model, config
        self._files = shard_files(data_root, "train")
        self._validation = shard_files(data_root, "val")[: config.validation_scans]
        self._order = EpochOrder(len(self._files), config.batch_size, config.fit.seed)
        self._grids = SampleConfig(
            config.voxels, config.centers, config.occupancy, config.ground, config.min_hits
        )
        self._calibration = UNCALIBRATED

    @property
    def network_name(self) -> str:
        return "voxel_network"

    @property
    def network_arguments(self) -> dict[str, object]:
        config = self._config
        return {
            "in_channels": CHANNELS,
            "depth": config.voxels.shape[0],
            "classes": len(OBJECT_LABELS),
            "stages": config.stages,
            "widths": config.widths,
            "blocks": config.blocks,
            "occupancy_classes": len(POINT_LABELS) + 1,
            "occupancy_depth": config.occupancy.shape[0],
            "occupancy_window": occupancy_window(config.centers, config.occupancy),
        }

    def batch(self, step: int) -> VoxelBatch:
        samples = [
            random_sample(
                read_shard(self._files[int(index)]),
                self._grids,
                self._config.augmentation,
                self._config.crop_m,
                sample_generator(self.fit.seed, step, slot),
            )
            for slot, index in enumerate(self._order.indices(step))
        ]
        return VoxelBatch.stacked(samples)

    def loss(self, network: SpatialNetwork, batch: VoxelBatch) -> tuple[Tensor, dict[str, Tensor]]:
        assert isinstance(network, VoxelNetwork)
        features = network.features(batch.voxels)
        weights, device = self._config.loss, batch.voxels.device
        objects = torch.tensor(self._config.class_weights, device=device)
        share = batch.weight * objects[batch.heatmap.argmax(dim=1)]
        found = network.regression(features).float()
        terms = regression_loss(found, batch.regression, share)
        judged = share > 0
        boxes, truth = (g.permute(0, 2, 3, 1)[judged] for g in (found, batch.regression))
        distances = box_distances(boxes, truth, self._config.centers.cell_m)
        quality = network.quality(features).float().squeeze(1)
        heading = network.heading(features).float()
        seen, labels = _random_window(features, batch.occupancy, self._config.occupancy_crop)
        occupancy = network.occupancy_logits(seen).float()
        classes = torch.tensor(self._config.occupancy_weights, device=device)
        parts = {
            "heatmap": heatmap_loss(
                network.heatmap(features).float(), batch.heatmap, batch.counts, objects
            ),
            "offset": terms[0:2].sum(),
            "height": terms[2],
            "size": terms[3:6].sum(),
            "axis": terms[6:8].sum(),
            "box": weighted_mean(distances, share[judged]),
            "quality": quality_loss(quality[judged], distances, share[judged]),
            "heading": regression_loss(heading, batch.heading, share).sum(),
            "occupancy": weighted_cross_entropy(occupancy, labels, classes)
            + overlap_loss(occupancy.permute(0, 2, 3, 4, 1).flatten(0, 3), labels.flatten()),
        }
        total = sum(getattr(weights, name) * value for name, value in parts.items())
        assert isinstance(total, Tensor)
        return total, {name: value.detach() for name, value in parts.items()}

    def validate(self, network: SpatialNetwork, device: torch.device) -> dict[str, float]:
        scans = (read_shard(path) for path in self._validation)
        return validate_detector(network, scans, self._grids, device, self._calibration)

    def calibrate(self, network: SpatialNetwork) -> None:
        if not self._config.calibrate_scores:
            return
        low = replace(self._grids.centers, min_score=CALIBRATED_FROM)
        grids = replace(self._grids, centers=low)
        scans = (read_shard(path, with_voxels=False) for path in self._validation)
        answers = detection_answers(network, scans, grids, torch.device("cpu"))
        fitted = np.round([fit_scores(a[:, 0], a[:, 1] > 0.5) for a in answers], 3)
        self._calibration = ScoreCalibration(*map(tuple, fitted.T.tolist()))

    def export_plan(self, network: SpatialNetwork) -> ExportPlan:
        config = self._config
        return ExportPlan(
            model=self._model,
            shapes=({"voxels": (1, CHANNELS, *config.voxels.shape)},),
            decoder="centers",
            decoder_arguments={
                "centers": dataclasses.asdict(config.centers),
                "calibration": dataclasses.asdict(self._calibration),
                "occupancy": dataclasses.asdict(config.occupancy),
                "occupancy_classes": list(POINT_LABELS.names),
            },
            preprocessing={
                "voxels": dataclasses.asdict(config.voxels),
                "ground": dataclasses.asdict(config.ground),
            },
            label_set=OBJECT_LABELS,
            training_data=(f"simulated streets, {len(self._files)} scans; no real data",),
            data_licence="",
            validation="simulated streets, other seeds",
            validation_samples=len(self._validation),
            evaluation="--dataset simulated --split val",
            summary="Boxes of cars, trucks, pedestrians and cyclists all around in a LiDAR scan, "
            "and the semantic occupancy of the space near the vehicle.",
        )


def occupancy_window(
    centers: CentersConfig, occupancy: SemanticVoxelConfig
) -> tuple[int, int, int, int]:
    """First and last (exclusive) row and column of the bird's-eye grid that the occupancy covers.

    Raises:
        ConfigError: If its voxels are not cells of that grid.
    """
    if not np.isclose(centers.cell_m, occupancy.voxel_m):
        raise ConfigError(
            f"occupancy: expected voxels of {centers.cell_m} m, got {occupancy.voxel_m} m"
        )
    row = round((occupancy.range_y_m[0] - centers.range_y_m[0]) / centers.cell_m)
    column = round((occupancy.range_x_m[0] - centers.range_x_m[0]) / centers.cell_m)
    _, rows, columns = occupancy.shape
    window = (row, row + rows, column, column + columns)
    height, width = centers.shape
    if min(row, column) < 0 or window[1] > height or window[3] > width:
        raise ConfigError(f"occupancy: reaches beyond the grid: {window} of {height} x {width}")
    return window


def _random_window(features: Tensor, labels: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """The same square of features (B, C, Y, X) and labels (B, Z, Y, X): most of the loss's cost."""
    height, width = features.shape[-2:]
    row = int(torch.randint(max(height - side, 0) + 1, ()))
    column = int(torch.randint(max(width - side, 0) + 1, ()))
    window = (..., slice(row, row + side), slice(column, column + side))
    return features[window], labels[window]
