"""MarkerArray as RViz takes it."""

from __future__ import annotations

import numpy as np
import pytest
from rosbags.typesys.stores.ros2_jazzy import visualization_msgs__msg__MarkerArray as RosMarkers

from spatial_perception.core import MarkerArray
from spatial_perception.core.examples import example_header, example_marker_array
from spatial_perception.messages import MARKERS
from spatial_perception.messages.typestore import typestore


def ros_markers(array: MarkerArray) -> list:
    message = typestore().deserialize_cdr(
        MARKERS.encode(array), "visualization_msgs/msg/MarkerArray"
    )
    assert isinstance(message, RosMarkers)
    return message.markers


def test_the_first_marker_deletes_all_others() -> None:
    markers = ros_markers(example_marker_array())
    assert [marker.action for marker in markers] == [3, 0, 0, 0]
    assert markers[0].header.frame_id == "base_link"


def test_no_markers_still_delete_the_earlier_ones() -> None:
    assert [marker.action for marker in ros_markers(MarkerArray(example_header(), ()))] == [3]


def test_namespace_id_shape_size_colour_and_lifetime_reach_the_message() -> None:
    cube = ros_markers(example_marker_array())[1]
    assert (cube.ns, cube.id, cube.type) == ("car", 0, 1)
    assert (cube.scale.x, cube.scale.y, cube.scale.z) == (4.2, 1.8, 1.6)
    assert (cube.color.r, cube.color.a) == pytest.approx((1.0, 0.8))
    assert (cube.lifetime.sec, cube.lifetime.nanosec) == (0, 500_000_000)


def test_markers_come_back() -> None:
    array = example_marker_array()
    again = MARKERS.decode(MARKERS.encode(array))
    assert again.header == array.header
    assert [marker.text for marker in again.markers] == ["", "car", ""]
    np.testing.assert_array_equal(again.markers[2].points, array.markers[2].points)
    np.testing.assert_allclose(
        again.markers[0].pose.rotation, array.markers[0].pose.rotation, atol=1e-12
    )
