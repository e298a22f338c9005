"""Samples of the voxel network: targets lie where the scene says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from spatial_perception.datasets.shards import SimulatedScan, read_shard
from spatial_perception.ops.centers import CentersConfig, decode_centers
from spatial_perception.ops.ground import GroundConfig, flat_ground
from spatial_perception.ops.semantic_voxels import SemanticVoxelConfig
from spatial_perception.ops.voxelize import VoxelConfig
from spatial_perception.training.augment_scans import PlaneMap, ScanAugmentation
from spatial_perception.training.lidar_samples import (
    SampleConfig,
    VoxelBatch,
    occupancy_target,
    random_sample,
    voxel_sample,
)
from test.training.shards import write_street

RANGE = {"range_x_m": (-12.8, 12.8), "range_y_m": (-12.8, 12.8)}
CONFIG = SampleConfig(
    VoxelConfig(**RANGE), CentersConfig(**RANGE), SemanticVoxelConfig(**RANGE), GroundConfig(), 5
)


@pytest.fixture
def scan(tmp_path: Path) -> SimulatedScan:
    return read_shard(write_street(tmp_path / "a.npz", 0))


def test_targets_decode_to_the_boxes_that_were_hit(scan: SimulatedScan) -> None:
    sample = voxel_sample(scan, CONFIG)
    outputs = {n: getattr(sample, n)[None].numpy() for n in ("heatmap", "regression", "heading")}
    boxes, _, labels = decode_centers(outputs, flat_ground(), CONFIG.centers)
    order = np.argsort(labels)
    np.testing.assert_allclose(boxes[order], scan.boxes[:2], atol=0.1)
    np.testing.assert_array_equal(labels[order], [0, 2])


def test_an_object_that_was_hardly_hit_is_neither_asked_for_nor_punished(
    scan: SimulatedScan,
) -> None:
    sample = voxel_sample(scan, CONFIG)
    row, column = int((6 + 12.8) / 0.4), int((-10 + 12.8) / 0.4)
    assert not sample.counts[row, column]
    assert sample.heatmap[:, row, column].max() == 0
    assert sample.counts[5, 5]


def test_occupancy_has_the_road_in_the_layer_of_the_ground(scan: SimulatedScan) -> None:
    target = voxel_sample(scan, CONFIG).occupancy
    assert target.shape == (12, 64, 64)
    assert (target[2] == 0).all()
    assert (target[3:] == 9).all()
    assert (target[:2] == 255).all()


def test_occupancy_is_looked_up_where_the_map_came_from(scan: SimulatedScan) -> None:
    labels = scan.voxels.labels.copy()
    labels[6, 45, 60] = 6  # x 8.2, y 2.2
    voxels = replace(scan.voxels, labels=labels, visible=labels != 255)
    turn = PlaneMap(np.pi / 2, 1.0, 1.0, 0.0)
    target = occupancy_target(voxels, flat_ground(), CONFIG.occupancy, turn)
    [[z, row, column]] = np.argwhere(target == 6)
    y = CONFIG.occupancy.centers(CONFIG.occupancy.range_y_m)[row]
    x = CONFIG.occupancy.centers(CONFIG.occupancy.range_x_m)[column]
    assert (x, y) == pytest.approx((-2.2, 8.2), abs=0.21)
    assert z == 4


def test_a_scan_without_voxels_asks_for_none(scan: SimulatedScan) -> None:
    assert (voxel_sample(replace(scan, voxels=None), CONFIG).occupancy == 255).all()


def test_a_random_sample_is_fixed_by_its_generator(scan: SimulatedScan) -> None:
    draws = [
        random_sample(scan, CONFIG, ScanAugmentation(), 12.8, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0].voxels, draws[1].voxels)
    assert not torch.equal(draws[0].voxels, draws[2].voxels)
    batch = VoxelBatch.stacked(draws)
    assert batch.voxels.shape == (3, 8, 8, 32, 32)
    assert batch.occupancy.shape == (3, 12, 32, 32)
