"""The messages of ros-perception/vision_msgs 4.1 (branch ros2) in use.

Field order and types decide the wire format and the type hash; they are those of the published
definitions. The classes have the shape rosbags gives message classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__Pose as PoseMessage,
    )
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__PoseWithCovariance as PoseWithCovariance,
    )
    from rosbags.typesys.stores.ros2_jazzy import (
        geometry_msgs__msg__Vector3 as Vector3,
    )
    from rosbags.typesys.stores.ros2_jazzy import (
        std_msgs__msg__Header as HeaderMessage,
    )

VISION_DEFINITIONS: dict[str, str] = {
    "vision_msgs/msg/Point2D": "float64 x\nfloat64 y\n",
    "vision_msgs/msg/Pose2D": "vision_msgs/Point2D position\nfloat64 theta\n",
    "vision_msgs/msg/BoundingBox2D": (
        "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y\n"
    ),
    "vision_msgs/msg/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size\n",
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score\n",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose\n"
    ),
    "vision_msgs/msg/Detection2D": (
        "std_msgs/Header header\nObjectHypothesisWithPose[] results\n"
        "BoundingBox2D bbox\nstring id\n"
    ),
    "vision_msgs/msg/Detection2DArray": "std_msgs/Header header\nDetection2D[] detections\n",
    "vision_msgs/msg/Detection3D": (
        "std_msgs/Header header\nObjectHypothesisWithPose[] results\n"
        "BoundingBox3D bbox\nstring id\n"
    ),
    "vision_msgs/msg/Detection3DArray": "std_msgs/Header header\nDetection3D[] detections\n",
    "vision_msgs/msg/VisionClass": "uint16 class_id\nstring class_name\n",
    "vision_msgs/msg/LabelInfo": (
        "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold\n"
    ),
    "vision_msgs/msg/VisionInfo": (
        "std_msgs/Header header\nstring method\nstring database_location\nint32 database_version\n"
    ),
}


@dataclass
class Point2D:
    """vision_msgs/msg/Point2D."""

    x: float
    y: float
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Point2D"


@dataclass
class Pose2D:
    """vision_msgs/msg/Pose2D."""

    position: Point2D
    theta: float
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Pose2D"


@dataclass
class BoundingBox2D:
    """vision_msgs/msg/BoundingBox2D."""

    center: Pose2D
    size_x: float
    size_y: float
    __msgtype__: ClassVar[str] = "vision_msgs/msg/BoundingBox2D"


@dataclass
class BoundingBox3D:
    """vision_msgs/msg/BoundingBox3D."""

    center: PoseMessage
    size: Vector3
    __msgtype__: ClassVar[str] = "vision_msgs/msg/BoundingBox3D"


@dataclass
class ObjectHypothesis:
    """vision_msgs/msg/ObjectHypothesis."""

    class_id: str
    score: float
    __msgtype__: ClassVar[str] = "vision_msgs/msg/ObjectHypothesis"


@dataclass
class ObjectHypothesisWithPose:
    """vision_msgs/msg/ObjectHypothesisWithPose."""

    hypothesis: ObjectHypothesis
    pose: PoseWithCovariance
    __msgtype__: ClassVar[str] = "vision_msgs/msg/ObjectHypothesisWithPose"


@dataclass
class Detection2D:
    """vision_msgs/msg/Detection2D."""

    header: HeaderMessage
    results: list[ObjectHypothesisWithPose]
    bbox: BoundingBox2D
    id: str
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Detection2D"


@dataclass
class Detection2DArray:
    """vision_msgs/msg/Detection2DArray."""

    header: HeaderMessage
    detections: list[Detection2D]
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Detection2DArray"


@dataclass
class Detection3D:
    """vision_msgs/msg/Detection3D."""

    header: HeaderMessage
    results: list[ObjectHypothesisWithPose]
    bbox: BoundingBox3D
    id: str
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Detection3D"


@dataclass
class Detection3DArray:
    """vision_msgs/msg/Detection3DArray."""

    header: HeaderMessage
    detections: list[Detection3D]
    __msgtype__: ClassVar[str] = "vision_msgs/msg/Detection3DArray"


@dataclass
class VisionClass:
    """vision_msgs/msg/VisionClass."""

    class_id: int
    class_name: str
    __msgtype__: ClassVar[str] = "vision_msgs/msg/VisionClass"


@dataclass
class LabelInfo:
    """vision_msgs/msg/LabelInfo."""

    header: HeaderMessage
    class_map: list[VisionClass]
    threshold: float
    __msgtype__: ClassVar[str] = "vision_msgs/msg/LabelInfo"


@dataclass
class VisionInfo:
    """vision_msgs/msg/VisionInfo."""

    header: HeaderMessage
    method: str
    database_location: str
    database_version: int
    __msgtype__: ClassVar[str] = "vision_msgs/msg/VisionInfo"


VISION_CLASSES = (
    Point2D,
    Pose2D,
    BoundingBox2D,
    BoundingBox3D,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
    Detection2D,
    Detection2DArray,
    Detection3D,
    Detection3DArray,
    VisionClass,
    LabelInfo,
    VisionInfo,
)
