"""Range images of two sensors: written by hand, and the real ones."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.datasets.range_images import read_range_images
from spatial_perception.errors import DatasetError
from test.datasets.real_data import data_file


def write(path: Path) -> Path:
    xyzi = np.zeros((1, 2, 3, 4), np.float32)
    xyzi[0, 0, 1] = 5, 1, -1.84, 0.5
    xyzi[0, 1, 2] = 6, 2, 0, 0.25
    labels = np.full((1, 2, 3), 10, np.uint8)
    labels[0, 0, 1], labels[0, 1, 2] = 0, 9
    np.savez(path, nuscenes_xyzi=xyzi, nuscenes_label=labels)
    return path


def test_pixels_with_a_return_become_points_with_ring_and_class(tmp_path: Path) -> None:
    [scan] = read_range_images(write(tmp_path / "r.npz"), "nuscenes")
    np.testing.assert_allclose(scan.cloud.points, [[5, 1, 0], [6, 2, 1.84]], atol=1e-6)
    assert scan.cloud.ring is not None
    assert scan.cloud.ring.tolist() == [0, 1]
    assert [scan.label_set.name(int(label)) for label in scan.labels] == ["road", "vehicle"]


@pytest.mark.parametrize("sensor", ["semantic_kitti", "velodyne"])
def test_a_sensor_that_is_not_there_is_named(tmp_path: Path, sensor: str) -> None:
    with pytest.raises(DatasetError, match=sensor):
        read_range_images(write(tmp_path / "r.npz"), sensor)


@pytest.mark.parametrize("sensor", ["semantic_kitti", "nuscenes"])
def test_real_images_have_their_road_below_and_walls_above(sensor: str) -> None:
    scans = read_range_images(data_file("range_images_train.npz"), sensor)
    assert len(scans) == 16
    heights = [
        np.median(s.cloud.points[s.labels == s.label_set.index(name), 2])
        for name in ("road", "vegetation")
        for s in scans[:4]
        if (s.labels == s.label_set.index(name)).sum() > 100
    ]
    assert max(np.abs(heights[:4])) < 0.5
    assert max(heights[4:]) > 0.7
