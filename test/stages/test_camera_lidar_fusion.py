"""The fusion stage pairs by stamp, compensates the vehicle's motion and outlives its cameras."""

import dataclasses
import weakref

import numpy as np
import pytest

from spatial_perception.core import (
    Header,
    PinholeCamera,
    PointCloud,
    Pose,
    StampedTransform,
    Transforms,
)
from spatial_perception.stages.camera_lidar_fusion import (
    CameraLidarFusionStage,
    CameraLidarFusionStageConfig,
)
from spatial_perception.stages.stage import DropCause
from test.pipelines.test_camera_lidar_fusion import (
    CAR,
    OPTICAL_FROM_BASE,
    boxes,
    camera,
    objects,
    picture_box,
)

MS = 1_000_000
START_NS = 10**18


def at(value, time_ms: float):
    return dataclasses.replace(
        value, header=Header(START_NS + round(time_ms * MS), value.header.frame_id)
    )


def mounted(**options) -> CameraLidarFusionStage:
    stage = CameraLidarFusionStage(CameraLidarFusionStageConfig(**options))
    mount = StampedTransform(Header(0, "base_link"), "camera", OPTICAL_FROM_BASE.inverse())
    stage.push("tf_static", Transforms((mount,)))
    stage.push("front/camera_info", camera())
    return stage


def names(outputs) -> list[str]:
    return [name for name, _ in outputs]


def scan(stage: CameraLidarFusionStage, time_ms: float, entry=CAR):
    return list(stage.push("candidates", at(objects(entry), time_ms)))


def picture(stage: CameraLidarFusionStage, time_ms: float, entry=CAR):
    return list(
        stage.push("front/candidates", at(boxes(("car", 0.9, picture_box(entry))), time_ms))
    )


def test_whichever_comes_second_completes_the_pair() -> None:
    stage = mounted()
    assert picture(stage, 3) == []
    assert names(scan(stage, 0)) == ["fused", "front/objects"]
    assert scan(stage, 100) == []
    outputs = picture(stage, 103)
    assert names(outputs) == ["fused", "front/objects"]
    assert outputs[0][1].header.stamp_ns == START_NS + 100 * MS
    assert outputs[0][1].scores[0] > CAR[1]


def test_without_any_camera_nothing_waits() -> None:
    stage = mounted()
    ((_, fused),) = scan(stage, 0)
    assert fused.scores[0] == np.float32(CAR[1])
    assert "no boxes yet" in stage.status()["degraded"]


def test_a_camera_that_falls_silent_is_waited_for_a_while_and_then_left_out() -> None:
    stage = mounted(max_wait_ms=200.0, lost_after_ms=500.0)
    picture(stage, 3)
    scan(stage, 0)
    released = [len(scan(stage, 100.0 * k)) for k in range(1, 10)]
    assert released[:2] == [0, 0], "it may still come"
    assert released[6:] == [1, 1, 1], "it is lost: one scan in, one out"
    assert sum(released) == 9, "no scan is lost"
    assert "silent" in stage.status()["camera_front"]


def test_boxes_after_their_scan_went_out_are_counted() -> None:
    stage = mounted(max_wait_ms=100.0)
    picture(stage, 3)
    for k in range(4):
        scan(stage, 100.0 * k)
    picture(stage, 103)
    assert stage.drops[DropCause.EXPIRED] == 1


def test_the_vehicles_motion_between_scan_and_picture_is_taken_out() -> None:
    stage = mounted()
    for time_ms, x in ((-50.0, -2.0), (0.0, 0.0)):
        moved = StampedTransform(
            Header(START_NS + round(time_ms * MS), "odom"),
            "base_link",
            Pose.from_yaw(0.0, np.array([x, 0.0, 0.0])),
        )
        stage.push("tf", Transforms((moved,)))
    nearer = (CAR[0], CAR[1], (CAR[2][0] - 2.0, *CAR[2][1:]), CAR[3])
    picture(stage, 50, nearer)  # 50 ms later the car is 2 m nearer
    outputs = dict(scan(stage, 0))
    assert outputs["fused"].scores[0] > CAR[1]
    found = outputs["front/objects"]
    assert found.ranges_m[0] == pytest.approx(np.hypot(18.0, 0.7), abs=0.01)


@pytest.mark.parametrize("late_ms", [0.0, 120.0])
@pytest.mark.parametrize("is_lossless", [False, True])
@pytest.mark.parametrize("every", [1, 2, 10, 50])
def test_a_camera_is_used_however_rarely_its_camera_info_comes(
    every: int, is_lossless: bool, late_ms: float
) -> None:
    stage = mounted()
    stage.reset()  # forgets a calibration's stamp from long ago
    stage.is_lossless, stage.is_fed = is_lossless, lambda port: True
    inputs = []
    for k in range(100):
        if k % every == 0:
            inputs.append((100.0 * k + 3, "info", 100.0 * k + 3))
        inputs.append((100.0 * k + 3.1 + late_ms, "picture", 100.0 * k + 3))
        inputs.append((100.0 * k + 4, "scan", 100.0 * k))
    outputs = []
    for _, kind, time_ms in sorted(inputs):
        if kind == "info":
            outputs += stage.push("front/camera_info", at(camera(), time_ms))
        else:
            outputs += (scan if kind == "scan" else picture)(stage, time_ms)
    outputs += stage.flush()
    assert names(outputs).count("fused") == 100
    assert names(outputs).count("front/objects") >= 95, "but for some of the first"


UNCALIBRATED = PinholeCamera(Header(5, "camera"), 640, 480, np.zeros((3, 3)))
FOREIGN = PinholeCamera(Header(5, "camera"), 640, 480, np.eye(3), np.array([0.1]), "radtan")


@pytest.mark.parametrize(
    ("calibration", "trouble"),
    [
        (None, "no camera_info"),
        (UNCALIBRATED, "not calibrated"),
        (FOREIGN, "model 'radtan'"),
        (dataclasses.replace(camera(), width=0, height=0), "without a size"),
        (dataclasses.replace(camera(), distortion=np.full(5, np.nan)), "D is not finite"),
        (dataclasses.replace(camera(), matrix=camera().matrix + [0, 0, np.inf]), "K or D is not"),
    ],
)
def test_a_camera_that_cannot_project_degrades_and_says_so(
    calibration: PinholeCamera | None, trouble: str
) -> None:
    stage = CameraLidarFusionStage(CameraLidarFusionStageConfig())
    if calibration is not None:
        stage.push("front/camera_info", calibration)
    picture(stage, 3)
    ((_, fused),) = scan(stage, 0)
    assert fused.scores[0] == np.float32(CAR[1])
    assert trouble in stage.status()["camera_front"]


@pytest.mark.parametrize("size", [(1280, 960), (320, 240), (640, 240), None])
def test_boxes_of_pictures_of_another_size_than_the_calibration_are_not_used(size) -> None:
    """As of drivers that shrink the picture and leave camera_info as it was, or enlarge it."""
    stage = mounted()
    found = boxes(("car", 0.9, picture_box(CAR)), ("car", 0.9, (900.0, 700.0, 1000.0, 800.0)))
    stage.push("front/candidates", dataclasses.replace(at(found, 3), picture_wh=size))
    ((_, fused),) = scan(stage, 0)
    assert fused.scores[0] == np.float32(CAR[1])
    assert "camera front: camera_info is for pictures of 640x480" in stage.status()["degraded"]
    assert stage.status()["degraded"].endswith(
        f"these have {size[0]}x{size[1]}" if size else "its boxes lie outside of them"
    )


@pytest.mark.parametrize("size", [(640, 480), (641, 479), None])
def test_boxes_of_pictures_of_the_calibrations_size_are_used(size) -> None:
    stage = mounted()
    found = boxes(("car", 0.9, picture_box(CAR)), ("car", 0.9, (500.0, 300.0, 700.0, 500.0)))
    stage.push("front/candidates", dataclasses.replace(at(found, 3), picture_wh=size))
    assert names(scan(stage, 0)) == ["fused", "front/objects"]
    assert "degraded" not in stage.status()


def test_a_camera_without_a_transform_is_a_counted_drop() -> None:
    stage = CameraLidarFusionStage(CameraLidarFusionStageConfig())
    stage.push("front/camera_info", camera())
    picture(stage, 3)
    assert names(scan(stage, 0)) == ["fused"]
    assert stage.drops[DropCause.TRANSFORM] == 1
    assert "cannot be placed" in stage.status()["degraded"]


def test_a_badly_calibrated_camera_is_noticed_and_no_longer_believed() -> None:
    stage = mounted()
    sure = (CAR[0], 0.95, CAR[2], CAR[3])
    elsewhere = (CAR[0], CAR[1], (20.0, 6.0, 0.8), CAR[3])
    for k in range(30):
        picture(stage, 100.0 * k, elsewhere)
        outputs = dict(scan(stage, 100.0 * k, sure))
    assert "check its calibration" in stage.status()["degraded"]
    assert outputs["fused"].scores[0] == np.float32(0.95)


def test_the_scans_points_are_waited_for_like_a_camera() -> None:
    stage = mounted()
    mount = StampedTransform(Header(0, "base_link"), "velodyne", Pose.identity())
    stage.push("tf_static", Transforms((mount,)))
    cloud = PointCloud(Header(START_NS, "velodyne"), np.zeros((4, 3), np.float32))
    stage.push("points", cloud)
    picture(stage, 3)
    assert names(scan(stage, 0)) == ["fused", "front/objects"]
    picture(stage, 103)
    assert scan(stage, 100) == [], "its cloud is on the way"
    assert names(stage.push("points", at(cloud, 100))) == ["fused", "front/objects"]


def test_scans_that_no_objects_follow_are_not_kept() -> None:
    stage = mounted()
    kept = []
    for k in range(100):
        points = np.zeros((1, 3), np.float32)
        stage.push("points", PointCloud(Header(START_NS + 100 * k * MS, "velodyne"), points))
        kept.append(weakref.ref(points))
        del points
    assert 1 <= sum(ref() is not None for ref in kept) <= 21


def test_flush_gives_out_what_waits() -> None:
    stage = mounted()
    picture(stage, 3)
    scan(stage, 0)
    scan(stage, 100)
    assert names(stage.flush()) == ["fused"]


def test_time_that_jumps_back_starts_afresh() -> None:
    stage = mounted()
    for time_ms in (0.0, 5000.0, 10.0):
        picture(stage, time_ms + 3)
        assert "fused" in names(scan(stage, time_ms))
    assert scan(stage, 10.0) == []
    assert stage.drops[DropCause.STALE] == 1
