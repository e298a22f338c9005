"""Core types to ROS messages and back, as CDR bytes: one codec for every host."""

from __future__ import annotations

from typing import Any

from spatial_perception.errors import ConfigError
from spatial_perception.messages.autoware import (
    DETECTED_OBJECTS,
    PREDICTED_OBJECTS,
    TRACKED_OBJECTS,
)
from spatial_perception.messages.camera_info import CAMERA_INFO
from spatial_perception.messages.camera_objects import CAMERA_OBJECTS
from spatial_perception.messages.codec import Codec
from spatial_perception.messages.compressed_image import COMPRESSED_IMAGE
from spatial_perception.messages.detections import DETECTIONS_2D, DETECTIONS_3D, TRACKS
from spatial_perception.messages.diagnostics import DIAGNOSTICS, LATENCY
from spatial_perception.messages.free_space import POLYGON, RANGE_SCAN
from spatial_perception.messages.geometry import ODOMETRY, TRANSFORMS
from spatial_perception.messages.image import IMAGE
from spatial_perception.messages.labels import (
    LABEL_COLOR_IMAGE,
    LABEL_IMAGE,
    LABEL_INFO,
    VISION_INFO,
)
from spatial_perception.messages.markers import MARKERS
from spatial_perception.messages.occupancy_grid import OCCUPANCY_GRID
from spatial_perception.messages.point_cloud import LABELLED_CLOUD, POINT_CLOUD
from spatial_perception.messages.qos import QosProfile
from spatial_perception.messages.track_states import TRACK_STATES
from spatial_perception.messages.voxels import VOXELS

CODECS: tuple[Codec[Any], ...] = (
    POINT_CLOUD,
    LABELLED_CLOUD,
    VOXELS,
    TRACK_STATES,
    CAMERA_OBJECTS,
    IMAGE,
    COMPRESSED_IMAGE,
    CAMERA_INFO,
    TRANSFORMS,
    ODOMETRY,
    DETECTIONS_2D,
    DETECTIONS_3D,
    TRACKS,
    DETECTED_OBJECTS,
    TRACKED_OBJECTS,
    PREDICTED_OBJECTS,
    LABEL_IMAGE,
    LABEL_COLOR_IMAGE,
    LABEL_INFO,
    VISION_INFO,
    OCCUPANCY_GRID,
    RANGE_SCAN,
    POLYGON,
    MARKERS,
    DIAGNOSTICS,
    LATENCY,
)

_INPUT_CODECS: dict[str, Codec[Any]] = {
    codec.ros_type: codec
    for codec in (
        POINT_CLOUD,
        IMAGE,
        COMPRESSED_IMAGE,
        CAMERA_INFO,
        TRANSFORMS,
        ODOMETRY,
        DETECTIONS_2D,
        DETECTIONS_3D,
        OCCUPANCY_GRID,
    )
}


def input_codec(ros_type: str) -> Codec[Any]:
    """Returns the codec for an input topic of a ROS type, written `package/msg/Name`.

    Raises:
        ConfigError: No input is of that type; names the ones there are.
    """
    try:
        return _INPUT_CODECS[ros_type]
    except KeyError:
        known = ", ".join(_INPUT_CODECS)
        raise ConfigError(f"no input is of type '{ros_type}'; inputs are {known}") from None


__all__ = [
    "CAMERA_INFO",
    "CAMERA_OBJECTS",
    "CODECS",
    "COMPRESSED_IMAGE",
    "DETECTED_OBJECTS",
    "DETECTIONS_2D",
    "DETECTIONS_3D",
    "DIAGNOSTICS",
    "IMAGE",
    "LABELLED_CLOUD",
    "LABEL_COLOR_IMAGE",
    "LABEL_IMAGE",
    "LABEL_INFO",
    "LATENCY",
    "MARKERS",
    "OCCUPANCY_GRID",
    "ODOMETRY",
    "POINT_CLOUD",
    "POLYGON",
    "PREDICTED_OBJECTS",
    "RANGE_SCAN",
    "TRACKED_OBJECTS",
    "TRACKS",
    "TRACK_STATES",
    "TRANSFORMS",
    "VISION_INFO",
    "VOXELS",
    "Codec",
    "QosProfile",
    "input_codec",
]
