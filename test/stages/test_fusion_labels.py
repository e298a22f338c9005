"""The fusion stage weighs the classes of a scan's points, waits for them, and does without."""

import dataclasses

import numpy as np

from spatial_perception.core import Header, LabelledCloud, Pose, StampedTransform, Transforms
from spatial_perception.stages.camera_lidar_fusion import CameraLidarFusionStage
from test.pipelines.test_point_evidence import CAR, PERSON, labelled
from test.stages.test_camera_lidar_fusion import at, mounted, names, scan

VEGETATION = labelled(("vegetation", PERSON[2], 30))
SOMEBODY = labelled(("person", PERSON[2], 30))


def label(stage: CameraLidarFusionStage, time_ms: float, cloud: LabelledCloud):
    stamped = dataclasses.replace(cloud, cloud=at(cloud.cloud, time_ms))
    return list(stage.push("segmentation", stamped))


def test_a_bush_that_looks_like_a_person_loses_and_a_person_gains() -> None:
    scores = {}
    for name, cloud in (("bush", VEGETATION), ("person", SOMEBODY)):
        stage = mounted()
        label(stage, 0, cloud)
        ((_, fused),) = scan(stage, 0, PERSON)
        scores[name] = fused.scores[0]
    assert scores["bush"] < PERSON[1] < scores["person"]


def test_objects_wait_for_the_labels_of_their_scan() -> None:
    stage = mounted()
    label(stage, 0, SOMEBODY)
    assert names(scan(stage, 0, PERSON)) == ["fused"]
    assert scan(stage, 100, PERSON) == []
    ((_, fused),) = label(stage, 100, VEGETATION)
    assert fused.header.stamp_ns % 10**9 == 100_000_000
    assert fused.scores[0] < PERSON[1]


def test_labels_that_stay_away_hold_nothing_back_for_long() -> None:
    stage = mounted(max_wait_ms=200.0, lost_after_ms=500.0)
    label(stage, 0, SOMEBODY)
    released = [len(scan(stage, 100.0 * k, PERSON)) for k in range(10)]
    assert released[:3] == [1, 0, 0]
    assert released[-2:] == [1, 1], "the segmenter is silent: one scan in, one out"
    assert sum(released) == 10
    assert int(stage.status()["scans_without_labels"]) == 9


def test_labels_in_the_frame_of_the_sensor_are_brought_to_the_objects() -> None:
    stage = mounted()
    mount = StampedTransform(
        Header(0, "base_link"), "velodyne", Pose.from_yaw(0.3, np.array([0.4, 0.0, 1.7]))
    )
    stage.push("tf_static", Transforms((mount,)))
    label(stage, 0, SOMEBODY.transformed(mount.pose.inverse(), "velodyne"))
    ((_, fused),) = scan(stage, 0, PERSON)
    assert fused.scores[0] > PERSON[1]


def test_labels_of_an_unknown_place_are_counted_and_say_nothing() -> None:
    stage = mounted()
    label(stage, 0, SOMEBODY.transformed(Pose.identity(), "somewhere"))
    ((_, fused),) = scan(stage, 0, PERSON)
    assert fused.scores[0] == np.float32(PERSON[1])
    assert stage.status()["scans_without_labels"] == "1"


def test_switched_off_it_takes_no_labels_and_waits_for_none() -> None:
    stage = mounted(use_segmentation=False)
    assert "segmentation" not in [port.name for port in stage.inputs]
    assert [len(scan(stage, 100.0 * k, CAR)) for k in range(3)] == [1, 1, 1]
    assert "point_labels" not in stage.status()


def test_the_first_scan_waits_where_a_segmenter_of_the_graph_labels_every_one() -> None:
    stage = mounted()
    stage.is_fed, stage.is_lossless = (lambda port: port == "segmentation"), True
    assert scan(stage, 0, PERSON) == []
    ((_, fused),) = label(stage, 0, SOMEBODY)
    assert fused.scores[0] > PERSON[1]


def test_old_labels_are_forgotten() -> None:
    stage = mounted()
    label(stage, 0, VEGETATION)
    scan(stage, 0, PERSON)
    stage.reset()
    assert stage.status()["point_labels"] == "none yet"
    ((_, fused),) = scan(stage, 0, PERSON)
    assert fused.scores[0] == np.float32(PERSON[1])
