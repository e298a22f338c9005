"""What counts in a drive: neutral truths, ranges, classes and velocities."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import OBJECT_LABELS, Header, Tracks
from spatial_perception.evaluation.drives import (
    DriveFrame,
    count_drive,
    drive_metrics,
    points_on_boxes,
)


def objects(
    xs: list[float], ids: list[int], kinds: list[str] | None = None, speed: float = 4.0
) -> Tracks:
    count = len(xs)
    kinds = kinds or ["car"] * count
    return Tracks(
        Header(1, "base_link"),
        np.array([[x, 0.0, 0.8] for x in xs], np.float32).reshape(-1, 3),
        np.tile(np.array([[4.2, 1.8, 1.6]], np.float32), (count, 1)),
        np.zeros(count, np.float32),
        np.tile(np.array([[speed, 0.0]], np.float32), (count, 1)),
        np.zeros(count, np.float32),
        np.ones(count, np.float32),
        np.array([OBJECT_LABELS.index(k) for k in kinds], np.int32),
        np.array(ids, np.int64),
        OBJECT_LABELS,
    )


def counts(truth: Tracks, points: list[int], tracks: Tracks):
    return count_drive([DriveFrame(truth, np.array(points, np.int64), tracks)])["car"]


def test_a_track_within_two_metres_is_a_hit_and_a_farther_one_is_not() -> None:
    found = counts(objects([10.0, 30.0], [1, 2]), [9, 9], objects([11.9, 32.1], [7, 8]))
    assert (found.hits, found.misses, found.false_alarms) == (1, 1, 1)


def test_truth_with_few_points_is_neutral_and_so_is_the_track_on_it() -> None:
    found = counts(objects([10.0], [1]), [4], objects([10.0], [7]))
    assert (found.hits, found.misses, found.false_alarms) == (0, 0, 0)


def test_what_lies_beyond_the_range_is_neutral() -> None:
    found = counts(objects([10.0, 60.0], [1, 2]), [9, 9], objects([10.0, 60.0, 70.0], [7, 8, 9]))
    assert (found.hits, found.misses, found.false_alarms) == (1, 0, 0)


def test_a_track_of_another_class_is_a_miss_and_a_false_alarm() -> None:
    truth, tracks = objects([10.0], [1]), objects([10.0], [7], ["truck"])
    by_class = count_drive([DriveFrame(truth, np.array([9]), tracks)])
    assert (by_class["car"].misses, by_class["truck"].false_alarms) == (1, 1)


def test_velocity_counts_while_moving() -> None:
    tracks = dataclasses.replace(
        objects([10.0], [7]), velocities_mps=np.array([[4.3, 0.4]], np.float32)
    )
    found = counts(objects([10.0], [1]), [9], tracks)
    assert found.metrics()["velocity_rmse_mps"] == pytest.approx(0.5)
    still = counts(objects([10.0], [1], speed=0.2), [9], tracks)
    assert "velocity_rmse_mps" not in still.metrics()


def test_metrics_are_named_by_class_and_for_all() -> None:
    truth = objects([10.0, 20.0], [1, 2], ["car", "pedestrian"])
    drive = count_drive([DriveFrame(truth, np.array([9, 9]), objects([10.0], [7]))])
    metrics = drive_metrics([drive], np.array([1]))
    assert metrics["car_mota"] == 100.0
    assert metrics["pedestrian_mota"] == 0.0
    assert metrics["mota"] == 50.0
    assert "truck_mota" not in metrics


def test_points_on_boxes_are_counted_in_turned_boxes() -> None:
    box = np.array([[5.0, 5.0, 1.0, 4.0, 2.0, 2.0, np.pi / 4]])
    points = np.array([[6.2, 6.2, 1.0], [6.2, 3.8, 1.0], [5.0, 5.0, 1.9]], np.float32)
    assert points_on_boxes(points, box).tolist() == [2]
