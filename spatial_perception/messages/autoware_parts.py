"""Parts of Autoware's objects: classes, shapes, poses, twists and ids."""

from __future__ import annotations

from math import cos, sin

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Accel as AccelMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__AccelWithCovariance as AccelWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point as PointMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Polygon as Polygon
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as PoseMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__PoseWithCovariance as PoseWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Quaternion as QuaternionMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Twist as TwistMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__TwistWithCovariance as TwistWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3Message
from rosbags.typesys.stores.ros2_jazzy import unique_identifier_msgs__msg__UUID as Uuid

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import OBJECT_LABELS, UNLABELED, LabelSet
from spatial_perception.messages.autoware_msgs import (
    DetectedObject,
    ObjectClassification,
    PredictedObject,
    Shape,
    TrackedObject,
)
from spatial_perception.messages.covariance import encode_plane

_NUMBERS = {
    "car": ObjectClassification.CAR,
    "truck": ObjectClassification.TRUCK,
    "bus": ObjectClassification.BUS,
    "trailer": ObjectClassification.TRAILER,
    "motorcycle": ObjectClassification.MOTORCYCLE,
    "bicycle": ObjectClassification.BICYCLE,
    "cyclist": ObjectClassification.BICYCLE,
    "pedestrian": ObjectClassification.PEDESTRIAN,
    "person": ObjectClassification.PEDESTRIAN,
}
_NAMES = {1: "car", 2: "truck", 3: "truck", 4: "truck", 5: "cyclist", 6: "cyclist", 7: "pedestrian"}


def classification(boxes: Detections3D, index: int) -> list[ObjectClassification]:
    """Returns the class of a box, under Autoware's number."""
    return [ObjectClassification(_number(boxes.label_set, int(boxes.labels[index])), 1.0)]


def shape(boxes: Detections3D, index: int) -> Shape:
    """Returns a box; people are cylinders."""
    length, width, height = (float(value) for value in boxes.sizes_lwh_m[index])
    kind = Shape.BOUNDING_BOX
    if _number(boxes.label_set, int(boxes.labels[index])) == ObjectClassification.PEDESTRIAN:
        kind, length = Shape.CYLINDER, max(length, width)
        width = length
    return Shape(kind, Polygon(points=[]), Vector3Message(x=length, y=width, z=height))


def pose(
    boxes: Detections3D, index: int, covariance: np.ndarray | None = None
) -> PoseWithCovariance:
    """Returns where a box is, with the (3, 3) covariance of x, y and yaw."""
    x, y, z = (float(value) for value in boxes.centers_m[index])
    return PoseWithCovariance(
        pose=upright(x, y, z, float(boxes.yaws_rad[index])), covariance=encode_plane(covariance)
    )


def upright(x: float, y: float, z: float, yaw_rad: float) -> PoseMessage:
    """Returns a pose that is turned about z alone."""
    orientation = QuaternionMessage(x=0.0, y=0.0, z=sin(yaw_rad / 2), w=cos(yaw_rad / 2))
    return PoseMessage(position=PointMessage(x=x, y=y, z=z), orientation=orientation)


def twist(motion: np.ndarray, covariance: np.ndarray | None = None) -> TwistWithCovariance:
    """Returns a motion in the object's own axes.

    Args:
        motion: (3,) forward and leftward speed, yaw rate.
        covariance: (3, 3) of them.
    """
    forward, left, yaw_rate = map(float, motion)
    message = TwistMessage(
        linear=Vector3Message(x=forward, y=left, z=0.0),
        angular=Vector3Message(x=0.0, y=0.0, z=yaw_rate),
    )
    return TwistWithCovariance(twist=message, covariance=encode_plane(covariance))


def no_acceleration() -> AccelWithCovariance:
    """Returns zeros: accelerations are not estimated."""
    nothing = Vector3Message(x=0.0, y=0.0, z=0.0)
    return AccelWithCovariance(
        accel=AccelMessage(linear=nothing, angular=nothing), covariance=np.zeros(36)
    )


def uuid(track_id: int) -> Uuid:
    """Returns the id in the last eight bytes, so that equal ids give equal messages."""
    data = np.frombuffer(bytes(8) + track_id.to_bytes(8, "big"), np.uint8)
    return Uuid(uuid=data)


def position_of(message: PoseMessage) -> tuple[float, float, float]:
    """Returns x, y and z."""
    return message.position.x, message.position.y, message.position.z


def yaw_of(message: PoseMessage) -> float:
    """Returns the heading, radians."""
    q = message.orientation
    return float(np.arctan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z)))


def box_arrays(
    objects: list[DetectedObject] | list[TrackedObject] | list[PredictedObject],
    poses: list[PoseMessage],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns centres, sizes, yaws, scores and labels in the suite's classes."""
    sizes = [(o.shape.dimensions.x, o.shape.dimensions.y, o.shape.dimensions.z) for o in objects]
    best = [max(o.classification, key=lambda c: c.probability, default=None) for o in objects]
    names = [_NAMES.get(one.label) if one else None for one in best]
    labels = [UNLABELED if name is None else OBJECT_LABELS.index(name) for name in names]
    return (
        np.array([position_of(message) for message in poses], np.float32).reshape(-1, 3),
        np.array(sizes, np.float32).reshape(-1, 3),
        np.array([yaw_of(message) for message in poses], np.float32),
        np.array([o.existence_probability for o in objects], np.float32),
        np.array(labels, np.int32),
    )


def _number(labels: LabelSet, label: int) -> int:
    return _NUMBERS.get(labels.name(label), ObjectClassification.UNKNOWN)
