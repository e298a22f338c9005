"""Detections on the wire, against messages built by hand."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point as Point
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as Pose
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__PoseWithCovariance as Covariant
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Quaternion as Quaternion
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3

from spatial_perception.core import CAMERA_OBJECT_LABELS, OBJECT_LABELS, Detections2D, Detections3D
from spatial_perception.core.examples import (
    example_detections2d,
    example_detections3d,
    example_header,
    example_tracks,
)
from spatial_perception.errors import DecodeError
from spatial_perception.messages import DETECTIONS_2D, DETECTIONS_3D, TRACKS
from spatial_perception.messages.typestore import typestore
from spatial_perception.messages.vision_msgs import (
    BoundingBox2D,
    BoundingBox3D,
    Detection2D,
    Detection2DArray,
    Detection3D,
    Detection3DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    Point2D,
    Pose2D,
)

from .ros import ros_header, to_bytes


def hypotheses(**scores: float) -> list[ObjectHypothesisWithPose]:
    pose = Covariant(Pose(Point(0.0, 0.0, 0.0), Quaternion(0.0, 0.0, 0.0, 1.0)), np.zeros(36))
    return [
        ObjectHypothesisWithPose(ObjectHypothesis(name, score), pose)
        for name, score in scores.items()
    ]


def boxes_2d(*results: list[ObjectHypothesisWithPose], theta: float = 0.0) -> bytes:
    box = BoundingBox2D(Pose2D(Point2D(50.0, 40.0), theta), 20.0, 10.0)
    items = [Detection2D(ros_header(), result, box, "") for result in results]
    return to_bytes(Detection2DArray(ros_header("camera"), items))


def boxes_3d(quaternion: Quaternion, box_id: str = "") -> bytes:
    box = BoundingBox3D(Pose(Point(1.0, 2.0, 3.0), quaternion), Vector3(4.0, 2.0, 1.5))
    item = Detection3D(ros_header(), hypotheses(car=0.5), box, box_id)
    return to_bytes(Detection3DArray(ros_header(), [item]))


def test_a_2d_detection_has_the_published_wire_format() -> None:
    detections = Detections2D(
        example_header("c"),
        np.array([[10, 20, 30, 60]], np.float32),
        np.array([0.5], np.float32),
        np.array([1], np.int32),
        CAMERA_OBJECT_LABELS,
    )
    stamp = struct.pack("<iI", 1_700_000_000, 123_456_789)
    header = stamp + struct.pack("<I2s2x", 2, b"c\0")
    expected = b"\0\1\0\0" + header + struct.pack("<I", 1) + header
    expected += struct.pack("<II6s", 1, 6, b"truck\0")  # one result, its class_id
    expected += bytes(-(len(expected) - 4) % 8) + struct.pack("<d", 0.5)
    expected += struct.pack("<7d", 0, 0, 0, 0, 0, 0, 1) + bytes(36 * 8)
    expected += struct.pack("<5d", 20, 40, 0, 20, 40) + struct.pack("<I1s", 1, b"\0")
    assert DETECTIONS_2D.encode(detections) == expected


def test_2d_boxes_come_back_exactly() -> None:
    detections = example_detections2d()
    again = DETECTIONS_2D.decode(DETECTIONS_2D.encode(detections))
    np.testing.assert_array_equal(again.boxes_xyxy_px, detections.boxes_xyxy_px)
    np.testing.assert_array_equal(again.scores, detections.scores)
    np.testing.assert_array_equal(again.labels, detections.labels)
    assert again.header == detections.header
    assert again.label_set == CAMERA_OBJECT_LABELS


def test_the_best_hypothesis_counts() -> None:
    detections = DETECTIONS_2D.decode(boxes_2d(hypotheses(bus=0.2, person=0.7, car=0.1)))
    assert detections.label_set.name(int(detections.labels[0])) == "person"
    assert detections.scores[0] == pytest.approx(0.7)


def test_a_detection_without_hypothesis_is_unlabeled() -> None:
    detections = DETECTIONS_2D.decode(boxes_2d([], hypotheses(car=0.5)))
    assert [detections.label_set.name(int(label)) for label in detections.labels] == [
        "unlabeled",
        "car",
    ]


def test_a_rotated_2d_box_becomes_the_upright_one_around_it() -> None:
    detections = DETECTIONS_2D.decode(boxes_2d(hypotheses(car=1.0), theta=math.pi / 2))
    np.testing.assert_allclose(detections.boxes_xyxy_px, [[45, 30, 55, 50]], atol=1e-5)


def test_unknown_names_make_their_own_sorted_label_set() -> None:
    detections = DETECTIONS_2D.decode(boxes_2d(hypotheses(zebra=1.0), hypotheses(car=1.0)))
    assert detections.label_set.names == ("car", "zebra")
    np.testing.assert_array_equal(detections.labels, [1, 0])


@pytest.mark.parametrize("yaw", [-3.0, -1.5, 0.0, 0.3, 3.1])
def test_the_yaw_of_a_3d_box_is_that_of_its_quaternion(yaw: float) -> None:
    data = boxes_3d(Quaternion(0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)))
    boxes = DETECTIONS_3D.decode(data)
    assert boxes.yaws_rad[0] == pytest.approx(yaw, abs=1e-6)
    np.testing.assert_array_equal(boxes.centers_m, [[1, 2, 3]])
    np.testing.assert_array_equal(boxes.sizes_lwh_m, [[4, 2, 1.5]])
    assert boxes.label_set == OBJECT_LABELS


def test_an_all_zero_quaternion_means_straight_ahead() -> None:
    assert DETECTIONS_3D.decode(boxes_3d(Quaternion(0.0, 0.0, 0.0, 0.0))).yaws_rad[0] == 0.0


def test_every_3d_detection_carries_header_name_score_and_pose() -> None:
    detections = example_detections3d()
    data = DETECTIONS_3D.encode(detections)
    message = typestore().deserialize_cdr(data, "vision_msgs/msg/Detection3DArray")
    assert isinstance(message, Detection3DArray)
    first = message.detections[0]
    assert first.header.frame_id == message.header.frame_id == "base_link"
    assert first.header.stamp.nanosec == 123_456_789
    assert first.results[0].hypothesis.class_id == "car"
    assert first.results[0].hypothesis.score == pytest.approx(0.95)
    assert first.results[0].pose.pose == first.bbox.center
    assert first.bbox.center.orientation.z == pytest.approx(math.sin(0.05))


def test_no_detections_are_a_message_too() -> None:
    empty = Detections3D.empty(example_header(), OBJECT_LABELS)
    assert len(DETECTIONS_3D.decode(DETECTIONS_3D.encode(empty))) == 0


def test_tracks_keep_their_ids() -> None:
    tracks = example_tracks()
    again = TRACKS.decode(TRACKS.encode(tracks))
    np.testing.assert_array_equal(again.ids, tracks.ids)
    np.testing.assert_allclose(again.yaws_rad, tracks.yaws_rad, atol=1e-6)
    np.testing.assert_array_equal(again.velocities_mps, np.zeros((2, 2)))


def test_a_track_without_a_whole_number_as_id_is_refused() -> None:
    with pytest.raises(DecodeError, match="ids of tracks are whole numbers"):
        TRACKS.decode(boxes_3d(Quaternion(0.0, 0.0, 0.0, 1.0), box_id="car-a"))
