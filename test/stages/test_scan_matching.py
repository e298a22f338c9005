"""Odometry from scans: only where nobody else gives it, and no harm without the package."""

import importlib.util
import sys

import numpy as np
import pytest

from spatial_perception.core import Header, PointCloud, Pose, StampedTransform, Transforms
from spatial_perception.stages.scan_matching import EgoMotionStage, EgoMotionStageConfig

STEP_NS = 100_000_000
has_matcher = importlib.util.find_spec("kiss_icp") is not None


def street(rng: np.random.Generator) -> np.ndarray:
    """Ground with two walls, and boxes along it, that are distinct enough to match."""
    low, high, count = [-30, -10, 0], [60, 10, 0], (20_000, 3)
    ground = rng.uniform(low, high, count)
    walls = rng.uniform(low, [60, 10, 5], count)
    walls[:, 1] = np.where(walls[:, 1] < 0, -10, 10)
    fins = []
    for x in np.cumsum(rng.uniform(2, 6, 20)) - 30:
        fin = rng.uniform([0, 4, 0], [0, 10, 4], (1500, 3)) * [1, rng.choice([-1, 1]), 1]
        fins.append(fin + [x, 0, 0])
    return np.concatenate([ground, walls, *fins]).astype(np.float32)


def make(**options: str) -> EgoMotionStage:
    stage = EgoMotionStage(EgoMotionStageConfig(**options))  # type: ignore[arg-type]
    pose = Pose.from_yaw(0.0, np.zeros(3))
    static = StampedTransform(Header(0, "base_link"), "velodyne", pose)
    stage.push("tf_static", Transforms((static,)))
    return stage


def cloud(index: int, points: np.ndarray) -> PointCloud:
    return PointCloud(Header(index * STEP_NS, "velodyne"), points)


@pytest.mark.skipif(not has_matcher, reason="needs kiss-icp")
def test_the_way_between_scans_is_found() -> None:
    stage, world = make(), street(np.random.default_rng(0))
    for k in range(6):
        pose = Pose.from_yaw(0.02 * k, np.array([0.8 * k, 0.05 * k, 0.0]))
        seen = pose.inverse().apply(world)
        ((port, odometry),) = stage.push("points", cloud(k, seen[np.hypot(*seen[:, :2].T) < 40]))
    assert port == "odometry"
    assert odometry.header == Header(5 * STEP_NS, "odom")
    assert odometry.child_frame_id == "base_link"
    np.testing.assert_allclose(odometry.pose.translation, [4.0, 0.25, 0.0], atol=0.1)
    assert odometry.pose.yaw_rad == pytest.approx(0.1, abs=0.01)
    assert odometry.linear_velocity[0] == pytest.approx(8.0, abs=0.6)
    assert odometry.angular_velocity[2] == pytest.approx(0.2, abs=0.05)
    assert stage.status()["ego_motion"] == "scan_matching"


def test_it_is_idle_while_tf_tells_the_pose() -> None:
    stage = make()
    odom = StampedTransform(Header(0, "odom"), "base_link", Pose.identity())
    stage.push("tf", Transforms((odom,)))
    assert list(stage.push("points", cloud(0, np.zeros((5, 3), np.float32)))) == []
    assert stage.status() == {"ego_motion": "tf", "idle": "run is auto, poses come from tf"}


@pytest.mark.skipif(not has_matcher, reason="needs kiss-icp")
def test_scans_are_matched_once_tf_is_silent_for_a_second_and_begin_a_new_map() -> None:
    stage, world = make(), street(np.random.default_rng(0))
    found = {}
    for k in range(30):
        pose = Pose.from_yaw(0.0, np.array([0.8 * k, 0.0, 0.0]))
        if 4 <= k < 10:
            odom = StampedTransform(Header(k * STEP_NS, "odom"), "base_link", pose)
            stage.push("tf", Transforms((odom,)))
        found[k] = [
            value for _, value in stage.push("points", cloud(k, pose.inverse().apply(world)))
        ]
    assert [k for k, values in found.items() if values] == [*range(4), *range(19, 30)]
    np.testing.assert_array_equal(found[19][0].pose.translation, np.zeros(3))
    np.testing.assert_allclose(found[21][0].pose.translation, [1.6, 0.0, 0.0], atol=0.1)


def test_without_the_package_it_gives_nothing_and_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "kiss_icp.config", None)
    stage = make()
    assert list(stage.push("points", cloud(0, np.zeros((5, 3), np.float32)))) == []
    assert "pip install" in stage.status()["degraded"]
    assert not stage.drops
    odom = StampedTransform(Header(STEP_NS, "odom"), "base_link", Pose.identity())
    stage.push("tf", Transforms((odom,)))
    assert list(stage.push("points", cloud(1, np.zeros((5, 3), np.float32)))) == []
    assert "degraded" not in stage.status(), "the package is no longer missed"
