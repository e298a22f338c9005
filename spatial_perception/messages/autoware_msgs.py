"""The messages of autoware_perception_msgs 1.x in use, for Autoware's planners.

Field order and types decide the wire format and the type hash; they are those of the published
definitions. The classes have the shape rosbags gives message classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rosbags.typesys.stores.ros2_jazzy import (
        builtin_interfaces__msg__Duration as Duration,
    )
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__AccelWithCovariance as AccelWithCovariance,
    )
    from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Polygon as Polygon
    from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as PoseMessage
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__PoseWithCovariance as PoseWithCovariance,
    )
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__TwistWithCovariance as TwistWithCovariance,
    )
    from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3
    from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Header as HeaderMessage
    from rosbags.typesys.stores.ros2_jazzy import unique_identifier_msgs__msg__UUID as Uuid

PACKAGE = "autoware_perception_msgs/msg"
_KINDS = "uint8 UNAVAILABLE=0\nuint8 SIGN_UNKNOWN=1\nuint8 AVAILABLE=2\n"

AUTOWARE_DEFINITIONS: dict[str, str] = {
    f"{PACKAGE}/ObjectClassification": (
        "uint8 UNKNOWN=0\nuint8 CAR=1\nuint8 TRUCK=2\nuint8 BUS=3\nuint8 TRAILER=4\n"
        "uint8 MOTORCYCLE=5\nuint8 BICYCLE=6\nuint8 PEDESTRIAN=7\nuint8 ANIMAL=8\n"
        "uint8 HAZARD=9\nuint8 OVER_DRIVABLE=10\nuint8 UNDER_DRIVABLE=11\n"
        "uint8 label\nfloat32 probability\n"
    ),
    f"{PACKAGE}/Shape": (
        "uint8 BOUNDING_BOX=0\nuint8 CYLINDER=1\nuint8 POLYGON=2\nuint8 type\n"
        "geometry_msgs/Polygon footprint\ngeometry_msgs/Vector3 dimensions\n"
    ),
    f"{PACKAGE}/DetectedObjectKinematics": (
        f"{_KINDS}geometry_msgs/PoseWithCovariance pose_with_covariance\n"
        "bool has_position_covariance\nuint8 orientation_availability\n"
        "geometry_msgs/TwistWithCovariance twist_with_covariance\n"
        "bool has_twist\nbool has_twist_covariance\n"
    ),
    f"{PACKAGE}/DetectedObject": (
        "float32 existence_probability\nObjectClassification[] classification\n"
        "DetectedObjectKinematics kinematics\nShape shape\n"
    ),
    f"{PACKAGE}/DetectedObjects": "std_msgs/Header header\nDetectedObject[] objects\n",
    f"{PACKAGE}/TrackedObjectKinematics": (
        f"{_KINDS}geometry_msgs/PoseWithCovariance pose_with_covariance\n"
        "geometry_msgs/TwistWithCovariance twist_with_covariance\n"
        "geometry_msgs/AccelWithCovariance acceleration_with_covariance\n"
        "uint8 orientation_availability\nbool is_stationary\n"
    ),
    f"{PACKAGE}/TrackedObject": (
        "unique_identifier_msgs/UUID object_id\nfloat32 existence_probability\n"
        "ObjectClassification[] classification\nTrackedObjectKinematics kinematics\nShape shape\n"
    ),
    f"{PACKAGE}/TrackedObjects": "std_msgs/Header header\nTrackedObject[] objects\n",
    f"{PACKAGE}/PredictedPath": (
        "geometry_msgs/Pose[] path\nbuiltin_interfaces/Duration time_step\nfloat32 confidence\n"
    ),
    f"{PACKAGE}/PredictedObjectKinematics": (
        "geometry_msgs/PoseWithCovariance initial_pose_with_covariance\n"
        "geometry_msgs/TwistWithCovariance initial_twist_with_covariance\n"
        "geometry_msgs/AccelWithCovariance initial_acceleration_with_covariance\n"
        "PredictedPath[] predicted_paths\n"
    ),
    f"{PACKAGE}/PredictedObject": (
        "unique_identifier_msgs/UUID object_id\nfloat32 existence_probability\n"
        "ObjectClassification[] classification\nPredictedObjectKinematics kinematics\n"
        "Shape shape\n"
    ),
    f"{PACKAGE}/PredictedObjects": "std_msgs/Header header\nPredictedObject[] objects\n",
}
"""Definitions by type name."""


@dataclass
class ObjectClassification:
    """autoware_perception_msgs/msg/ObjectClassification."""

    label: int
    probability: float
    UNKNOWN: ClassVar[int] = 0
    CAR: ClassVar[int] = 1
    TRUCK: ClassVar[int] = 2
    BUS: ClassVar[int] = 3
    TRAILER: ClassVar[int] = 4
    MOTORCYCLE: ClassVar[int] = 5
    BICYCLE: ClassVar[int] = 6
    PEDESTRIAN: ClassVar[int] = 7
    __msgtype__: ClassVar[str] = f"{PACKAGE}/ObjectClassification"


@dataclass
class Shape:
    """autoware_perception_msgs/msg/Shape."""

    type: int
    footprint: Polygon
    dimensions: Vector3
    BOUNDING_BOX: ClassVar[int] = 0
    CYLINDER: ClassVar[int] = 1
    __msgtype__: ClassVar[str] = f"{PACKAGE}/Shape"


@dataclass
class DetectedObjectKinematics:
    """autoware_perception_msgs/msg/DetectedObjectKinematics."""

    pose_with_covariance: PoseWithCovariance
    has_position_covariance: bool
    orientation_availability: int
    twist_with_covariance: TwistWithCovariance
    has_twist: bool
    has_twist_covariance: bool
    SIGN_UNKNOWN: ClassVar[int] = 1
    AVAILABLE: ClassVar[int] = 2
    __msgtype__: ClassVar[str] = f"{PACKAGE}/DetectedObjectKinematics"


@dataclass
class DetectedObject:
    """autoware_perception_msgs/msg/DetectedObject."""

    existence_probability: float
    classification: list[ObjectClassification]
    kinematics: DetectedObjectKinematics
    shape: Shape
    __msgtype__: ClassVar[str] = f"{PACKAGE}/DetectedObject"


@dataclass
class DetectedObjects:
    """autoware_perception_msgs/msg/DetectedObjects."""

    header: HeaderMessage
    objects: list[DetectedObject]
    __msgtype__: ClassVar[str] = f"{PACKAGE}/DetectedObjects"


@dataclass
class TrackedObjectKinematics:
    """autoware_perception_msgs/msg/TrackedObjectKinematics."""

    pose_with_covariance: PoseWithCovariance
    twist_with_covariance: TwistWithCovariance
    acceleration_with_covariance: AccelWithCovariance
    orientation_availability: int
    is_stationary: bool
    UNAVAILABLE: ClassVar[int] = 0
    AVAILABLE: ClassVar[int] = 2
    __msgtype__: ClassVar[str] = f"{PACKAGE}/TrackedObjectKinematics"


@dataclass
class TrackedObject:
    """autoware_perception_msgs/msg/TrackedObject."""

    object_id: Uuid
    existence_probability: float
    classification: list[ObjectClassification]
    kinematics: TrackedObjectKinematics
    shape: Shape
    __msgtype__: ClassVar[str] = f"{PACKAGE}/TrackedObject"


@dataclass
class TrackedObjects:
    """autoware_perception_msgs/msg/TrackedObjects."""

    header: HeaderMessage
    objects: list[TrackedObject]
    __msgtype__: ClassVar[str] = f"{PACKAGE}/TrackedObjects"


@dataclass
class PredictedPath:
    """autoware_perception_msgs/msg/PredictedPath."""

    path: list[PoseMessage]
    time_step: Duration
    confidence: float
    __msgtype__: ClassVar[str] = f"{PACKAGE}/PredictedPath"


@dataclass
class PredictedObjectKinematics:
    """autoware_perception_msgs/msg/PredictedObjectKinematics."""

    initial_pose_with_covariance: PoseWithCovariance
    initial_twist_with_covariance: TwistWithCovariance
    initial_acceleration_with_covariance: AccelWithCovariance
    predicted_paths: list[PredictedPath]
    __msgtype__: ClassVar[str] = f"{PACKAGE}/PredictedObjectKinematics"


@dataclass
class PredictedObject:
    """autoware_perception_msgs/msg/PredictedObject."""

    object_id: Uuid
    existence_probability: float
    classification: list[ObjectClassification]
    kinematics: PredictedObjectKinematics
    shape: Shape
    __msgtype__: ClassVar[str] = f"{PACKAGE}/PredictedObject"


@dataclass
class PredictedObjects:
    """autoware_perception_msgs/msg/PredictedObjects."""

    header: HeaderMessage
    objects: list[PredictedObject]
    __msgtype__: ClassVar[str] = f"{PACKAGE}/PredictedObjects"


AUTOWARE_CLASSES = (
    ObjectClassification,
    Shape,
    DetectedObjectKinematics,
    DetectedObject,
    DetectedObjects,
    TrackedObjectKinematics,
    TrackedObject,
    TrackedObjects,
    PredictedPath,
    PredictedObjectKinematics,
    PredictedObject,
    PredictedObjects,
)
