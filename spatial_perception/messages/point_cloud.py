"""PointCloud and LabelledCloud as sensor_msgs/PointCloud2."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import POINT_LABELS, LabelSet
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.point_fields import (
    POINT_CLOUD2,
    PointColumns,
    decode_columns,
    encode_columns,
)

ScalarT = TypeVar("ScalarT", bound=np.generic)

_INTENSITY_NAMES = ("intensity", "i", "reflectivity")
_RING_NAMES = ("ring", "channel", "line")
_TIME_NAMES = ("time", "t", "time_stamp", "offset_time", "timestamp")

_ABSOLUTE_S = 1e6
"""An offset to the header stamp of more seconds than this is a point in time of its own."""


def decode_point_cloud(data: bytes | memoryview) -> PointCloud:
    """Returns the cloud in the bytes of a PointCloud2, without its rays that met nothing.

    Drivers give those no numbers, or put them at the sensor itself (Ouster, Livox).

    Raises:
        DecodeError: No PointCloud2, steps that do not fit the data, or x, y or z is missing.
    """
    return _decode_cloud(decode_columns(data))[0]


def encode_point_cloud(cloud: PointCloud) -> bytes:
    """Returns a PointCloud2 of x y z and, where the cloud has them, intensity, ring and time."""
    return encode_columns(cloud.header, _cloud_columns(cloud))


def decode_labelled_cloud(
    data: bytes | memoryview, label_set: LabelSet = POINT_LABELS
) -> LabelledCloud:
    """Returns the labelled cloud in the bytes of a PointCloud2 with a `label` field.

    Args:
        data: CDR bytes.
        label_set: The classes its labels count; the message does not carry them.

    Raises:
        DecodeError: No PointCloud2, x, y, z or label is missing, or a label is no class.
    """
    columns = decode_columns(data)
    labels = columns.labels(len(label_set))
    cloud, kept = _decode_cloud(columns)
    return LabelledCloud(cloud=cloud, labels=labels[kept], label_set=label_set)


def encode_labelled_cloud(labelled: LabelledCloud) -> bytes:
    """Returns a PointCloud2 of x y z intensity label rgb."""
    cloud = labelled.cloud
    intensity = cloud.intensity
    if intensity is None:
        intensity = np.zeros(len(cloud.points), np.float32)
    columns: dict[str, NDArray[np.generic]] = {
        "x": cloud.points[:, 0],
        "y": cloud.points[:, 1],
        "z": cloud.points[:, 2],
        "intensity": intensity,
        "label": labelled.labels,
        "rgb": packed_rgb(labelled.labels, labelled.label_set),
    }
    return encode_columns(cloud.header, columns)


def packed_rgb(labels: NDArray[np.uint8], label_set: LabelSet) -> NDArray[np.float32]:
    """Returns (N,) float32 whose bits are 0x00RRGGBB, PCL's and RViz's convention for colours."""
    lut = label_set.color_lut.astype(np.uint32)
    packed = lut[:, 0] << 16 | lut[:, 1] << 8 | lut[:, 2]
    return packed.view(np.float32)[labels]


def _decode_cloud(
    columns: PointColumns,
) -> tuple[PointCloud, slice | NDArray[np.bool_]]:
    """Returns the cloud and which points of the message it kept."""
    points = columns.stacked("x", "y", "z")
    x, y, z = points.T
    met = np.isfinite(x)
    met &= np.isfinite(y)
    met &= np.isfinite(z)
    at_sensor = x == 0.0
    if at_sensor.any():
        met &= ~(at_sensor & (y == 0.0) & (z == 0.0))
    kept: slice | NDArray[np.bool_] = slice(None) if met.all() else met
    intensity = columns.first_of(*_INTENSITY_NAMES)
    ring = columns.first_of(*_RING_NAMES)
    time = columns.first_of(*_TIME_NAMES)
    cloud = PointCloud(
        header=columns.header,
        points=points[kept],
        intensity=None if intensity is None else _column(intensity, np.float32)[kept],
        ring=None if ring is None else _column(ring, np.uint16)[kept],
        time_s=None if time is None else _offsets_s(time, columns.header.stamp_ns)[kept],
    )
    return cloud, kept


def _column(column: NDArray[np.generic], dtype: type[ScalarT]) -> NDArray[ScalarT]:
    return column.astype(dtype).reshape(-1)


def _offsets_s(column: NDArray[np.generic], stamp_ns: int) -> NDArray[np.float32]:
    """Returns time offsets to the stamp from the conventions of common drivers.

    Whole numbers are nanoseconds (Ouster, Livox, Autoware), fractions are seconds (Velodyne), or
    nanoseconds where they are too large for that; points in time lose the header's stamp. The
    largest value decides, since points without a return often have the time 0.
    """
    values = column.astype(np.float64).reshape(-1)
    if len(values) == 0:
        return values.astype(np.float32)
    largest = np.nanmax(np.abs(values), initial=0.0)
    in_ns = column.dtype.kind in "iu" or largest > 1e15
    unit_s = 1e-9 if in_ns else 1.0
    if largest * unit_s > _ABSOLUTE_S:
        values = values - stamp_ns * (1e-9 / unit_s)
    return (values * unit_s).astype(np.float32)


def _cloud_columns(cloud: PointCloud) -> dict[str, NDArray[np.generic]]:
    columns: dict[str, NDArray[np.generic]] = {
        "x": cloud.points[:, 0],
        "y": cloud.points[:, 1],
        "z": cloud.points[:, 2],
    }
    if cloud.intensity is not None:
        columns["intensity"] = cloud.intensity
    if cloud.ring is not None:
        columns["ring"] = cloud.ring
    if cloud.time_s is not None:
        columns["time"] = cloud.time_s
    return columns


POINT_CLOUD: Codec[PointCloud] = make_codec(
    POINT_CLOUD2, PointCloud, decode_point_cloud, encode_point_cloud
)
LABELLED_CLOUD: Codec[LabelledCloud] = make_codec(
    POINT_CLOUD2, LabelledCloud, decode_labelled_cloud, encode_labelled_cloud
)
