"""Validation of the detector: what a faultless network scores, and what is not asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from spatial_perception.datasets.shards import SimulatedScan, read_shard
from spatial_perception.networks.voxel_network import VoxelNetwork
from spatial_perception.ops.centers import CentersConfig
from spatial_perception.ops.ground import GroundConfig
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import VoxelConfig
from spatial_perception.training.lidar_samples import SampleConfig, voxel_sample
from spatial_perception.training.lidar_validation import simulated_frame, validate_detector
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
