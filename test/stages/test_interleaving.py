"""Fusion and tracking give the same results whichever branch of a live host runs ahead."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from spatial_perception.core import (
    CameraImage,
    Header,
    PointCloud,
    Pose,
    StampedTransform,
    Transforms,
)
from spatial_perception.messages import CAMERA_INFO, IMAGE, POINT_CLOUD, TRANSFORMS
from spatial_perception.stages.camera import boxes_port, image_port
from spatial_perception.stages.delivery import LiveDelivery
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.lidar import candidates_port, points_port
from spatial_perception.stages.overlay import camera_info_port
from spatial_perception.stages.registry import make_stage
from spatial_perception.stages.stage import Branch, Stage
from spatial_perception.stages.transforms import TRANSFORM_PORTS
from test.pipelines.test_camera_lidar_fusion import (
    CAR,
    OPTICAL_FROM_BASE,
    PERSON,
    boxes,
    camera,
    objects,
    picture_box,
)

MS = 1_000_000
START_NS = 10**18
TF, STATIC = TRANSFORM_PORTS
POINTS, IMAGES, INFO = points_port(""), image_port("front"), camera_info_port("front")
COMPARED = ("/perception/fusion/detections", "/perception/camera/front/objects")
COMPARED += ("/perception/objects", "/perception/objects/states")
EGO_MPS = 8.0

Event = tuple[Any, Any, Any]  # port, codec, value


class Detector(Stage):
    """Finds a car and a person in every input, as surely as its stamp says."""

    def __init__(self, branch: Branch, pause_s: float = 0.0) -> None:
        super().__init__()
        is_lidar = branch is Branch.LIDAR
        self.name, self.branch, self.pause_s = f"{branch.value}_stub", branch, pause_s
        self.inputs = (POINTS,) if is_lidar else (IMAGES,)
        self.outputs = (candidates_port("") if is_lidar else boxes_port("front"),)
        self._random = np.random.default_rng(5)

    def push(self, port: str, value: Any) -> list[tuple[str, Any]]:
        time.sleep(self.pause_s * self._random.uniform(0, 2))
        stamp_ns = value.header.stamp_ns
        score = 0.3 + 0.6 * (stamp_ns // MS % 997) / 997
        if self.branch is Branch.LIDAR:
            moved_m = EGO_MPS * (stamp_ns - START_NS) / 1e9
            ahead = (CAR[2][0] + 5.0 - moved_m % 10, *CAR[2][1:])
            found = objects((CAR[0], score, ahead, CAR[3]), PERSON)
        else:
            found = boxes(("car", score, picture_box(CAR)), ("person", 0.8, picture_box(PERSON)))
        header = Header(stamp_ns, found.header.frame_id)
        return [(self.outputs[0].name, dataclasses.replace(found, header=header))]


def graph(pause_s: float = 0.0) -> Graph:
    stages = [Detector(Branch.LIDAR, pause_s / 4), Detector(Branch.CAMERA, pause_s)]
    return Graph([*stages, make_stage("camera_lidar_fusion", {}), make_stage("object_tracker", {})])


def drive(seconds: float, camera_hz: float, gap: tuple[float, float]) -> list[tuple[float, Event]]:
    """Returns (log time in ms, event) of a drive whose camera is away for a while."""
    log: list[tuple[float, Event]] = []
    for k in range(round(seconds * 50)):
        header = Header(START_NS + 20 * k * MS, "odom")
        pose = Pose.from_yaw(0.002 * k, np.array([EGO_MPS * 0.02 * k, 0.0, 0.0]))
        event = (TF, TRANSFORMS, Transforms((StampedTransform(header, "base_link", pose),)))
        log.append((20 * k + 12, event))
    points = np.random.default_rng(1).uniform(3, 20, (500, 3)).astype(np.float32)
    for k in range(round(seconds * 10)):
        cloud = PointCloud(Header(START_NS + 100 * k * MS, "base_link"), points)
        log.append((100 * k + 4, (POINTS, POINT_CLOUD, cloud)))
    for k in range(round(seconds * camera_hz)):
        time_ms = 1e3 * k / camera_hz + 7 + 5 * (k % 3)
        if gap[0] <= time_ms < gap[1]:
            continue
        header = Header(START_NS + round(time_ms * MS), "camera")
        log.append((time_ms + 9, (INFO, CAMERA_INFO, dataclasses.replace(camera(), header=header))))
        picture = CameraImage(header, np.zeros((4, 4, 3), np.uint8))
        log.append((time_ms + 10, (IMAGES, IMAGE, picture)))
    mount = StampedTransform(Header(0, "base_link"), "camera", OPTICAL_FROM_BASE.inverse())
    log.append((-1.0, (STATIC, TRANSFORMS, Transforms((mount,)))))
    return sorted(log, key=lambda entry: entry[0])


def results(run: Graph, order: Iterator[tuple[Event, Branch]]) -> list[tuple[str, bytes]]:
    """Returns the outputs of events, each given to the stages of one branch."""
    found = []
    for (port, _, value), branch in order:
        only = [stage for stage in run.stages if stage.branch is branch]
        found += list(run.push(port.topic, value, only))
    found += list(run.flush())
    return encoded((port.topic, port.codec.encode(v)) for port, v in found if is_compared(port))


def count(outputs: list[tuple[str, bytes]], topic: str) -> int:
    return sum(found == topic for found, _ in outputs)


def is_compared(port: Any) -> bool:
    return port.topic in COMPARED


def encoded(outputs: Any) -> list[tuple[str, bytes]]:
    """Returns outputs topic by topic: between topics no order is promised."""
    return sorted(((t, bytes(d)) for t, d in outputs), key=lambda entry: entry[0])


def in_log_order(log: list[tuple[float, Event]]) -> Iterator[tuple[Event, Branch]]:
    for _, event in log:
        yield event, Branch.CAMERA if event[0] is IMAGES else Branch.LIDAR


def delayed(
    log: list[tuple[float, Event]], delays_ms: dict[Branch, Any]
) -> Iterator[tuple[Event, Branch]]:
    """Yields events as two workers get to them that fall behind; each keeps its order."""
    arrivals, last_ms = [], dict.fromkeys(Branch, -np.inf)
    for (log_ms, _), (event, branch) in zip(log, in_log_order(log), strict=True):
        last_ms[branch] = max(last_ms[branch], log_ms + delays_ms[branch]())
        arrivals.append((last_ms[branch], event, branch))
    for _, event, branch in sorted(arrivals, key=lambda entry: entry[0]):
        yield event, branch


NEVER = (1e9, 1e9)
DRIVES = [(10.0, (1000.0, 2500.0)), (15.0, NEVER), (30.0, (1500.0, 1750.0))]


def lags(most_ms: float) -> list[dict[Branch, Any]]:
    """Returns how much branches are behind: one of them always, or both now and then."""
    random = np.random.default_rng(3)
    some, none = (lambda: random.uniform(0, most_ms)), (lambda: 0.0)
    pairs = [(none, lambda: most_ms), (lambda: most_ms, none), (some, some)]
    return [{Branch.LIDAR: lidar, Branch.CAMERA: other} for lidar, other in pairs]


def lossless(pause_s: float = 0.0) -> Graph:
    made = graph(pause_s)
    for stage in made.stages:
        stage.is_lossless = True
    return made


@pytest.mark.parametrize(("camera_hz", "gap"), DRIVES)
def test_without_losses_results_do_not_depend_on_which_branch_runs_ahead(camera_hz, gap) -> None:
    log = drive(4.0, camera_hz, gap)
    expected = results(lossless(), in_log_order(log))
    assert count(expected, COMPARED[0]) == count(expected, COMPARED[3]) == 40
    assert count(expected, COMPARED[1]) > 20, "pairs are formed"
    for behind in lags(2500.0):
        assert results(lossless(), delayed(log, behind)) == expected


@pytest.mark.parametrize(("camera_hz", "gap"), DRIVES)
def test_a_branch_that_is_behind_by_less_than_the_wait_changes_nothing(camera_hz, gap) -> None:
    log = drive(4.0, camera_hz, gap)
    expected = results(graph(), in_log_order(log))
    for behind in lags(150.0):
        assert results(graph(), delayed(log, behind)) == expected


def test_a_camera_that_is_behind_by_more_costs_a_scan_its_boxes_and_no_more() -> None:
    log = drive(3.0, 10.0, NEVER)
    order = delayed(log, {Branch.LIDAR: lambda: 0.0, Branch.CAMERA: lambda: 700.0})
    found = results(graph(), order)
    assert count(found, COMPARED[0]) == count(found, COMPARED[3]) == 30


def test_a_lossless_live_host_gives_the_bytes_of_the_replay() -> None:
    log = drive(3.0, 15.0, (1000.0, 2000.0))
    expected = results(lossless(), in_log_order(log))
    found: list[tuple[str, bytes]] = []
    live = graph(pause_s=0.012)
    host = ByteGraph(live)
    delivery = LiveDelivery(
        host, lambda port, data: found.append((port.topic, data)), mode="lossless"
    )
    for _, (port, codec, value) in log:
        delivery.offer(port, codec, codec.encode(value))
    assert delivery.drain(60)
    assert delivery.stop()
    found += [(port.topic, data) for port, data in host.flush()]
    assert encoded((t, d) for t, d in found if t in COMPARED) == expected
