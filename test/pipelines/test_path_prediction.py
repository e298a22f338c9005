"""Predicted ways follow from speed and yaw rate."""

import dataclasses

import numpy as np

from spatial_perception.core.examples import example_tracks
from spatial_perception.pipelines.path_prediction import predict_paths


def test_straight_way_is_velocity_times_time() -> None:
    tracks = example_tracks()
    found = predict_paths(tracks, 2.0, 0.5)
    assert found.poses.shape == (2, 2, 5, 4)
    expected = tracks.centers_m[0, :2] + 2.0 * tracks.velocities_mps[0]
    assert np.allclose(found.poses[0, 0, -1, :2], expected, atol=1e-4)


def test_turning_way_is_an_arc_of_radius_speed_over_rate() -> None:
    tracks = dataclasses.replace(
        example_tracks(),
        yaws_rad=np.zeros(2, np.float32),
        velocities_mps=np.array([[5.0, 0.0], [1.0, 0.0]], np.float32),
        yaw_rates_radps=np.array([0.5, 0.0], np.float32),
    )
    found = predict_paths(tracks, 2.0, 0.05)
    radius_m, turned_rad = 10.0, 1.0
    expected = [radius_m * np.sin(turned_rad), radius_m * (1 - np.cos(turned_rad))]
    moved = found.poses[0, 1, -1, :2] - tracks.centers_m[0, :2]
    assert np.allclose(moved, expected, atol=0.02)
    assert found.confidences[0, 1] > 0.8 > found.confidences[1, 1] == 0.0


def test_nothing_turns_more_than_a_quarter() -> None:
    tracks = dataclasses.replace(
        example_tracks(), yaw_rates_radps=np.array([1.0, -1.0], np.float32)
    )
    turned = predict_paths(tracks, 6.0, 0.5).poses[:, 1, -1, 3] - tracks.yaws_rad
    assert np.allclose(turned, [np.pi / 2, -np.pi / 2], atol=1e-5)
