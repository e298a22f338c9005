"""Objects of a camera as a cloud with one point an object: bearings, and positions where known."""

from __future__ import annotations

import numpy as np

from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, LabelSet
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.point_fields import POINT_CLOUD2, decode_columns, encode_columns


def encode_camera_objects(objects: CameraObjects) -> bytes:
    """Returns a PointCloud2 of x y z azimuth elevation range score label.

    Field `label` is uint8, the others float32 in metres and radians; x y z and range are NaN
    where only the bearing is known, so that viewers leave those points out.
    """
    columns = {
        "x": objects.positions_m[:, 0],
        "y": objects.positions_m[:, 1],
        "z": objects.positions_m[:, 2],
        "azimuth": objects.azimuths_rad,
        "elevation": objects.elevations_rad,
        "range": objects.ranges_m,
        "score": objects.scores,
        "label": objects.labels.astype(np.uint8),
    }
    return encode_columns(objects.header, columns)


def decode_camera_objects(
    data: bytes | memoryview, label_set: LabelSet = CAMERA_OBJECT_LABELS
) -> CameraObjects:
    """Returns the objects in the bytes of such a PointCloud2.

    Args:
        data: CDR bytes.
        label_set: The classes its labels count; the message does not carry them.

    Raises:
        DecodeError: No PointCloud2, or a field is missing.
    """
    columns = decode_columns(data)
    columns.require("label")
    return CameraObjects(
        header=columns.header,
        positions_m=columns.stacked("x", "y", "z"),
        azimuths_rad=columns.stacked("azimuth").reshape(-1),
        elevations_rad=columns.stacked("elevation").reshape(-1),
        ranges_m=columns.stacked("range").reshape(-1),
        scores=columns.stacked("score").reshape(-1),
        labels=columns.columns["label"].reshape(-1).astype(np.int32),
        label_set=label_set,
    )


CAMERA_OBJECTS: Codec[CameraObjects] = make_codec(
    POINT_CLOUD2, CameraObjects, decode_camera_objects, encode_camera_objects
)
