"""Objects as autoware_perception_msgs: detected, tracked and predicted ones."""

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
from spatial_perception.core.predictions import Predictions
from spatial_perception.core.tracks import Tracks
from spatial_perception.messages.autoware_msgs import (
    PACKAGE,
    DetectedObject,
    DetectedObjectKinematics,
    DetectedObjects,
    ObjectClassification,
    PredictedObject,
    PredictedObjectKinematics,
    PredictedObjects,
    PredictedPath,
    Shape,
    TrackedObject,
    TrackedObjectKinematics,
    TrackedObjects,
)
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.header import (
    decode_duration,
    decode_header,
    encode_duration,
    encode_header,
)
from spatial_perception.messages.typestore import deserialize, serialize

STATIONARY_MPS = 0.3
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


def encode_detected_objects(detections: Detections3D) -> bytes:
    """Returns DetectedObjects: boxes without a twist."""
    objects = [
        DetectedObject(
            existence_probability=float(detections.scores[index]),
            classification=_classification(detections, index),
            kinematics=DetectedObjectKinematics(
                pose_with_covariance=_pose(detections, index),
                has_position_covariance=False,
                orientation_availability=DetectedObjectKinematics.AVAILABLE,
                twist_with_covariance=_twist(0.0, 0.0, 0.0),
                has_twist=False,
                has_twist_covariance=False,
            ),
            shape=_shape(detections, index),
        )
        for index in range(len(detections))
    ]
    return serialize(DetectedObjects(encode_header(detections.header), objects))


def encode_tracked_objects(tracks: Tracks) -> bytes:
    """Returns TrackedObjects; a twist is in the object's own axes, as Autoware has it."""
    boxes = tracks.detections()
    objects = [
        TrackedObject(
            object_id=_uuid(int(tracks.ids[index])),
            existence_probability=float(tracks.scores[index]),
            classification=_classification(boxes, index),
            kinematics=TrackedObjectKinematics(
                pose_with_covariance=_pose(boxes, index),
                twist_with_covariance=_twist(*_own_velocity(tracks, index)),
                acceleration_with_covariance=_no_acceleration(),
                orientation_availability=TrackedObjectKinematics.AVAILABLE,
                is_stationary=bool(np.hypot(*tracks.velocities_mps[index]) < STATIONARY_MPS),
            ),
            shape=_shape(boxes, index),
        )
        for index in range(len(tracks))
    ]
    return serialize(TrackedObjects(encode_header(tracks.header), objects))


def encode_predicted_objects(predictions: Predictions) -> bytes:
    """Returns PredictedObjects with one path a hypothesis."""
    tracks = predictions.tracks
    boxes = tracks.detections()
    objects = []
    for index in range(len(tracks)):
        paths = [
            PredictedPath(
                path=[_upright(*map(float, pose)) for pose in way],
                time_step=encode_duration(predictions.step_s),
                confidence=float(confidence),
            )
            for way, confidence in zip(
                predictions.poses[index], predictions.confidences[index], strict=True
            )
        ]
        kinematics = PredictedObjectKinematics(
            initial_pose_with_covariance=_pose(boxes, index),
            initial_twist_with_covariance=_twist(*_own_velocity(tracks, index)),
            initial_acceleration_with_covariance=_no_acceleration(),
            predicted_paths=paths,
        )
        objects.append(
            PredictedObject(
                object_id=_uuid(int(tracks.ids[index])),
                existence_probability=float(tracks.scores[index]),
                classification=_classification(boxes, index),
                kinematics=kinematics,
                shape=_shape(boxes, index),
            )
        )
    return serialize(PredictedObjects(encode_header(tracks.header), objects))


def decode_detected_objects(data: bytes | memoryview) -> Detections3D:
    """Returns the boxes of DetectedObjects, in the suite's classes.

    Raises:
        DecodeError: No DetectedObjects.
    """
    message = deserialize(data, DetectedObjects)
    poses = [item.kinematics.pose_with_covariance.pose for item in message.objects]
    return Detections3D(
        decode_header(message.header), *_box_arrays(message.objects, poses), OBJECT_LABELS
    )


def decode_tracked_objects(data: bytes | memoryview) -> Tracks:
    """Returns the tracks of TrackedObjects, in the suite's classes.

    Raises:
        DecodeError: No TrackedObjects.
    """
    message = deserialize(data, TrackedObjects)
    poses = [item.kinematics.pose_with_covariance.pose for item in message.objects]
    twists = [item.kinematics.twist_with_covariance for item in message.objects]
    return _tracks(message, poses, twists)


def decode_predicted_objects(data: bytes | memoryview) -> Predictions:
    """Returns the tracks and hypotheses of PredictedObjects, in the suite's classes.

    Raises:
        DecodeError: No PredictedObjects, or objects with different numbers of paths or poses.
    """
    message = deserialize(data, PredictedObjects)
    kinematics = [item.kinematics for item in message.objects]
    poses = [item.initial_pose_with_covariance.pose for item in kinematics]
    tracks = _tracks(message, poses, [item.initial_twist_with_covariance for item in kinematics])
    ways = [
        [[(*_position(p), _yaw(p)) for p in path.path] for path in item.predicted_paths]
        for item in kinematics
    ]
    confidences = [[path.confidence for path in item.predicted_paths] for item in kinematics]
    steps = [decode_duration(p.time_step) for item in kinematics for p in item.predicted_paths]
    if not ways:
        nothing = np.zeros((0, 0, 0, 4), np.float32), np.zeros((0, 0), np.float32)
        return Predictions(tracks, *nothing, step_s=0.0)
    return Predictions(
        tracks, np.array(ways, np.float32), np.array(confidences, np.float32), steps[0]
    )


def _tracks(
    message: TrackedObjects | PredictedObjects,
    poses: list[PoseMessage],
    twists: list[TwistWithCovariance],
) -> Tracks:
    centers, sizes, yaws, scores, labels = _box_arrays(message.objects, poses)
    own = np.array([(t.twist.linear.x, t.twist.linear.y) for t in twists]).reshape(-1, 2)
    cosines, sines = np.cos(yaws), np.sin(yaws)
    velocities = np.stack(
        [own[:, 0] * cosines - own[:, 1] * sines, own[:, 0] * sines + own[:, 1] * cosines], axis=1
    )
    ids = [int.from_bytes(bytes(item.object_id.uuid[8:]), "big") for item in message.objects]
    return Tracks(
        decode_header(message.header),
        centers,
        sizes,
        yaws,
        velocities.astype(np.float32),
        np.array([t.twist.angular.z for t in twists], np.float32),
        scores,
        labels,
        np.array(ids, np.int64),
        OBJECT_LABELS,
    )


def _box_arrays(
    objects: list[DetectedObject] | list[TrackedObject] | list[PredictedObject],
    poses: list[PoseMessage],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    sizes = [(o.shape.dimensions.x, o.shape.dimensions.y, o.shape.dimensions.z) for o in objects]
    best = [max(o.classification, key=lambda c: c.probability, default=None) for o in objects]
    names = [_NAMES.get(one.label) if one else None for one in best]
    labels = [UNLABELED if name is None else OBJECT_LABELS.index(name) for name in names]
    return (
        np.array([_position(pose) for pose in poses], np.float32).reshape(-1, 3),
        np.array(sizes, np.float32).reshape(-1, 3),
        np.array([_yaw(pose) for pose in poses], np.float32),
        np.array([o.existence_probability for o in objects], np.float32),
        np.array(labels, np.int32),
    )


def _own_velocity(tracks: Tracks, index: int) -> tuple[float, float, float]:
    """Returns forward and leftward speed and yaw rate in the object's own axes."""
    vx, vy = (float(value) for value in tracks.velocities_mps[index])
    yaw = float(tracks.yaws_rad[index])
    forward, left = cos(yaw) * vx + sin(yaw) * vy, cos(yaw) * vy - sin(yaw) * vx
    return forward, left, float(tracks.yaw_rates_radps[index])


def _classification(boxes: Detections3D, index: int) -> list[ObjectClassification]:
    number = _number(boxes.label_set, int(boxes.labels[index]))
    return [ObjectClassification(number, 1.0)]


def _number(labels: LabelSet, label: int) -> int:
    return _NUMBERS.get(labels.name(label), ObjectClassification.UNKNOWN)


def _shape(boxes: Detections3D, index: int) -> Shape:
    length, width, height = (float(value) for value in boxes.sizes_lwh_m[index])
    kind = Shape.BOUNDING_BOX
    if _number(boxes.label_set, int(boxes.labels[index])) == ObjectClassification.PEDESTRIAN:
        kind, length = Shape.CYLINDER, max(length, width)
        width = length
    return Shape(kind, Polygon(points=[]), Vector3Message(x=length, y=width, z=height))


def _pose(boxes: Detections3D, index: int) -> PoseWithCovariance:
    x, y, z = (float(value) for value in boxes.centers_m[index])
    pose = _upright(x, y, z, float(boxes.yaws_rad[index]))
    return PoseWithCovariance(pose=pose, covariance=np.zeros(36))


def _upright(x: float, y: float, z: float, yaw_rad: float) -> PoseMessage:
    orientation = QuaternionMessage(x=0.0, y=0.0, z=sin(yaw_rad / 2), w=cos(yaw_rad / 2))
    return PoseMessage(position=PointMessage(x=x, y=y, z=z), orientation=orientation)


def _position(pose: PoseMessage) -> tuple[float, float, float]:
    return pose.position.x, pose.position.y, pose.position.z


def _yaw(pose: PoseMessage) -> float:
    q = pose.orientation
    return float(np.arctan2(2 * (q.w * q.z + q.x * q.y), 1 - 2 * (q.y * q.y + q.z * q.z)))


def _twist(forward: float, left: float, yaw_rate: float) -> TwistWithCovariance:
    twist = TwistMessage(
        linear=Vector3Message(x=forward, y=left, z=0.0),
        angular=Vector3Message(x=0.0, y=0.0, z=yaw_rate),
    )
    return TwistWithCovariance(twist=twist, covariance=np.zeros(36))


def _no_acceleration() -> AccelWithCovariance:
    nothing = Vector3Message(x=0.0, y=0.0, z=0.0)
    return AccelWithCovariance(
        accel=AccelMessage(linear=nothing, angular=nothing), covariance=np.zeros(36)
    )


def _uuid(track_id: int) -> Uuid:
    """Returns the id in the last eight bytes, so that equal ids give equal messages."""
    data = np.frombuffer(bytes(8) + track_id.to_bytes(8, "big"), np.uint8)
    return Uuid(uuid=data)


DETECTED_OBJECTS: Codec[Detections3D] = make_codec(
    f"{PACKAGE}/DetectedObjects", Detections3D, decode_detected_objects, encode_detected_objects
)
TRACKED_OBJECTS: Codec[Tracks] = make_codec(
    f"{PACKAGE}/TrackedObjects", Tracks, decode_tracked_objects, encode_tracked_objects
)
PREDICTED_OBJECTS: Codec[Predictions] = make_codec(
    f"{PACKAGE}/PredictedObjects", Predictions, decode_predicted_objects, encode_predicted_objects
)
