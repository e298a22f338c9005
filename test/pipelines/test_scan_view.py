"""Points as a grid sees them from the sensor, against transforms of poses."""

import numpy as np

from spatial_perception.core import Pose
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.scan_view import ScanView


def test_points_are_turned_about_the_sensor_and_keep_their_height() -> None:
    rng = np.random.default_rng(0)
    pose = Pose.from_rpy(np.array([0.02, -0.05, 2.0]), np.array([300.0, -70.0, 4.0]))
    view = ScanView(pose, np.array([1.2, 0.3, 1.8]))
    points = rng.uniform(-50.0, 50.0, (100, 3)).astype(np.float32)
    x, y, z = view.turned(points)
    expected = pose.apply(points.astype(np.float64))[:, :2] - view.sensor_m
    np.testing.assert_allclose(np.stack([x, y], axis=1), expected, atol=1e-4)
    np.testing.assert_array_equal(z, points[:, 2])
    assert view.turned(points[:0]).shape == (3, 0)


def test_no_point_over_the_vehicle_is_farther_than_it_reaches() -> None:
    ego, place_m = EgoBox(ahead_m=1.4), np.array([2.0, -0.4])
    points = np.random.default_rng(1).uniform(-8.0, 8.0, (5000, 2))
    farthest_m = np.linalg.norm(points[ego.holds(points)] - place_m, axis=1).max()
    assert farthest_m < ego.reach_m(place_m) < farthest_m + 0.3
