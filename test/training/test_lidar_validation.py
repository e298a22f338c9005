"""Validation of the detector: what a faultless network scores, and what is not asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from spatial_perception.core.labels import POINT_LABELS
from spatial_perception.datasets.shards import SimulatedScan, read_shard
from spatial_perception.evaluation.occupancy import OccupancyMetrics
from spatial_perception.networks.voxel_network import VoxelNetwork
from spatial_perception.ops.centers import CentersConfig
from spatial_perception.ops.ground import GroundConfig
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import VoxelConfig
from spatial_perception.training.lidar_samples import SampleConfig, voxel_sample
from spatial_perception.training.lidar_validation import (
    judge_voxels,
    simulated_frame,
    validate_detector,
)
from test.training.shards import write_street

RANGE = {"range_x_m": (-12.8, 12.8), "range_y_m": (-12.8, 12.8)}
CONFIG = SampleConfig(
    VoxelConfig(**RANGE), CentersConfig(**RANGE), SemanticVoxelConfig(**RANGE), GroundConfig(), 5
)


class Oracle(VoxelNetwork):
    """Answers with the targets of one scan."""

    def __init__(self, scan: SimulatedScan, turned: bool = False) -> None:
        super().__init__(**VoxelNetwork.example_arguments())
        self.sample, self.sign = voxel_sample(scan, CONFIG), -1.0 if turned else 1.0

    def forward(self, voxels: Tensor) -> tuple[Tensor, ...]:
        sample = self.sample
        classes = torch.where(sample.occupancy == 255, 9, sample.occupancy).long()
        occupancy = 9.0 * torch.nn.functional.one_hot(classes, 10).permute(3, 0, 1, 2)
        quality = torch.ones_like(sample.heatmap[:1])
        heading = self.sign * sample.heading
        maps = (sample.heatmap, sample.regression, heading, quality, occupancy)
        return tuple(values[None].float() for values in maps)


@pytest.fixture
def scan(tmp_path: Path) -> SimulatedScan:
    return read_shard(write_street(tmp_path / "a.npz", 0))


def test_a_faultless_network_scores_a_hundred(scan: SimulatedScan) -> None:
    metrics = validate_detector(Oracle(scan), [scan], CONFIG, torch.device("cpu"))
    for name in ("mean_bev_ap_0.5", "car_3d_ap_0.7", "pedestrian_bev_ap_0.5"):
        assert metrics[name] == pytest.approx(100.0), name
    assert metrics["car_heading_accuracy"] == 100.0
    assert metrics["occupancy_iou"] == pytest.approx(100.0)
    assert "truck_bev_ap_0.5" not in metrics


@pytest.mark.parametrize("voxel_m", [0.4, 0.8])
def test_voxels_are_judged_where_they_lie_whatever_their_size(
    voxel_m: float, scan: SimulatedScan
) -> None:
    """A road of the size of the network's voxels, all of which it calls road."""
    occupancy = SemanticVoxelConfig(**RANGE, voxel_m=voxel_m)
    assert scan.voxels is not None
    labels = np.full_like(scan.voxels.labels, 255)
    labels[4] = 0
    truth = replace(scan.voxels, labels=labels, visible=labels != 255)
    logits = np.zeros((1, 10, *occupancy.shape), np.float32)
    logits[0, 0] = 9.0
    metrics = OccupancyMetrics(POINT_LABELS.names)
    judge_voxels(metrics, logits, replace(scan, voxels=truth), replace(CONFIG, occupancy=occupancy))
    assert metrics.compute()["iou"] == 100.0
    assert metrics.counts.sum() == 64 * 64, "of 80 x 80 cells those within the range"


def test_voxels_stand_on_the_ground_that_the_configuration_finds(scan: SimulatedScan) -> None:
    high = replace(scan, points=scan.points + np.array([0.0, 0.0, 0.8], np.float32))
    config = replace(CONFIG, ground=GroundConfig(min_points=1000))  # finds none, so height 0
    oracle = Oracle(scan)
    oracle.sample = voxel_sample(high, config)
    metrics = validate_detector(oracle, [high], config, torch.device("cpu"))
    assert metrics["occupancy_iou"] == 100.0


def test_turned_boxes_overlap_but_point_the_wrong_way(scan: SimulatedScan) -> None:
    metrics = validate_detector(Oracle(scan, turned=True), [scan], CONFIG, torch.device("cpu"))
    assert metrics["car_bev_ap_0.5"] == pytest.approx(100.0)
    assert metrics["car_heading_accuracy"] == 0.0


def test_objects_hardly_hit_or_beyond_the_grid_are_not_asked_for(scan: SimulatedScan) -> None:
    far = scan.boxes.copy()
    far[1, 0] = 40.0
    nothing = (np.zeros((0, 7)), np.zeros(0), np.zeros(0, np.int32))
    frame = simulated_frame(replace(scan, boxes=far), nothing, CONFIG.centers, 5)
    assert frame.truth_levels.tolist() == [1, 3, 3]
