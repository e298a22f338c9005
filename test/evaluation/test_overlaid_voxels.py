"""Voxels of scans that are laid over one another."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.header import Header
from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.datasets.shards import FREE
from spatial_perception.evaluation.overlaid_voxels import ORIGIN_M, VOXEL_M, overlaid_voxels

CAR, BUILDING = POINT_LABELS.index("vehicle"), POINT_LABELS.index("building")
SENSOR_M = np.array([0.0, 0.0, 1.0])
HERE = Pose.from_yaw(0.0, np.zeros(3))


def scan(points, labels) -> LabelledCloud:
    cloud = PointCloud(Header(0, "base_link"), np.array(points, np.float32))
    return LabelledCloud(cloud, np.array(labels, np.uint8), POINT_LABELS)


def at(truth, x, y, z) -> int:
    column, row, layer = np.floor((np.array([x, y, z]) - ORIGIN_M) / VOXEL_M).astype(int)
    assert truth.visible[layer, row, column] == (truth.labels[layer, row, column] != UNLABELED)
    return int(truth.labels[layer, row, column])


def test_a_ray_frees_what_it_passes_and_marks_where_it_ends() -> None:
    truth = overlaid_voxels([(scan([[10.1, 0.1, 1.1]], [CAR]), HERE)], HERE, SENSOR_M)
    assert at(truth, 10.1, 0.1, 1.1) == CAR
    assert [at(truth, x, 0.1, 1.1) for x in (1.0, 5.0, 9.0)] == [FREE] * 3
    assert [at(truth, 10.9, 0.1, 1.1), at(truth, 5.0, 2.0, 1.1)] == [UNLABELED] * 2
    assert (truth.labels == CAR).sum() == 1


def test_a_scan_without_points_shows_nothing() -> None:
    truth = overlaid_voxels([(scan(np.zeros((0, 3)), []), HERE)], HERE, SENSOR_M)
    assert not truth.visible.any()


def test_a_scan_from_elsewhere_shows_what_was_hidden() -> None:
    here = scan([[10.1, 0.1, 1.1]], [CAR])
    # 20 m ahead and turned about: the wall behind the car, 12 m from here, is 8 m from there
    there, ahead = scan([[8.0, 0.0, 1.1]], [BUILDING]), Pose.from_yaw(np.pi, np.array([20.0, 0, 0]))
    alone = overlaid_voxels([(here, HERE)], HERE, SENSOR_M)
    both = overlaid_voxels([(here, HERE), (there, ahead)], HERE, SENSOR_M)
    assert at(alone, 12.0, 0.0, 1.1) == at(alone, 15.0, 0.0, 1.1) == UNLABELED
    assert at(both, 12.0, 0.0, 1.1) == BUILDING
    assert at(both, 15.0, 0.0, 1.1) == FREE
    assert at(both, 10.1, 0.1, 1.1) == CAR
    from_there = overlaid_voxels([(here, HERE), (there, ahead)], ahead, SENSOR_M)
    assert at(from_there, 9.9, -0.1, 1.1) == CAR


def test_returns_outweigh_rays_and_most_points_tell_the_class() -> None:
    points = [[10.1, 0.1, 1.1], [10.1, 0.2, 1.1], [10.2, 0.1, 1.1], [30.0, 0.3, 1.3]]
    truth = overlaid_voxels([(scan(points, [CAR, CAR, BUILDING, 255]), HERE)], HERE, SENSOR_M)
    assert at(truth, 10.1, 0.1, 1.1) == CAR  # though the last ray went on through it
    assert at(truth, 20.0, 0.2, 1.2) == FREE
    assert at(truth, 30.0, 0.3, 1.3) == UNLABELED  # something is there, nobody says what
