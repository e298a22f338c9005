"""The states cloud of tracks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spatial_perception.core.examples import example_point_cloud, example_tracks
from spatial_perception.errors import DecodeError
from spatial_perception.messages import POINT_CLOUD, TRACK_STATES
from spatial_perception.messages.point_fields import decode_columns

DOCUMENTED = "x y z yaw vx vy yaw_rate length width height id label"


def test_the_cloud_has_the_documented_fields_with_their_values() -> None:
    columns = decode_columns(TRACK_STATES.encode(example_tracks())).columns
    assert list(columns)[:12] == DOCUMENTED.split()
    second = {name: column[0, 1].item() for name, column in columns.items()}
    assert (second["x"], second["y"]) == (6.0, 4.0)
    assert second["vy"] == pytest.approx(-1.2)
    assert (second["length"], second["width"], second["height"]) == pytest.approx((0.7, 0.6, 1.8))
    assert (second["id"], second["label"]) == (12, 2)


def test_decode_returns_the_tracks() -> None:
    tracks = example_tracks()
    again = TRACK_STATES.decode(TRACK_STATES.encode(tracks))
    for name in ("centers_m", "sizes_lwh_m", "yaws_rad", "velocities_mps", "labels", "ids"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tracks, name))


def test_a_cloud_of_something_else_is_refused() -> None:
    with pytest.raises(DecodeError, match="field id, label is missing; fields there: x, y, z"):
        TRACK_STATES.decode(POINT_CLOUD.encode(example_point_cloud()))


def test_a_label_that_is_no_class_is_refused() -> None:
    tracks = example_tracks()
    other = dataclasses.replace(tracks, labels=np.full_like(tracks.labels, 4))
    with pytest.raises(DecodeError, match="label 4 is none of the 4 classes"):
        TRACK_STATES.decode(TRACK_STATES.encode(other))
