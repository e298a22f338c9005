"""The host in the test's own process: names, delivery, parameters, sources."""

import threading
from collections.abc import Callable, Iterator

import pytest

from spatial_perception.core.examples import example_transforms
from spatial_perception.dds.live import LiveHost, LiveOptions
from spatial_perception.dds.participant import Participant
from spatial_perception.errors import ConfigError
from spatial_perception.messages import (
    COMPRESSED_IMAGE,
    DIAGNOSTICS,
    IMAGE,
    OCCUPANCY_GRID,
    POINT_CLOUD,
    TRANSFORMS,
    QosProfile,
)
from spatial_perception.messages.clock import CLOCK_TYPE, encode_clock
from spatial_perception.stages.registry import build_graph
from spatial_perception.stages.static_transforms import parse_static_transforms

from .bags import GRID, POINTS, STATIC, cloud_bytes
from .network import Peer, wait_until

PICTURE = "/sensing/camera/front/image"


class Running:
    """A host in a thread."""

    def __init__(self, stage: str, parameters: dict, options: LiveOptions) -> None:
        self.graph = build_graph(parameters, (stage,))
        self.stage = self.graph.stages[0]
        self._end = threading.Event()
        host = LiveHost(Participant(), self.graph, parameters, options)
        self._thread = threading.Thread(target=host.run, args=(self._end,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(10.0)


@pytest.fixture
def host() -> Iterator[Callable[..., Running]]:
    """Returns a function that makes a host of one stage; start it."""
    made: list[Running] = []

    def make(stage: str, parameters: dict | None = None, **options: object) -> Running:
        made.append(Running(stage, parameters or {}, LiveOptions(**options)))  # type: ignore
        return made[-1]

    yield make
    for running in made:
        running.stop()


def test_cloud_before_the_engine_is_ready_counts_and_the_node_is_visible(host, peer: Peer) -> None:
    running = host("occupancy_mapper", delivery="lossless")
    is_ready = threading.Event()
    running.stage.load = is_ready.wait
    reports = peer.collect("/diagnostics", DIAGNOSTICS.ros_type)
    running.start()
    wait_until(lambda: reports)
    (status,) = DIAGNOSTICS.decode(reports[0]).statuses
    assert (status.name, status.values["state"]) == ("perception: occupancy_mapper", "loading")
    peer.publisher(POINTS, POINT_CLOUD.ros_type).publish(cloud_bytes(0))
    wait_until(lambda: running.stage.drops["engine"] == 1)
    is_ready.set()


def test_raw_picture_is_preferred_where_both_are_published(host, peer: Peer) -> None:
    host("camera_segmenter", {"camera_segmenter": {}}).start()
    raw = peer.publisher(PICTURE, IMAGE.ros_type)
    compressed = peer.publisher(f"{PICTURE}/compressed", COMPRESSED_IMAGE.ros_type, wait=False)
    wait_until(lambda: raw.matched and not compressed.matched)
    peer.participant.remove(raw)
    wait_until(lambda: compressed.matched)


def test_a_compressed_picture_may_have_the_name_of_the_raw_one(host, peer: Peer) -> None:
    host("camera_segmenter").start()
    peer.publisher(PICTURE, COMPRESSED_IMAGE.ros_type)  # waits until it is subscribed


def test_a_topic_of_another_type_is_named_once(
    host, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING")
    reports = peer.collect("/diagnostics", DIAGNOSTICS.ros_type)
    host("occupancy_mapper").start()
    peer.publisher(POINTS, IMAGE.ros_type, wait=False)
    wait_until(lambda: f"'{POINTS}' is published as {IMAGE.ros_type}" in caplog.text)
    count = len(reports)
    wait_until(lambda: len(reports) > count + 1)
    assert caplog.text.count(f"'{POINTS}' is published as") == 1


def test_parameters_override_the_quality_of_service(host, peer: Peer) -> None:
    overrides = {POINTS: {"subscription": {"reliability": "reliable"}}}
    host("occupancy_mapper", {"occupancy_mapper": {"qos_overrides": overrides}}).start()
    best_effort = peer.publisher(
        POINTS, POINT_CLOUD.ros_type, QosProfile(reliable=False), wait=False
    )
    reliable = peer.publisher(POINTS, POINT_CLOUD.ros_type)
    assert reliable.matched == 1
    assert best_effort.matched == 0


@pytest.mark.parametrize("namespace", ["/", "/car"])
def test_simulated_time_stamps_the_diagnostics(host, peer: Peer, namespace: str) -> None:
    reports = peer.collect("/diagnostics", DIAGNOSTICS.ros_type)
    host("occupancy_mapper", use_sim_time=True, namespace=namespace).start()
    publisher = peer.publisher("/clock", CLOCK_TYPE, QosProfile(reliable=False, depth=1))
    publisher.publish(encode_clock(5_000_000_000))
    wait_until(lambda: reports and DIAGNOSTICS.decode(reports[-1]).header.stamp_ns == 5_000_000_000)


def test_latched_results_reach_those_who_come_later(host, peer: Peer) -> None:
    host("occupancy_mapper", delivery="lossless").start()
    talk = peer.publisher(STATIC, TRANSFORMS.ros_type)
    talk.publish(TRANSFORMS.encode(example_transforms()))
    points = peer.publisher(POINTS, POINT_CLOUD.ros_type)
    early = peer.collect(GRID, OCCUPANCY_GRID.ros_type)
    for index in range(3):
        points.publish(cloud_bytes(index))
    wait_until(lambda: len(early) == 3)
    latched = QosProfile(transient_local=True, depth=10)
    late = peer.collect(GRID, OCCUPANCY_GRID.ros_type, latched)
    wait_until(lambda: late)
    assert late == early[-1:]


def test_a_mounting_may_be_given_instead_of_published(host, peer: Peer) -> None:
    given = parse_static_transforms(["base_link:velodyne:0,0,1.73"])
    host("occupancy_mapper", delivery="lossless", static_transforms=given).start()
    grids = peer.collect(GRID, OCCUPANCY_GRID.ros_type)
    peer.publisher(POINTS, POINT_CLOUD.ros_type).publish(cloud_bytes(0))
    wait_until(lambda: grids)


def test_newest_cloud_wins_and_the_superseded_are_counted(host, peer: Peer) -> None:
    running = host("occupancy_mapper")
    original, is_slow = running.stage.push, threading.Event()

    def push(port: str, value: object):
        is_slow.wait(0.2)
        return original(port, value)

    running.stage.push = push
    running.start()
    wait_until(lambda: running.stage.readiness.value == "ready")
    points = peer.publisher(POINTS, POINT_CLOUD.ros_type)
    for index in range(20):
        points.publish(cloud_bytes(index))
        is_slow.wait(0.02)
    wait_until(lambda: running.stage.drops["superseded"] > 0)


def test_a_use_sim_time_that_is_no_bool_is_refused(host) -> None:
    """As of quotation marks around false, which would be true."""
    with pytest.raises(ConfigError, match="use_sim_time: expected bool, got 'false'"):
        host("occupancy_mapper", {"perception": {"use_sim_time": "false"}})
