"""Where tracks have been."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.pose import Pose
from spatial_perception.visualization.trails import TrailHistory


def test_a_standing_object_stays_where_the_moving_vehicle_sees_it_now() -> None:
    history = TrailHistory()
    tracks = examples.example_tracks().detections().centers_m
    for step_m in (0.0, 2.0, 4.0):
        seen = dataclasses.replace(
            examples.example_tracks(), centers_m=tracks - np.float32([step_m, 0, 0])
        )
        trails = history.update(seen, Pose.from_yaw(0.0, np.array([step_m, 0.0, 0.0])))
    assert trails[7] == pytest.approx(np.tile([8.0, 1.0, 0.8], (3, 1)), abs=1e-5)


def test_a_moving_object_leaves_its_way_behind() -> None:
    history = TrailHistory()
    tracks = examples.example_tracks()
    history.update(tracks, Pose.identity())
    moved = dataclasses.replace(tracks, centers_m=tracks.centers_m + np.float32([1, 0, 0]))
    trails = history.update(moved, Pose.identity())
    assert trails[7][:, 0] == pytest.approx([12.0, 13.0])


def test_gone_tracks_are_forgotten_and_the_length_is_bounded() -> None:
    history = TrailHistory(length=4)
    tracks = examples.example_tracks()
    for _ in range(9):
        trails = history.update(tracks, Pose.identity())
    assert len(trails[12]) == 4
    one = dataclasses.replace(
        tracks,
        **{
            f.name: value[:1]
            for f in dataclasses.fields(tracks)
            if isinstance(value := getattr(tracks, f.name), np.ndarray)
        },
    )
    assert set(history.update(one, Pose.identity())) == {7}
