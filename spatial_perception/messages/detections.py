"""Detections and tracks as vision_msgs/Detection2DArray and Detection3DArray."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, sin

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Point as PointMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Pose as PoseMessage
from rosbags.typesys.stores.ros2_jazzy import (
    geometry_msgs__msg__PoseWithCovariance as PoseWithCovariance,
)
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Quaternion as QuaternionMessage
from rosbags.typesys.stores.ros2_jazzy import geometry_msgs__msg__Vector3 as Vector3Message

from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.labels import KNOWN_LABEL_SETS, UNLABELED_NAME, LabelSet
from spatial_perception.core.tracks import Tracks
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.covariance import encode_plane
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize
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

DETECTIONS_2D_TYPE = "vision_msgs/msg/Detection2DArray"
DETECTIONS_3D_TYPE = "vision_msgs/msg/Detection3DArray"


def encode_detections_2d(detections: Detections2D) -> bytes:
    """Returns a Detection2DArray: readable class ids, boxes in pixels of the source picture."""
    header = encode_header(detections.header)
    items = []
    for box, score, label in zip(
        detections.boxes_xyxy_px.tolist(),
        detections.scores.tolist(),
        detections.labels.tolist(),
        strict=True,
    ):
        left, top, right, bottom = box
        center = Pose2D(Point2D((left + right) / 2, (top + bottom) / 2), 0.0)
        hypothesis = ObjectHypothesis(detections.label_set.name(label), score)
        items.append(
            Detection2D(
                header=header,
                results=[ObjectHypothesisWithPose(hypothesis, _with_covariance(_no_pose()))],
                bbox=BoundingBox2D(center, right - left, bottom - top),
                id="",
            )
        )
    return serialize(Detection2DArray(header, items))


def decode_detections_2d(data: bytes | memoryview) -> Detections2D:
    """Returns the boxes in the bytes of a Detection2DArray, each with its best hypothesis.

    A rotated box becomes the upright one around it. The classes are those of the label set of
    `core.labels` that has all names, else the names themselves, sorted.

    Raises:
        DecodeError: No Detection2DArray.
    """
    message = deserialize(data, Detection2DArray)
    boxes = np.zeros((len(message.detections), 4))
    for row, item in zip(boxes, message.detections, strict=True):
        center, theta = item.bbox.center.position, item.bbox.center.theta
        half_x = (abs(cos(theta)) * item.bbox.size_x + abs(sin(theta)) * item.bbox.size_y) / 2
        half_y = (abs(sin(theta)) * item.bbox.size_x + abs(cos(theta)) * item.bbox.size_y) / 2
        row[:] = center.x - half_x, center.y - half_y, center.x + half_x, center.y + half_y
    labels, scores, label_set = _classes([item.results for item in message.detections])
    return Detections2D(
        header=decode_header(message.header),
        boxes_xyxy_px=boxes.astype(np.float32),
        scores=scores,
        labels=labels,
        label_set=label_set,
    )


def encode_detections_3d(detections: Detections3D) -> bytes:
    """Returns a Detection3DArray: readable class ids, x of a box along its heading."""
    nothing = [None] * len(detections)
    return _encode_boxes(detections, [""] * len(detections), nothing)


def encode_tracks(tracks: Tracks) -> bytes:
    """Returns a Detection3DArray whose ids are those of the tracks; velocities are left out.

    The covariance of x, y and yaw stands in the pose of each result; z, roll and pitch have none.
    """
    ids = [str(track_id) for track_id in tracks.ids.tolist()]
    covariances = [None] * len(tracks) if tracks.covariances is None else tracks.covariances
    places = [None if matrix is None else matrix[:3, :3] for matrix in covariances]
    return _encode_boxes(tracks.detections(), ids, places)


def decode_detections_3d(data: bytes | memoryview) -> Detections3D:
    """Returns the boxes in the bytes of a Detection3DArray; roll and pitch are dropped.

    Raises:
        DecodeError: No Detection3DArray.
    """
    return _decode_boxes(deserialize(data, Detection3DArray))


def decode_tracks(data: bytes | memoryview) -> Tracks:
    """Returns the tracks in the bytes of a Detection3DArray, with zero velocities.

    Raises:
        DecodeError: No Detection3DArray, or an id that is no whole number.
    """
    message = deserialize(data, Detection3DArray)
    boxes = _decode_boxes(message)
    try:
        ids = np.array([int(item.id) for item in message.detections], np.int64)
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"{DETECTIONS_3D_TYPE}: the ids of tracks are whole numbers") from error
    return Tracks(
        header=boxes.header,
        centers_m=boxes.centers_m,
        sizes_lwh_m=boxes.sizes_lwh_m,
        yaws_rad=boxes.yaws_rad,
        velocities_mps=np.zeros((len(boxes), 2), np.float32),
        yaw_rates_radps=np.zeros(len(boxes), np.float32),
        scores=boxes.scores,
        labels=boxes.labels,
        ids=ids,
        label_set=boxes.label_set,
    )


def _encode_boxes(
    boxes: Detections3D, ids: Sequence[str], covariances: Sequence[np.ndarray | None]
) -> bytes:
    header = encode_header(boxes.header)
    items = []
    for center, size, yaw, score, label, box_id, covariance in zip(
        boxes.centers_m.tolist(),
        boxes.sizes_lwh_m.tolist(),
        boxes.yaws_rad.tolist(),
        boxes.scores.tolist(),
        boxes.labels.tolist(),
        ids,
        covariances,
        strict=True,
    ):
        pose = PoseMessage(
            position=PointMessage(*center),
            orientation=QuaternionMessage(0.0, 0.0, sin(yaw / 2), cos(yaw / 2)),
        )
        hypothesis = ObjectHypothesis(boxes.label_set.name(label), score)
        items.append(
            Detection3D(
                header=header,
                results=[ObjectHypothesisWithPose(hypothesis, _with_covariance(pose, covariance))],
                bbox=BoundingBox3D(pose, Vector3Message(*size)),
                id=box_id,
            )
        )
    return serialize(Detection3DArray(header, items))


def _decode_boxes(message: Detection3DArray) -> Detections3D:
    count = len(message.detections)
    centers, sizes, yaws = np.zeros((count, 3)), np.zeros((count, 3)), np.zeros(count)
    for index, item in enumerate(message.detections):
        position, q, size = item.bbox.center.position, item.bbox.center.orientation, item.bbox.size
        centers[index] = position.x, position.y, position.z
        sizes[index] = size.x, size.y, size.z
        yaws[index] = _yaw_rad(q)
    labels, scores, label_set = _classes([item.results for item in message.detections])
    return Detections3D(
        header=decode_header(message.header),
        centers_m=centers.astype(np.float32),
        sizes_lwh_m=sizes.astype(np.float32),
        yaws_rad=yaws.astype(np.float32),
        scores=scores,
        labels=labels,
        label_set=label_set,
    )


def _yaw_rad(q: QuaternionMessage) -> float:
    """Returns the heading of the x axis; 0 for the all-zero quaternion of a fresh message."""
    return atan2(2 * (q.w * q.z + q.x * q.y), q.w * q.w + q.x * q.x - q.y * q.y - q.z * q.z)


def _classes(
    results: Sequence[Sequence[ObjectHypothesisWithPose]],
) -> tuple[np.ndarray, np.ndarray, LabelSet]:
    """Returns labels, scores and the label set of the best hypothesis of each detection."""
    none = ObjectHypothesis(UNLABELED_NAME, 0.0)
    best = [
        max((result.hypothesis for result in of_one), key=lambda h: h.score, default=none)
        for of_one in results
    ]
    names = {hypothesis.class_id for hypothesis in best} - {UNLABELED_NAME}
    known = (labels for labels in KNOWN_LABEL_SETS if names <= set(labels.names))
    label_set = next(known, None) or LabelSet(tuple(sorted(names)))
    labels = np.array([label_set.index(hypothesis.class_id) for hypothesis in best], np.int32)
    scores = np.array([hypothesis.score for hypothesis in best], np.float32)
    return labels, scores, label_set


def _no_pose() -> PoseMessage:
    return PoseMessage(PointMessage(0.0, 0.0, 0.0), QuaternionMessage(0.0, 0.0, 0.0, 1.0))


def _with_covariance(pose: PoseMessage, covariance: np.ndarray | None = None) -> PoseWithCovariance:
    return PoseWithCovariance(pose=pose, covariance=encode_plane(covariance))


DETECTIONS_2D: Codec[Detections2D] = make_codec(
    DETECTIONS_2D_TYPE, Detections2D, decode_detections_2d, encode_detections_2d
)
DETECTIONS_3D: Codec[Detections3D] = make_codec(
    DETECTIONS_3D_TYPE, Detections3D, decode_detections_3d, encode_detections_3d
)
TRACKS: Codec[Tracks] = make_codec(DETECTIONS_3D_TYPE, Tracks, decode_tracks, encode_tracks)
