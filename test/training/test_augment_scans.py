"""Random changes of scans: points, boxes and look-ups of voxels must agree with one another."""

import numpy as np
import pytest

from spatial_perception.core.boxes import box_corners, points_in_boxes
from spatial_perception.training.augment_scans import PlaneMap, ScanAugmentation

BOXES = np.array([[10, 3, 1, 4, 2, 1.5, 0.4], [-6, -8, 1, 8, 2.5, 3, -2.0]], np.float32)
MAPS = [PlaneMap(0.7, 1.0, 1.1, 0.3), PlaneMap(-2.5, -1.0, 0.9, -0.2)]


@pytest.mark.parametrize("mapped", MAPS)
def test_points_stay_in_their_boxes(mapped: PlaneMap) -> None:
    points = np.random.default_rng(0).uniform([-12, -12, 0], [14, 8, 3], (5000, 3))
    before = points_in_boxes(points, BOXES)
    after = points_in_boxes(mapped.points(points), mapped.boxes(BOXES))
    assert before.sum() > 50
    assert (before != after).mean() < 1e-3  # rounding at the faces


@pytest.mark.parametrize("mapped", MAPS)
def test_the_front_of_a_box_goes_where_its_points_go(mapped: PlaneMap) -> None:
    front = box_corners(BOXES)[:, [0, 3]].mean(axis=1)
    ahead = mapped.points(front)[:, :2] - mapped.boxes(BOXES)[:, :2]
    yaw = mapped.boxes(BOXES)[:, 6]
    along = ahead[:, 0] * np.cos(yaw) + ahead[:, 1] * np.sin(yaw)
    np.testing.assert_allclose(along, 0.5 * BOXES[:, 3] * mapped.scale, rtol=1e-4)


@pytest.mark.parametrize("mapped", MAPS)
def test_before_undoes_the_map(mapped: PlaneMap) -> None:
    points = np.random.default_rng(1).normal(0, 20, (50, 3)).astype(np.float32)
    np.testing.assert_allclose(mapped.before(mapped.points(points)), points, atol=1e-4)


def test_lost_points_are_as_many_as_asked_for() -> None:
    points = np.random.default_rng(2).normal(0, 20, (20_000, 3)).astype(np.float32)
    lossy = ScanAugmentation(drop_points=0.5, drop_rings=0.0)
    shares = [lossy.kept(points, np.random.default_rng(seed)).mean() for seed in range(40)]
    assert min(shares) > 0.48
    assert np.mean(shares) == pytest.approx(0.75, abs=0.06)
    whole = ScanAugmentation(drop_points=0.0, drop_rings=0.0)
    assert whole.kept(points, np.random.default_rng(0)).all()


def test_dropped_bands_leave_gaps_in_elevation_not_in_azimuth() -> None:
    rng = np.random.default_rng(3)
    azimuth = rng.uniform(-np.pi, np.pi, 40_000)
    elevation = rng.uniform(np.deg2rad(-20), 0, 40_000)
    points = 20 * np.column_stack(
        [np.cos(azimuth), np.sin(azimuth), np.tan(elevation) + 1.7 / 20]
    ).astype(np.float32)
    kept = ScanAugmentation(drop_points=0.0, drop_rings=1.0).kept(points, np.random.default_rng(1))
    assert 0.2 < kept.mean() < 0.8
    by_azimuth = np.histogram(azimuth[kept], 20)[0] / np.histogram(azimuth, 20)[0]
    by_elevation = np.histogram(elevation[kept], 200)[0] / np.histogram(elevation, 200)[0]
    assert by_azimuth.std() < 0.05
    assert by_elevation.std() > 0.2


def test_something_is_left_of_a_sparse_sensor() -> None:
    azimuth = np.linspace(-np.pi, np.pi, 200)
    ring = np.column_stack([10 * np.cos(azimuth), 10 * np.sin(azimuth), 0 * azimuth])
    augmentation = ScanAugmentation(drop_points=0.0, drop_rings=1.0)
    for seed in range(40):
        assert augmentation.kept(ring.astype(np.float32), np.random.default_rng(seed)).any()


def test_something_is_left_of_a_scan_of_few_points() -> None:
    few = np.ones((2, 3), np.float32)
    lossy = ScanAugmentation(drop_points=0.99, drop_rings=0.0)
    assert all(lossy.kept(few, np.random.default_rng(seed)).any() for seed in range(50))


def test_the_same_generator_draws_the_same_change() -> None:
    one, two = (ScanAugmentation().map(np.random.default_rng(5)) for _ in range(2))
    assert (one.yaw_rad, one.mirror, one.scale) == (two.yaw_rad, two.mirror, two.scale)
