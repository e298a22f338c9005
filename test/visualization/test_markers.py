"""Markers: one cube, heading and text an object, stable names, class colours."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.core.markers import Marker, MarkerArray, MarkerShape
from spatial_perception.messages import MARKERS
from spatial_perception.visualization.markers import MarkerStyle, detection_markers, track_markers


def named(array: MarkerArray, namespace: str) -> list[Marker]:
    return [marker for marker in array.markers if marker.namespace == namespace]


def test_each_object_has_a_cube_an_arrow_and_a_text() -> None:
    array = detection_markers(examples.example_detections3d())
    for namespace, shape in (
        ("boxes", MarkerShape.CUBE),
        ("headings", MarkerShape.ARROW),
        ("labels", MarkerShape.TEXT),
    ):
        markers = named(array, namespace)
        assert [marker.shape for marker in markers] == [shape, shape]
        assert [marker.id for marker in markers] == [0, 1]


def test_header_is_that_of_the_objects() -> None:
    objects = examples.example_detections3d()
    array = detection_markers(objects)
    assert all(marker.header == objects.header for marker in (array, *array.markers))


def test_a_cube_has_the_pose_size_and_colour_of_its_object() -> None:
    objects = examples.example_detections3d()
    cube = named(detection_markers(objects), "boxes")[0]
    assert cube.pose.translation == pytest.approx([12.0, 1.0, 0.8])
    assert cube.pose.yaw_rad == pytest.approx(0.1)
    assert cube.scale_m == pytest.approx((4.2, 1.8, 1.6))
    assert np.array(cube.color_rgba[:3]) * 255 == pytest.approx(OBJECT_LABELS.colors[0])


def test_the_heading_arrow_starts_at_the_front() -> None:
    arrow = named(detection_markers(examples.example_detections3d()), "headings")[0]
    front = (12.0 + 2.1 * np.cos(0.1), 1.0 + 2.1 * np.sin(0.1), 0.8)
    assert arrow.pose.translation == pytest.approx(front, abs=1e-6)


def test_text_names_class_and_score_above_the_object() -> None:
    text = named(detection_markers(examples.example_detections3d()), "labels")[0]
    assert text.text == "car 0.95"
    assert text.pose.translation[2] > 1.6


def test_every_marker_expires() -> None:
    array = detection_markers(examples.example_detections3d(), MarkerStyle(lifetime_s=0.3))
    assert {marker.lifetime_s for marker in array.markers} == {0.3}


def test_track_markers_keep_the_ids_of_their_tracks() -> None:
    tracks = examples.example_tracks()
    swapped = dataclasses.replace(
        tracks,
        **{
            f.name: value[::-1]
            for f in dataclasses.fields(tracks)
            if isinstance(value := getattr(tracks, f.name), np.ndarray)
        },
    )
    for array in (track_markers(tracks), track_markers(swapped)):
        assert {marker.id: marker.text for marker in named(array, "labels")} == {
            7: "car #7 8.0 m/s",
            12: "pedestrian #12 1.2 m/s",
        }


def test_names_are_unique_within_an_array() -> None:
    array = track_markers(examples.example_tracks())
    names = [(marker.namespace, marker.id) for marker in array.markers]
    assert len(names) == len(set(names))


def test_velocity_arrows_point_along_the_velocity_and_are_as_long() -> None:
    arrows = named(track_markers(examples.example_tracks()), "velocities")
    assert arrows[1].pose.yaw_rad == pytest.approx(-np.pi / 2)
    assert arrows[1].scale_m[0] == pytest.approx(1.2)


def test_standing_tracks_have_no_velocity_arrow() -> None:
    still = dataclasses.replace(
        examples.example_tracks(), velocities_mps=np.zeros((2, 2), np.float32)
    )
    assert named(track_markers(still), "velocities") == []


def test_no_objects_still_clear_the_view() -> None:
    objects = examples.example_detections3d()
    empty = detection_markers(Detections3D.empty(objects.header, objects.label_set))
    assert empty.markers == ()
    assert MARKERS.encode(empty)  # the codec puts DELETEALL in front


def test_markers_survive_the_wire() -> None:
    array = track_markers(examples.example_tracks())
    decoded = MARKERS.decode(MARKERS.encode(array))
    assert [(m.namespace, m.id) for m in decoded.markers][-len(array.markers) :] == [
        (m.namespace, m.id) for m in array.markers
    ]
