"""Inputs for any stage of a live host: one valid value for each port, at any time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from spatial_perception.core import (
    CAMERA_OBJECT_LABELS,
    CAMVID_LABELS,
    POINT_LABELS,
    CameraImage,
    Detections2D,
    Header,
    LabelImage,
    LabelledCloud,
    PointCloud,
    Pose,
    StampedTransform,
    Transforms,
    examples,
)
from spatial_perception.messages import POINT_CLOUD, Codec
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Stage

WIDTH_PX, HEIGHT_PX = 640, 480
OPTICAL = "camera_front_optical_frame"
LIDAR = "velodyne"


def flat_street(header: Header, count: int = 5000) -> PointCloud:
    """Returns a ring of ground around the sensor and a wall ahead."""
    angle = np.linspace(0, 40 * np.pi, count, dtype=np.float32)
    radius = np.linspace(3, 30, count, dtype=np.float32)
    z = np.where((np.cos(angle) > 0.95) & (radius > 20), 0.0, -1.73).astype(np.float32)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
    return PointCloud(header, points, np.zeros(count, np.float32))


def labelled_street(header: Header) -> LabelledCloud:
    """Returns the same ring of ground and wall, all of it road."""
    street = flat_street(header)
    return LabelledCloud(street, np.zeros(len(street), np.uint8), POINT_LABELS)


def empty_cloud(stamp_ns: int) -> bytes:
    """Returns a cloud without points."""
    header = Header(stamp_ns, LIDAR)
    return POINT_CLOUD.encode(PointCloud(header, np.zeros((0, 3), np.float32)))


def _image(header: Header) -> CameraImage:
    shade = np.linspace(0, 255, WIDTH_PX, dtype=np.uint8)
    return CameraImage(header, np.tile(shade[None, :, None], (HEIGHT_PX, 1, 3)))


def _label_image(header: Header) -> LabelImage:
    return LabelImage(header, np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8), CAMVID_LABELS)


def _detections(header: Header) -> Detections2D:
    boxes = np.array([[100, 100, 180, 180], [300, 50, 330, 110]], np.float32)
    labels = [CAMERA_OBJECT_LABELS.names.index(n) for n in ("traffic_sign", "traffic_light")]
    scores = np.array([0.9, 0.8], np.float32)
    return Detections2D(header, boxes, scores, np.array(labels, np.int32), CAMERA_OBJECT_LABELS)


def _transforms(header: Header) -> Transforms:
    mount = Pose.from_yaw(0.0, np.array([0.0, 0.0, 1.73]))
    stamped = Header(header.stamp_ns, "base_link")
    return Transforms(
        (StampedTransform(stamped, LIDAR, mount), StampedTransform(stamped, OPTICAL, mount))
    )


def _at(example: Callable[[], Any]) -> Callable[[Header], Any]:
    """Returns a function that moves an example to a stamp and frame."""
    return lambda header: dataclasses.replace(example(), header=header)


_MAKERS: dict[str, tuple[str, Callable[[Header], Any]]] = {
    "PointCloud": (LIDAR, flat_street),
    "CameraImage": (OPTICAL, _image),
    "LabelImage": (OPTICAL, _label_image),
    "Detections2D": (OPTICAL, _detections),
    "Transforms": ("base_link", _transforms),
    "Detections3D": ("base_link", _at(examples.example_detections3d)),
    "PinholeCamera": (OPTICAL, _at(examples.example_camera)),
    "Odometry": ("odom", _at(examples.example_odometry)),
    "VoxelGrid": ("base_link", _at(examples.example_voxel_grid)),
    "LabelledCloud": (LIDAR, labelled_street),
}


def sample(codec: Codec[Any], stamp_ns: int) -> bytes:
    """Returns a valid message of a codec's type."""
    frame, make = _MAKERS[codec.core_type.__name__]
    return codec.encode(make(Header(stamp_ns, frame)))


def stage_inputs(stage: Stage) -> Iterator[Port]:
    """Yields what a stage takes, transforms and state first, so that sensor data finds them."""
    yield from sorted(stage.inputs, key=is_broken_on_purpose)


def is_broken_on_purpose(port: Port) -> bool:
    """Returns whether a cut-off message on this input is counted as a drop of the stage."""
    return port.kind in (PortKind.SENSOR, PortKind.RESULT)
