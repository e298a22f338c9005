"""What goes wrong on a network: the graph goes on, and says what happened."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spatial_perception.bags import BagReader
from spatial_perception.core.examples import example_transforms
from spatial_perception.messages import DIAGNOSTICS, OCCUPANCY_GRID, POINT_CLOUD, TRANSFORMS

from .bags import GRID, POINTS, START_NS, STATIC, STEP_NS, cloud_bytes, drive
from .network import Command, Peer, stop_limit_s, wait_until

CLOUDS = 7  # one for each STEP_NS; a cloud waits 500 ms of stamps for its transform


class Graph:
    """A live occupancy mapper and what it gives out."""

    def __init__(self, live: Command, peer: Peer) -> None:
        self.live = live
        self.grids = peer.collect(GRID, OCCUPANCY_GRID.ros_type)
        self._reports = peer.collect("/diagnostics", DIAGNOSTICS.ros_type)

    def value(self, name: str) -> int:
        if not self._reports:
            return 0
        (status,) = DIAGNOSTICS.decode(self._reports[-1]).statuses
        return int(status.values.get(name, "0"))

    def stamps_ns(self) -> list[int]:
        return [OCCUPANCY_GRID.decode(data).header.stamp_ns for data in list(self.grids)]


@pytest.fixture
def graph(command: Callable[..., Command], make_peer: Callable[..., Peer]) -> Graph:
    live = command("live", "--stages", "occupancy_mapper", "--delivery", "lossless")
    live.wait_for("1 of 1 stages ready")
    return Graph(live, make_peer("listener"))


def send_clouds(peer: Peer, first: int, count: int) -> None:
    publisher = peer.publisher(POINTS, POINT_CLOUD.ros_type)
    for index in range(first, first + count):
        publisher.publish(cloud_bytes(index))
    assert publisher.wait_for_acks(30.0)


def send_transforms(peer: Peer) -> None:
    data = TRANSFORMS.encode(example_transforms())
    publisher = peer.publisher(STATIC, TRANSFORMS.ros_type)  # volatile, as bag players do
    publisher.publish(data)
    assert publisher.wait_for_acks(30.0)


def test_a_missing_transform_is_named_and_a_late_one_is_used(
    graph: Graph, make_peer: Callable[..., Peer]
) -> None:
    send_clouds(make_peer("early"), 0, CLOUDS)
    graph.live.wait_for("'velodyne'")
    wait_until(lambda: graph.value("dropped_transform") >= 1)
    late = make_peer("late")
    send_transforms(late)
    send_clouds(late, CLOUDS, 1)
    wait_until(lambda: START_NS + CLOUDS * STEP_NS in graph.stamps_ns())
    waited = set(graph.stamps_ns()) - {START_NS + CLOUDS * STEP_NS}
    assert waited, "clouds that waited less than allowed are used"


def test_publishers_come_and_go(graph: Graph, make_peer: Callable[..., Peer]) -> None:
    for index in range(3):
        peer = make_peer(f"lidar_{index}")
        send_transforms(peer)
        send_clouds(peer, index, 1)
        wait_until(lambda index=index: len(graph.grids) == index + 1)
        peer.close()
    assert graph.live.interrupt()[0] == 0


def test_a_killed_player_does_no_harm_and_a_bag_may_loop(
    graph: Graph, command: Callable[..., Command], tmp_path: Path
) -> None:
    bag = drive(tmp_path / "drive", 15)
    player = command("play", bag, "--loop", "--rate", 3, "--wait-for-subscribers")
    wait_until(lambda: len(graph.grids) > 20, what="grids of the second lap")
    player.kill()
    last_ns = START_NS + 14 * STEP_NS
    before = graph.stamps_ns().count(last_ns)
    assert graph.stamps_ns().count(START_NS) >= 2, "the second lap starts afresh"
    again = command("play", bag, "--rate", 3, "--wait-for-subscribers", "--wait-for-all-acked")
    assert again.wait() == 0, again.output
    wait_until(lambda: graph.stamps_ns().count(last_ns) > before)
    code, elapsed_s = graph.live.interrupt()
    assert (code, elapsed_s < stop_limit_s()) == (0, True), graph.live.output


def test_a_killed_subscriber_does_not_stop_the_others(
    graph: Graph, command: Callable[..., Command], make_peer: Callable[..., Peer], tmp_path: Path
) -> None:
    record = command("record", tmp_path / "out", "--topics", GRID)
    record.wait_for(GRID)
    peer = make_peer("lidar")
    send_transforms(peer)
    send_clouds(peer, 0, 2)
    wait_until(lambda: len(graph.grids) == 2)

    def recorded() -> list[bytes]:
        with BagReader(tmp_path / "out") as reader:
            return [bytes(message.data) for message in reader.messages()]

    wait_until(lambda: len(recorded()) == 2, what="the recorder's flush")
    record.kill()
    assert recorded() == graph.grids, "what was recorded outlives the recorder"
    send_clouds(peer, 2, 3)
    wait_until(lambda: len(graph.grids) == 5)


def test_interrupt_ends_the_graph_while_an_engine_is_built(tmp_path: Path) -> None:
    """A loading engine holds a thread that nothing can end; the process leaves nevertheless."""
    code = """
import sys, time
from spatial_perception.cli.main import main
from spatial_perception.stages.occupancy import OccupancyMapperStage
OccupancyMapperStage.load = lambda self: (print("building", flush=True), time.sleep(60))
sys.exit(main(["live", "--stages", "occupancy_mapper"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "building\n"
        time.sleep(0.2)
        start_s = time.monotonic()
        process.send_signal(2)
        assert process.wait(30.0) == 0
        assert time.monotonic() - start_s < stop_limit_s()
    finally:
        process.kill()
