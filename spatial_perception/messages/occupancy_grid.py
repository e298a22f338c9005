"""OccupancyGrid as nav_msgs/OccupancyGrid."""

from __future__ import annotations

import numpy as np
from rosbags.typesys.stores.ros2_jazzy import nav_msgs__msg__MapMetaData as MapMetaData
from rosbags.typesys.stores.ros2_jazzy import nav_msgs__msg__OccupancyGrid as OccupancyGridMessage

from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.errors import DecodeError
from spatial_perception.messages.codec import Codec, make_codec
from spatial_perception.messages.geometry import decode_pose, encode_pose
from spatial_perception.messages.header import decode_header, encode_header, encode_time
from spatial_perception.messages.typestore import deserialize, serialize

OCCUPANCY_GRID_TYPE = "nav_msgs/msg/OccupancyGrid"


def decode_occupancy_grid(data: bytes | memoryview) -> OccupancyGrid:
    """Returns the grid in the bytes of a nav_msgs/OccupancyGrid.

    Raises:
        DecodeError: No OccupancyGrid, or its size does not fit its data.
    """
    message = deserialize(data, OccupancyGridMessage)
    height, width = message.info.height, message.info.width
    if height * width != len(message.data):
        raise DecodeError(
            f"{OCCUPANCY_GRID_TYPE}: {width}x{height} cells do not fit {len(message.data)} bytes"
        )
    return OccupancyGrid(
        header=decode_header(message.header),
        cells=message.data.reshape(height, width),
        resolution_m=_shortest(message.info.resolution),
        origin=decode_pose(message.info.origin),
    )


def _shortest(resolution_m: float) -> float:
    """Returns the shortest decimal of a float32: 0.2, not 0.20000000298."""
    return float(str(np.float32(resolution_m)))


def encode_occupancy_grid(grid: OccupancyGrid) -> bytes:
    """Returns a nav_msgs/OccupancyGrid: row-major, cell (0, 0) at the origin."""
    height, width = grid.cells.shape
    message = OccupancyGridMessage(
        header=encode_header(grid.header),
        info=MapMetaData(
            map_load_time=encode_time(grid.header.stamp_ns),
            resolution=grid.resolution_m,
            width=width,
            height=height,
            origin=encode_pose(grid.origin),
        ),
        data=grid.cells.reshape(-1),
    )
    return serialize(message)


OCCUPANCY_GRID: Codec[OccupancyGrid] = make_codec(
    OCCUPANCY_GRID_TYPE, OccupancyGrid, decode_occupancy_grid, encode_occupancy_grid
)
