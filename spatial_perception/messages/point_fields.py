"""sensor_msgs/PointCloud2 as named columns: the layout of a cloud, whatever its fields mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointCloud2 as PointCloud2
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointField as PointField

from spatial_perception.core.labels import UNLABELED
from spatial_perception.errors import DecodeError
from spatial_perception.messages.header import decode_header, encode_header
from spatial_perception.messages.typestore import deserialize, serialize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spatial_perception.core.header import Header

POINT_CLOUD2 = "sensor_msgs/msg/PointCloud2"

_NUMPY_OF_DATATYPE = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
_DATATYPE_OF_NUMPY = {code: datatype for datatype, code in _NUMPY_OF_DATATYPE.items()}


@dataclass(frozen=True, slots=True, eq=False)
class PointColumns:
    """Columns of a cloud: views into the message, (height, width) of the field's own dtype."""

    header: Header
    height: int
    width: int
    columns: dict[str, NDArray[np.generic]]

    @property
    def count(self) -> int:
        """Number of points."""
        return self.height * self.width

    def require(self, *names: str) -> None:
        """Checks that the fields `names` are there.

        Raises:
            DecodeError: Names the missing fields and the ones that are there.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            there = ", ".join(self.columns) or "none"
            raise DecodeError(
                f"{POINT_CLOUD2}: field {', '.join(missing)} is missing; fields there: {there}"
            )

    def labels(self, class_count: int) -> NDArray[np.uint8]:
        """Returns the field `label` as (N,) uint8, 255 unlabeled.

        Raises:
            DecodeError: It is missing, or a label is none of so many classes.
        """
        self.require("label")
        column = self.columns["label"].reshape(-1)
        with np.errstate(invalid="ignore"):  # of what is no number, which the comparison finds
            labels = column.astype(np.uint8)
        wrong = (labels != column) | ((labels >= class_count) & (labels != UNLABELED))
        if wrong.any():
            raise DecodeError(
                f"{POINT_CLOUD2}: label {column[wrong][0]} is none of the {class_count} classes"
            )
        return labels

    def first_of(self, *names: str) -> NDArray[np.generic] | None:
        """Returns the column with the first of `names` that is there, None where none is."""
        return next((self.columns[name] for name in names if name in self.columns), None)

    def stacked(self, *names: str) -> NDArray[np.float32]:
        """Returns the fields `names` as one (N, len(names)) float32 array, a copy.

        Raises:
            DecodeError: A field is missing.
        """
        self.require(*names)
        array = np.empty((self.height, self.width, len(names)), dtype=np.float32)
        for index, name in enumerate(names):
            array[..., index] = self.columns[name]
        return array.reshape(-1, len(names))


def decode_columns(data: bytes | memoryview) -> PointColumns:
    """Returns the columns of a PointCloud2: views that honour offset, type, steps and byte order.

    Raises:
        DecodeError: The bytes are no PointCloud2, or its layout does not fit its data.
    """
    message = deserialize(data, PointCloud2)
    height, width, step = message.height, message.width, message.point_step
    order = ">" if message.is_bigendian else "<"
    row_step = _checked_row_step(message)
    columns: dict[str, NDArray[np.generic]] = {}
    for field in message.fields:
        code = _NUMPY_OF_DATATYPE.get(field.datatype)
        if code is None:
            raise DecodeError(
                f"{POINT_CLOUD2}: field {field.name} has datatype {field.datatype}; known are 1..8"
            )
        dtype = np.dtype(order + code)
        if field.offset + dtype.itemsize > step and height * width:
            raise DecodeError(
                f"{POINT_CLOUD2}: field {field.name} at offset {field.offset} ends beyond "
                f"point_step {step}"
            )
        if height * width == 0:
            column = np.empty((height, width), dtype)
        else:
            column = np.ndarray(
                (height, width), dtype, message.data.data, field.offset, (row_step, step)
            )
        columns.setdefault(field.name, column)
    return PointColumns(decode_header(message.header), height, width, columns)


def _checked_row_step(message: PointCloud2) -> int:
    """Returns the distance of rows in bytes, checked against the data.

    Drivers that filter a cloud often leave `row_step` as it was; in a cloud of one row it says
    nothing, so there the data alone decides.
    """
    row_bytes = message.width * message.point_step
    expected = message.row_step * message.height
    if message.height == 1 and len(message.data) == row_bytes:
        return row_bytes
    if message.row_step < row_bytes or len(message.data) != expected:
        raise DecodeError(
            f"{POINT_CLOUD2}: {message.height} rows of {message.width} points with point_step "
            f"{message.point_step} and row_step {message.row_step} do not fit "
            f"{len(message.data)} bytes of data"
        )
    return message.row_step


def encode_columns(header: Header, columns: Mapping[str, NDArray[np.generic]]) -> bytes:
    """Returns the bytes of an unorganised, little-endian PointCloud2.

    Args:
        header: Becomes the cloud's header.
        columns: (N,) arrays by field name, of a dtype that PointField has.
    """
    dtype = np.dtype([(name, column.dtype.newbyteorder("<")) for name, column in columns.items()])
    count = len(next(iter(columns.values())))
    points = np.empty(count, dtype)
    for name, column in columns.items():
        points[name] = column
    fields = [
        PointField(
            name=name,
            offset=dtype.fields[name][1] if dtype.fields else 0,
            datatype=_DATATYPE_OF_NUMPY[column.dtype.str[1:]],
            count=1,
        )
        for name, column in columns.items()
    ]
    message = PointCloud2(
        header=encode_header(header),
        height=1,
        width=count,
        fields=fields,
        is_bigendian=False,
        point_step=dtype.itemsize,
        row_step=dtype.itemsize * count,
        data=points.view(np.uint8),
        is_dense=True,
    )
    return serialize(message)
