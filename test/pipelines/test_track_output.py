"""Covariances of tracks, from the filters to the messages that a planner reads."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import Header, Pose, Tracks
from spatial_perception.messages import PREDICTED_OBJECTS, TRACKED_OBJECTS, TRACKS
from spatial_perception.messages.autoware_msgs import PredictedObjects, TrackedObjects
from spatial_perception.messages.typestore import deserialize
from spatial_perception.messages.vision_msgs import Detection3DArray
from spatial_perception.pipelines.object_tracker import ObjectTracker, ObjectTrackerConfig
from spatial_perception.pipelines.path_prediction import predict_paths
from spatial_perception.pipelines.track_bank import TrackBank
from spatial_perception.pipelines.track_output import covariances
from test.pipelines.scenes import Mover, seen

PLANE = np.ix_([0, 1, 5], [0, 1, 5])


def bank(turns: bool, covariance: np.ndarray) -> TrackBank:
    made = TrackBank.empty(1)
    made.state = np.array([[3.0, -2.0, 0.7, 6.0, 0.2 if turns else -1.5]])
    made.covariance, made.turns = covariance[None], np.array([turns])
    made.ids = np.array([1])
    return made


def motion(state: np.ndarray, turns: bool) -> np.ndarray:
    """x y yaw vx vy yaw_rate, written out."""
    x, y, yaw, first, second = state
    if turns:
        return np.array([x, y, yaw, first * np.cos(yaw), first * np.sin(yaw), second])
    return np.array([x, y, yaw, first, second, 0.0])


@pytest.mark.parametrize("turns", [True, False])
def test_covariances_are_those_of_samples(turns: bool) -> None:
    rng = np.random.default_rng(0)
    root = 0.05 * rng.normal(size=(5, 5))
    own = bank(turns, root @ root.T)
    samples = rng.multivariate_normal(own.state[0], own.covariance[0], 20_000)
    sampled = np.cov(np.array([motion(s, turns) for s in samples]).T)
    found = covariances(own)[0]
    assert np.allclose(found, sampled, atol=0.03 * np.abs(sampled).max())


def followed(yaw: float = 0.4, frames: int = 20) -> Tracks:
    tracker, rng = ObjectTracker(ObjectTrackerConfig()), np.random.default_rng(2)
    movers = [Mover(x=15.0, y=2.0, yaw=yaw, speed=8.0), Mover("pedestrian", x=8.0, speed=1.2)]
    for k in range(frames):
        tracks = tracker(seen(movers, 0.1 * k, rng))
    return tracks


def test_errors_of_a_followed_car_are_as_large_as_its_covariance_says() -> None:
    squared = []
    for seed in range(60):
        tracker, rng = ObjectTracker(ObjectTrackerConfig()), np.random.default_rng(seed)
        for k in range(15):
            tracks = tracker(seen([Mover(x=15.0, speed=8.0)], 0.1 * k, rng, noise_m=0.2))
        off = tracks.centers_m[0, :2] - [15.0 + 8.0 * 1.4, 0.0]
        squared.append(off @ np.linalg.inv(tracks.covariances[0, :2, :2]) @ off)
    # two dimensions: the mean of the squared distance is 2; noise is modelled larger than 0.2 m
    assert 0.1 < np.mean(squared) < 4.0


def test_an_object_that_is_not_seen_grows_less_certain() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(20):
        before = tracker(seen([Mover(x=15.0, speed=8.0)], 0.1 * k))
    after = tracker(seen([], 2.1))
    assert np.linalg.det(after.covariances[0, :2, :2]) > np.linalg.det(
        before.covariances[0, :2, :2]
    )


def test_covariances_turn_with_the_frame() -> None:
    tracks = followed()
    turn = Pose.from_yaw(np.pi / 2, np.array([1.0, 2.0, 0.0]))
    turned = tracks.transformed(turn, "map").covariances
    own = tracks.covariances
    assert np.allclose(turned[:, 0, 0], own[:, 1, 1], rtol=1e-4)
    assert np.allclose(turned[:, 3, 3], own[:, 4, 4], rtol=1e-4)
    assert np.allclose(turned[:, 0, 1], -own[:, 0, 1], rtol=1e-3, atol=1e-6)
    assert np.allclose(turned[:, [2, 5], [2, 5]], own[:, [2, 5], [2, 5]], rtol=1e-4)
    assert np.allclose(tracks.selected(np.array([1])).covariances[0], own[1])


def test_results_carry_the_covariance_of_place_and_heading() -> None:
    tracks = followed()
    message = deserialize(TRACKS.encode(tracks), Detection3DArray)
    for item, own in zip(message.detections, tracks.covariances, strict=True):
        full = item.results[0].pose.covariance.reshape(6, 6).copy()
        assert np.allclose(full[PLANE], own[:3, :3])
        assert np.linalg.eigvalsh(full[PLANE]).min() > 0
        full[PLANE] = 0.0
        assert not full.any(), "z, roll and pitch are not estimated"


def test_autowares_objects_carry_covariances_of_pose_and_twist() -> None:
    tracks = followed(yaw=np.pi / 2)
    predictions = predict_paths(tracks, 2.0, 0.5)
    tracked = deserialize(TRACKED_OBJECTS.encode(tracks), TrackedObjects).objects[0].kinematics
    predicted = deserialize(PREDICTED_OBJECTS.encode(predictions), PredictedObjects).objects[0]
    pose = tracked.pose_with_covariance.covariance.reshape(6, 6)
    twist = tracked.twist_with_covariance.covariance.reshape(6, 6)
    assert np.allclose(pose[PLANE], tracks.covariances[0, :3, :3])
    assert twist[0, 0] == pytest.approx(tracks.covariances[0, 4, 4], rel=0.1), "drives along y"
    assert twist[5, 5] == pytest.approx(tracks.covariances[0, 5, 5], rel=1e-3)
    assert twist[1, 1] < 0.01 * twist[0, 0], "a car does not slide"
    initial = predicted.kinematics.initial_pose_with_covariance.covariance
    assert np.allclose(initial, pose.ravel())


def test_without_covariances_messages_have_zeros() -> None:
    tracks = dataclasses.replace(followed(), covariances=None, header=Header(1, "base_link"))
    message = deserialize(TRACKS.encode(tracks), Detection3DArray)
    assert not any(item.results[0].pose.covariance.any() for item in message.detections)
    kinematics = deserialize(TRACKED_OBJECTS.encode(tracks), TrackedObjects).objects[0].kinematics
    assert not kinematics.twist_with_covariance.covariance.any()
