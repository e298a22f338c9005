"""Autoware's messages say what Autoware's definitions mean by their fields."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.messages import DETECTED_OBJECTS, PREDICTED_OBJECTS, TRACKED_OBJECTS
from spatial_perception.messages.autoware_msgs import (
    DetectedObjects,
    PredictedObjects,
    TrackedObjects,
)
from spatial_perception.messages.typestore import definition_text, deserialize


def test_classes_have_autowares_numbers() -> None:
    message = deserialize(DETECTED_OBJECTS.encode(examples.example_detections3d()), DetectedObjects)
    assert [item.classification[0].label for item in message.objects] == [1, 7]  # CAR, PEDESTRIAN


def test_a_twist_is_in_the_axes_of_the_object() -> None:
    tracks = dataclasses.replace(
        examples.example_tracks(),
        yaws_rad=np.array([np.pi / 2, 0.0], np.float32),
        velocities_mps=np.array([[0.0, 5.0], [0.1, 0.0]], np.float32),
    )
    message = deserialize(TRACKED_OBJECTS.encode(tracks), TrackedObjects)
    first, second = (item.kinematics for item in message.objects)
    assert first.twist_with_covariance.twist.linear.x == pytest.approx(5.0)
    assert first.twist_with_covariance.twist.linear.y == pytest.approx(0.0, abs=1e-6)
    assert (first.is_stationary, second.is_stationary) == (False, True)


def test_tracks_come_back_with_ids_and_velocities() -> None:
    tracks = examples.example_tracks()
    back = TRACKED_OBJECTS.decode(TRACKED_OBJECTS.encode(tracks))
    assert back.ids.tolist() == tracks.ids.tolist()
    assert np.allclose(back.velocities_mps, tracks.velocities_mps, atol=1e-5)


def test_people_are_cylinders() -> None:
    message = deserialize(TRACKED_OBJECTS.encode(examples.example_tracks()), TrackedObjects)
    assert [item.shape.type for item in message.objects] == [0, 1]
    assert message.objects[1].shape.dimensions.x == message.objects[1].shape.dimensions.y


def test_predicted_paths_keep_their_order_and_confidence() -> None:
    predictions = examples.example_predictions()
    data = PREDICTED_OBJECTS.encode(predictions)
    message = deserialize(data, PredictedObjects)
    paths = message.objects[0].kinematics.predicted_paths
    assert [path.confidence for path in paths] == [0.75, 0.25]
    assert (paths[0].time_step.sec, paths[0].time_step.nanosec) == (0, 500_000_000)
    back = PREDICTED_OBJECTS.decode(data)
    assert np.allclose(back.poses, predictions.poses, atol=1e-5)


def test_definitions_have_the_fields_of_the_published_ones() -> None:
    """Field lists of autoware_perception_msgs 1.12, read in autowarefoundation/autoware_msgs."""
    text = definition_text("autoware_perception_msgs/msg/TrackedObject")
    order = ["object_id", "existence_probability", "classification", "kinematics", "shape"]
    places = [text.index(f" {name}") for name in order]
    assert places == sorted(places)
