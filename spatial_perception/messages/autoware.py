"""Objects as autoware_perception_msgs: detected, tracked and predicted ones."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as PoseMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__TwistWithCovariance as TwistWithCovariance,
)

from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.core.predictions import Predictions
from spatial_perception.core.tracks import Tracks
from spatial_perception.messages import autoware_parts as parts
from spatial_perception.messages.autoware_msgs import (
    PACKAGE,
    DetectedObject,
    DetectedObjectKinematics,
    DetectedObjects,
    PredictedObject,
    PredictedObjectKinematics,
    PredictedObjects,
    PredictedPath,
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


def encode_detected_objects(detections: Detections3D) -> bytes:
    """Returns DetectedObjects: boxes without a twist."""
    objects = [
        DetectedObject(
            existence_probability=float(detections.scores[index]),
            classification=parts.classification(detections, index),
            kinematics=DetectedObjectKinematics(
                pose_with_covariance=parts.pose(detections, index),
                has_position_covariance=False,
                orientation_availability=DetectedObjectKinematics.AVAILABLE,
                twist_with_covariance=parts.twist(np.zeros(3)),
                has_twist=False,
                has_twist_covariance=False,
            ),
            shape=parts.shape(detections, index),
        )
        for index in range(len(detections))
    ]
    return serialize(DetectedObjects(encode_header(detections.header), objects))


def encode_tracked_objects(tracks: Tracks) -> bytes:
    """Returns TrackedObjects; a twist is in the object's own axes, as Autoware has it.

    Covariances are those of x, y and yaw, and of forward, leftward and turning speed.
    """
    boxes, places = tracks.detections(), _places(tracks)
    motions, spreads = tracks.own_velocities()
    objects = [
        TrackedObject(
            object_id=parts.uuid(int(tracks.ids[index])),
            existence_probability=float(tracks.scores[index]),
            classification=parts.classification(boxes, index),
            kinematics=TrackedObjectKinematics(
                pose_with_covariance=parts.pose(boxes, index, places[index]),
                twist_with_covariance=parts.twist(motions[index], spreads[index]),
                acceleration_with_covariance=parts.no_acceleration(),
                orientation_availability=TrackedObjectKinematics.AVAILABLE,
                is_stationary=bool(np.hypot(*tracks.velocities_mps[index]) < STATIONARY_MPS),
            ),
            shape=parts.shape(boxes, index),
        )
        for index in range(len(tracks))
    ]
    return serialize(TrackedObjects(encode_header(tracks.header), objects))


def encode_predicted_objects(predictions: Predictions) -> bytes:
    """Returns PredictedObjects with one path a hypothesis."""
    tracks = predictions.tracks
    boxes, places = tracks.detections(), _places(tracks)
    motions, spreads = tracks.own_velocities()
    objects = []
    for index in range(len(tracks)):
        paths = [
            PredictedPath(
                path=[parts.upright(*map(float, pose)) for pose in way],
                time_step=encode_duration(predictions.step_s),
                confidence=float(confidence),
            )
            for way, confidence in zip(
                predictions.poses[index], predictions.confidences[index], strict=True
            )
        ]
        kinematics = PredictedObjectKinematics(
            initial_pose_with_covariance=parts.pose(boxes, index, places[index]),
            initial_twist_with_covariance=parts.twist(motions[index], spreads[index]),
            initial_acceleration_with_covariance=parts.no_acceleration(),
            predicted_paths=paths,
        )
        objects.append(
            PredictedObject(
                object_id=parts.uuid(int(tracks.ids[index])),
                existence_probability=float(tracks.scores[index]),
                classification=parts.classification(boxes, index),
                kinematics=kinematics,
                shape=parts.shape(boxes, index),
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
        decode_header(message.header), *parts.box_arrays(message.objects, poses), OBJECT_LABELS
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
        [
            [(*parts.position_of(p), parts.yaw_of(p)) for p in path.path]
            for path in item.predicted_paths
        ]
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
    centers, sizes, yaws, scores, labels = parts.box_arrays(message.objects, poses)
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


def _places(tracks: Tracks) -> np.ndarray:
    """Returns (N, 3, 3) covariances of x, y and yaw, zero where nobody has estimated them."""
    if tracks.covariances is None:
        return np.zeros((len(tracks), 3, 3))
    return tracks.covariances[:, :3, :3]


DETECTED_OBJECTS: Codec[Detections3D] = make_codec(
    f"{PACKAGE}/DetectedObjects", Detections3D, decode_detected_objects, encode_detected_objects
)
TRACKED_OBJECTS: Codec[Tracks] = make_codec(
    f"{PACKAGE}/TrackedObjects", Tracks, decode_tracked_objects, encode_tracked_objects
)
PREDICTED_OBJECTS: Codec[Predictions] = make_codec(
    f"{PACKAGE}/PredictedObjects", Predictions, decode_predicted_objects, encode_predicted_objects
)
