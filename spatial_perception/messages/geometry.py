"""Poses, transforms and odometry: geometry_msgs, tf2_msgs/TFMessage and nav_msgs/Odometry."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point as PointMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as PoseMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__PoseWithCovariance as PoseWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Quaternion as QuaternionMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Transform as TransformMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__TransformStamped as TransformStampedMessage,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Twist as TwistMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__TwistWithCovariance as TwistWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3Message
from rosbags.typesys.stores.ros2_jazzy import nav_msgs__msg__Odometry as OdometryMessage
from rosbags.typesys.stores.ros2_jazzy import tf2_msgs__msg__TFMessage as TFMessage

from spatial_perception.core.odometry import Odometry
from spatial_perception.core.pose import Pose
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize


def decode_pose(message: PoseMessage) -> Pose:
    """Returns the core pose of a geometry_msgs/Pose.

    Raises:
        ValueError: The quaternion has no direction, or the position is not finite.
    """
    return Pose.from_quaternion(_quaternion(message.orientation), _vector(message.position))


def encode_pose(pose: Pose) -> PoseMessage:
    """Returns the geometry_msgs/Pose of a core pose."""
    x, y, z = map(float, pose.translation)
    return PoseMessage(position=PointMessage(x=x, y=y, z=z), orientation=_encode_rotation(pose))


def decode_transforms(data: bytes | memoryview) -> Transforms:
    """Returns the transforms in the bytes of a TFMessage (parent from child).

    Raises:
        DecodeError: No TFMessage, a quaternion without a direction or numbers not finite.
    """
    message = deserialize(data, TFMessage)
    return Transforms(tuple(map(_decode_transform, message.transforms)))


def _decode_transform(message: TransformStampedMessage) -> StampedTransform:
    header, child = decode_header(message.header), message.child_frame_id.lstrip("/")
    rotation, translation = message.transform.rotation, message.transform.translation
    try:
        pose = Pose.from_quaternion(_quaternion(rotation), _vector(translation))
    except ValueError as error:
        raise ValueError(f"transform from '{child}' to '{header.frame_id}': {error}") from error
    return StampedTransform(header, child, pose)


def encode_transforms(transforms: Transforms) -> bytes:
    """Returns a TFMessage of all transforms."""
    return serialize(
        TFMessage(
            transforms=[
                TransformStampedMessage(
                    header=encode_header(item.header),
                    child_frame_id=item.child_frame_id,
                    transform=TransformMessage(
                        translation=encode_vector(item.pose.translation),
                        rotation=_encode_rotation(item.pose),
                    ),
                )
                for item in transforms.transforms
            ]
        )
    )


def decode_odometry(data: bytes | memoryview) -> Odometry:
    """Returns the odometry in the bytes of a nav_msgs/Odometry, without its covariances.

    Velocities that a driver does not know (NaN) make no pose worthless; they stay as they are.

    Raises:
        DecodeError: No Odometry, a quaternion without a direction or a position not finite.
    """
    message = deserialize(data, OdometryMessage)
    return Odometry(
        header=decode_header(message.header),
        child_frame_id=message.child_frame_id.lstrip("/"),
        pose=decode_pose(message.pose.pose),
        linear_velocity=_numbers(message.twist.twist.linear),
        angular_velocity=_numbers(message.twist.twist.angular),
    )


def encode_odometry(odometry: Odometry) -> bytes:
    """Returns a nav_msgs/Odometry with zero (unknown) covariances."""
    twist = TwistMessage(
        linear=encode_vector(odometry.linear_velocity),
        angular=encode_vector(odometry.angular_velocity),
    )
    message = OdometryMessage(
        header=encode_header(odometry.header),
        child_frame_id=odometry.child_frame_id,
        pose=PoseWithCovariance(pose=encode_pose(odometry.pose), covariance=np.zeros(36)),
        twist=TwistWithCovariance(twist=twist, covariance=np.zeros(36)),
    )
    return serialize(message)


def encode_vector(vector: np.ndarray) -> Vector3Message:
    """Returns the geometry_msgs/Vector3 of (3,) numbers."""
    x, y, z = map(float, vector)
    return Vector3Message(x=x, y=y, z=z)


def _encode_rotation(pose: Pose) -> QuaternionMessage:
    x, y, z, w = map(float, pose.quat_xyzw)
    return QuaternionMessage(x=x, y=y, z=z, w=w)


def _quaternion(message: QuaternionMessage) -> np.ndarray:
    return np.array([message.x, message.y, message.z, message.w])


def _vector(message: PointMessage | Vector3Message) -> np.ndarray:
    vector = _numbers(message)
    if not np.isfinite(vector).all():
        raise ValueError(f"vector {vector.tolist()} is not finite")
    return vector


def _numbers(message: PointMessage | Vector3Message) -> np.ndarray:
    return np.array([message.x, message.y, message.z])


TRANSFORMS: Codec[Transforms] = make_codec(
    "tf2_msgs/msg/TFMessage", Transforms, decode_transforms, encode_transforms
)
ODOMETRY: Codec[Odometry] = make_codec(
    "nav_msgs/msg/Odometry", Odometry, decode_odometry, encode_odometry
)
