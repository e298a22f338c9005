"""The tracker's stage takes the vehicle's motion out, and goes on without it."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from spatial_perception.core import (
    Detections3D,
    Header,
    Odometry,
    Pose,
    StampedTransform,
    Tracks,
    Transforms,
)
from spatial_perception.stages.object_tracker import ObjectTrackerStage, ObjectTrackerStageConfig
from spatial_perception.stages.registry import make_stage
from spatial_perception.stages.stage import DropCause
from test.pipelines.scenes import Mover, seen

EGO_MPS = 10.0
START_NS = 10**18


def ego(time_s: float, offset_m: float = 0.0) -> Pose:
    return Pose.from_yaw(0.0, np.array([EGO_MPS * time_s + offset_m, 0.0, 0.0]))


def moved(time_s: float, pose: Pose) -> Transforms:
    header = Header(START_NS + round(time_s * 1e9), "odom")
    return Transforms((StampedTransform(header, "base_link", pose),))


def from_vehicle(movers: list[Mover], time_s: float, score: float = 0.95) -> Detections3D:
    world = seen(movers, time_s, score=score)
    return world.transformed(ego(time_s).inverse(), "base_link")


class Drive:
    """Runs a stage over a drive of 10 scans a second, tf (or nothing) before each scan."""

    def __init__(self, **options) -> None:
        self.stage = ObjectTrackerStage(ObjectTrackerStageConfig(**options))
        self.tracks: dict[float, Tracks] = {}

    def scan(self, time_s: float, movers: list[Mover], pose: Pose | None = None) -> Tracks | None:
        if pose is not None:
            self.take(self.stage.push("tf", moved(time_s, pose)))
        self.take(self.stage.push("fused", from_vehicle(movers, time_s)))
        return self.tracks.get(round(time_s, 3))

    def take(self, outputs: Iterator[tuple[str, object]]) -> None:
        for name, value in outputs:
            if name == "states":
                time_s = (value.header.stamp_ns - START_NS) / 1e9
                self.tracks[round(time_s, 3)] = value


CARS = [Mover(x=30.0, y=3.0, speed=6.0), Mover(x=20.0, y=-4.0)]


def test_velocities_are_over_ground_and_outputs_in_the_frame_of_the_input() -> None:
    drive = Drive()
    for k in range(20):
        last = drive.scan(0.1 * k, CARS, ego(0.1 * k))
    assert last.header == Header(START_NS + 1_900_000_000, "base_link")
    assert np.allclose(last.velocities_mps, [[6.0, 0.0], [0.0, 0.0]], atol=0.2)
    assert last.centers_m[1, 0] == pytest.approx(20.0 - 19.0, abs=0.2)
    assert drive.stage.status()["ego_motion"] == "tf"
    assert "degraded" not in drive.stage.status()


def test_odom_serves_where_tf_has_no_odometry() -> None:
    drive = Drive()
    for k in range(20):
        header = Header(START_NS + round(1e8 * k), "odom_combined")
        odometry = Odometry(header, "base_link", ego(0.1 * k), np.zeros(3), np.zeros(3))
        drive.take(drive.stage.push("odom", odometry))
        last = drive.scan(0.1 * k, CARS)
    assert np.allclose(last.velocities_mps[0], [6.0, 0.0], atol=0.2)
    assert drive.stage.status()["ego_motion"] == "odom"


def test_without_odometry_it_tracks_in_the_vehicles_frame_and_says_so() -> None:
    drive = Drive()
    for k in range(25):
        last = drive.scan(0.1 * k, CARS)
    assert last.ids.tolist() == [1, 2]
    assert np.allclose(last.velocities_mps[1], [-EGO_MPS, 0.0], atol=0.5)
    assert "odometry missing" in drive.stage.status()["degraded"]


def test_odometry_that_jumps_keeps_ids_and_velocities() -> None:
    drive = Drive()
    for k in range(30):
        last = drive.scan(0.1 * k, CARS, ego(0.1 * k, 50.0 if k >= 15 else 0.0))
        if k > 2:
            assert last.ids.tolist() == [1, 2]
            assert np.abs(last.velocities_mps[1]).max() < 1.0
    assert drive.stage.status()["odometry_jumps"] == "1"


def test_odometry_that_counts_in_utm_gives_the_same_tracks() -> None:
    """Millions of metres from the origin neighbouring float32 are half a metre apart."""
    near, far = Drive(), Drive()
    for k in range(20):
        here = near.scan(0.1 * k, CARS, ego(0.1 * k))
        there = far.scan(0.1 * k, CARS, ego(0.1 * k, 5_336_000.0))
    np.testing.assert_allclose(there.centers_m, here.centers_m, atol=1e-3)
    np.testing.assert_allclose(there.velocities_mps, here.velocities_mps, atol=1e-3)


def test_a_localization_that_jumps_into_utm_keeps_ids_and_velocities() -> None:
    drive = Drive()
    for k in range(30):
        last = drive.scan(0.1 * k, CARS, ego(0.1 * k, 5_336_000.0 if k >= 15 else 0.0))
    assert last.ids.tolist() == [1, 2]
    np.testing.assert_allclose(last.velocities_mps, [[6.0, 0.0], [0.0, 0.0]], atol=0.1)
    assert last.centers_m[1, 0] == pytest.approx(20.0 - 29.0, abs=0.05)


def test_odometry_that_stops_degrades_and_comes_back() -> None:
    drive = Drive(max_wait_ms=200.0)
    for k in range(60):
        has_odometry = k < 20 or k >= 40
        drive.scan(0.1 * k, CARS, ego(0.1 * k) if has_odometry else None)
        if k == 30:
            assert "odometry stopped" in drive.stage.status()["degraded"]
    assert len(drive.tracks) == 60, "no scan is lost"
    assert {tuple(t.ids.tolist()) for s, t in drive.tracks.items() if s > 0.3} == {(1, 2)}
    assert np.allclose(drive.tracks[5.9].velocities_mps[0], [6.0, 0.0], atol=0.4)
    assert "degraded" not in drive.stage.status()


def test_time_that_jumps_back_forgets_tracks_but_not_ids() -> None:
    drive = Drive()
    for k in range(30, 40):
        drive.scan(0.1 * k, CARS, ego(0.1 * k))
    drive.tracks.clear()
    for k in range(10):
        last = drive.scan(0.1 * k, CARS, ego(0.1 * k))
    assert set(last.ids.tolist()).isdisjoint({1, 2})
    assert len(last) == 2


def test_a_scan_waits_for_the_pose_of_its_stamp() -> None:
    drive = Drive()
    drive.scan(0.0, CARS, ego(0.0))
    assert drive.scan(0.1, CARS) is None
    drive.take(drive.stage.push("tf", moved(0.12, ego(0.12))))
    assert 0.1 in drive.tracks


def test_lidar_objects_serve_until_and_after_fused_ones() -> None:
    stage = ObjectTrackerStage(ObjectTrackerStageConfig(fusion_timeout_ms=300.0))

    def push(port: str, time_s: float) -> int:
        return len(list(stage.push(port, from_vehicle(CARS, time_s))))

    assert push("candidates", 0.0) == 3
    assert push("fused", 0.0) == 0, "each stamp is tracked once"
    assert push("candidates", 0.1) == 0
    assert push("fused", 0.1) == 3
    assert stage.status()["detections"] == "fused"
    assert push("candidates", 0.3) == 0
    assert push("candidates", 0.5) == 6, "fusion is silent: what was held back goes on"
    assert stage.status()["detections"] == "lidar"


def test_a_lidar_at_one_hertz_and_an_empty_scene_are_followed() -> None:
    drive = Drive()
    slow = [Mover(x=30.0, speed=EGO_MPS)]
    for k in range(8):
        last = drive.scan(float(k), slow, ego(float(k)))
    assert last.ids.tolist() == [1]
    assert len(drive.scan(8.0, [], ego(8.0))) == 0
    assert len(drive.scan(9.5, [], ego(9.5))) == 0


def test_flush_gives_out_scans_that_wait_for_a_pose() -> None:
    drive = Drive()
    drive.scan(0.0, CARS, ego(0.0))
    drive.scan(0.1, CARS)
    drive.take(drive.stage.flush())
    assert len(drive.tracks) == 2


def test_markers_have_arrows_and_trails() -> None:
    stage = ObjectTrackerStage(ObjectTrackerStageConfig())
    for k in range(10):
        stage.push("tf", moved(0.1 * k, ego(0.1 * k)))
        outputs = dict(stage.push("fused", from_vehicle(CARS, 0.1 * k)))
    shapes = {(marker.namespace, marker.id) for marker in outputs["markers"].markers}
    assert {("velocities", 1), ("trails", 1), ("boxes", 2)} <= shapes
    (trail,) = (m for m in outputs["markers"].markers if (m.namespace, m.id) == ("trails", 1))
    assert np.diff(trail.points[:, 0]).mean() == pytest.approx(0.6, abs=0.1)


def test_autoware_topics_are_there_on_request_alone() -> None:
    plain = make_stage("object_tracker", {})
    assert not [port for port in plain.outputs if "autoware" in port.codec.ros_type]
    stage = make_stage("object_tracker", {"autoware": True})
    types = [
        p.codec.ros_type.split("/")[-1] for p in stage.outputs if "autoware" in p.codec.ros_type
    ]
    assert types == ["DetectedObjects", "TrackedObjects", "PredictedObjects"]
    for k in range(5):
        outputs = dict(stage.push("fused", from_vehicle(CARS, 0.1 * k)))
    ports = {port.name: port for port in stage.outputs}
    for name in ("detected", "tracked", "predicted"):
        assert ports[name].codec.encode(outputs[name])
    assert outputs["predicted"].poses.shape[:2] == (2, 2)
    assert dataclasses.is_dataclass(outputs["tracked"])


@pytest.mark.parametrize("port", ["fused", "candidates"])
def test_detections_that_are_no_newer_than_those_before_are_counted_as_stale(port: str) -> None:
    """As of a detector of one's own whose stamps are all zero."""
    stage = ObjectTrackerStage(ObjectTrackerStageConfig())
    for _ in range(10):
        stage.push(
            port, dataclasses.replace(from_vehicle(CARS, 0.0), header=Header(0, "base_link"))
        )
    assert stage.drops == {DropCause.STALE: 9}


def test_candidates_that_fused_ones_take_the_place_of_are_not_counted() -> None:
    stage = ObjectTrackerStage(ObjectTrackerStageConfig())
    stage.is_fed = lambda port: True
    for k in range(5):
        for port in ("candidates", "fused") if k % 2 else ("fused", "candidates"):
            stage.push(port, from_vehicle(CARS, 0.1 * k))
    assert not stage.drops
