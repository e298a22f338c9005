"""Transforms and odometry against messages built by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Quaternion as Quaternion
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Transform as Transform
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__TransformStamped as Stamped
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3
from rosbags.typesys.stores.ros2_jazzy import tf2_msgs__msg__TFMessage as TFMessage

from spatial_perception.core import Pose
from spatial_perception.core.examples import example_odometry, example_transforms
from spatial_perception.errors import DecodeError
from spatial_perception.messages import ODOMETRY, TRANSFORMS

from .ros import ros_header, to_bytes

QUARTER_TURN = Quaternion(0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))


def tf_bytes(rotation: Quaternion, x: float = 1.0, child: str = "velodyne") -> bytes:
    transform = Transform(Vector3(x, 2.0, 3.0), rotation)
    return to_bytes(TFMessage([Stamped(ros_header("base_link"), child, transform)]))


def test_a_transform_is_parent_from_child() -> None:
    (item,) = TRANSFORMS.decode(tf_bytes(QUARTER_TURN)).transforms
    assert (item.header.frame_id, item.child_frame_id) == ("base_link", "velodyne")
    moved = item.pose.apply(np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(moved, [[1.0, 3.0, 3.0]], atol=1e-12)


def test_leading_slashes_of_frames_are_dropped_as_tf2_does() -> None:
    (item,) = TRANSFORMS.decode(tf_bytes(QUARTER_TURN, child="/velodyne")).transforms
    assert item.child_frame_id == "velodyne"


@pytest.mark.parametrize(
    ("rotation", "x"), [(Quaternion(0.0, 0.0, 0.0, 0.0), 1.0), (QUARTER_TURN, math.nan)]
)
def test_transforms_without_a_meaning_are_refused(rotation: Quaternion, x: float) -> None:
    said = "'velodyne' to 'base_link': .*(no direction|not finite)"
    with pytest.raises(DecodeError, match=said):
        TRANSFORMS.decode(tf_bytes(rotation, x))


def test_transforms_come_back_within_rounding() -> None:
    transforms = example_transforms()
    (again,) = TRANSFORMS.decode(TRANSFORMS.encode(transforms)).transforms
    (item,) = transforms.transforms
    assert again.header == item.header
    np.testing.assert_allclose(again.pose.rotation, item.pose.rotation, atol=1e-12)
    np.testing.assert_array_equal(again.pose.translation, item.pose.translation)


def test_odometry_keeps_pose_and_velocities() -> None:
    odometry = example_odometry()
    again = ODOMETRY.decode(ODOMETRY.encode(odometry))
    assert again.child_frame_id == "base_link"
    assert again.pose.yaw_rad == pytest.approx(0.3)
    np.testing.assert_array_equal(again.linear_velocity, [10.0, 0.0, 0.0])
    np.testing.assert_array_equal(again.angular_velocity, [0.0, 0.0, 0.1])


def test_velocities_that_a_driver_does_not_know_make_no_pose_worthless() -> None:
    odometry = example_odometry()
    unknown = dataclasses.replace(odometry, linear_velocity=np.array([10.0, np.nan, np.nan]))
    again = ODOMETRY.decode(ODOMETRY.encode(unknown))
    np.testing.assert_array_equal(again.pose.translation, odometry.pose.translation)
    np.testing.assert_array_equal(again.linear_velocity, [10.0, np.nan, np.nan])


def test_an_odometry_without_a_position_is_refused() -> None:
    odometry = example_odometry()
    nowhere = Pose(odometry.pose.rotation, np.array([np.nan, 0.0, 0.0]))
    with pytest.raises(DecodeError, match="not finite"):
        ODOMETRY.decode(ODOMETRY.encode(dataclasses.replace(odometry, pose=nowhere)))
