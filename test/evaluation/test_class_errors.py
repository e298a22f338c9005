"""Classes are right or wrong of what LiDAR and camera both see, counted by hand."""

import numpy as np

from spatial_perception.core import CAMERA_OBJECT_LABELS, Detections3D, Tracks
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.evaluation.class_errors import (
    ScanAnswers,
    class_error_metrics,
    count_class_errors,
)
from spatial_perception.evaluation.drives import DriveFrame
from test.evaluation.test_drives import objects

CAR, WALKER, RIDER = "car", "pedestrian", "cyclist"
XS = [10.0, 20.0, 30.0]


def seen(boxes: Detections3D, which: list[int]) -> CameraObjects:
    """A camera that was paired with some boxes, and has one more box of which it knows no place."""
    nowhere = np.full((1, 3), np.nan, np.float32)
    positions = np.concatenate([boxes.centers_m[which], nowhere])
    count = len(positions)
    one = np.ones(count, np.float32)
    labels = np.full(count, CAMERA_OBJECT_LABELS.index("person"), np.int32)
    return CameraObjects(boxes.header, positions, one, one, one, one, labels, CAMERA_OBJECT_LABELS)


def errors(
    truth: Tracks,
    lidar: Tracks,
    fused: Tracks,
    tracks: Tracks,
    which: list[int],
    points: int = 9,
) -> list[list[int]]:
    boxes = lidar.detections()
    answer = ScanAnswers(boxes, fused.detections(), [seen(boxes, which)])
    frame = DriveFrame(truth, np.full(len(truth), points), tracks)
    return count_class_errors([frame], {truth.header.stamp_ns: answer}).tolist()


TRUTH = objects(XS, [1, 2, 3], [CAR, RIDER, RIDER])
LIDAR = objects([10.3, 20.2, 30.1], [0, 0, 0], [CAR, WALKER, WALKER])
FUSED = objects([10.3, 20.2, 30.1, 40.0], [0] * 4, [CAR, RIDER, WALKER, WALKER])
TRACKS = objects([10.4, 21.0], [1, 2], [CAR, RIDER])


def test_each_stage_counts_its_own_wrong_classes() -> None:
    assert errors(TRUTH, LIDAR, FUSED, TRACKS, [0, 1, 2]) == [[3, 2], [3, 1], [2, 0]]


def test_what_no_camera_box_was_paired_with_does_not_count() -> None:
    assert errors(TRUTH, LIDAR, FUSED, TRACKS, [0, 1]) == [[2, 1], [2, 0], [2, 0]]
    assert errors(TRUTH, LIDAR, FUSED, TRACKS, []) == [[0, 0], [0, 0], [0, 0]]


def test_boxes_beside_an_object_are_not_its_own() -> None:
    parked = objects([10.3, 21.1, 30.1], [0, 0, 0], [CAR, CAR, WALKER])
    assert errors(TRUTH, parked, parked, TRACKS, [0, 1, 2])[0] == [2, 1]


def test_truth_with_few_points_does_not_count() -> None:
    assert errors(TRUTH, LIDAR, FUSED, TRACKS, [0, 1, 2], points=4) == [[0, 0], [0, 0], [0, 0]]


def test_scans_without_answers_are_left_out() -> None:
    frame = DriveFrame(TRUTH, np.full(3, 9), TRACKS)
    assert count_class_errors([frame], {}).sum() == 0


def test_metrics_are_percentages_of_those_who_answered() -> None:
    found = class_error_metrics(np.array([[40, 2], [40, 1], [0, 0]]))
    assert found == {"class_errors_lidar": 5.0, "class_errors_fused": 2.5}
