"""Live delivery: newest sensor message wins, nothing else is lost, every drop is counted."""

import dataclasses
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from spatial_perception.core.examples import example_point_cloud, example_transforms
from spatial_perception.core.header import Header
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS
from spatial_perception.stages import delivery as delivery_module
from spatial_perception.stages.delivery import LiveDelivery
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.host_config import DeliveryMode
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import DropCause
from test.stages.test_graph import Shift


class Gated(Shift):
    """Waits in every push until it is let through."""

    def __init__(self) -> None:
        super().__init__("gated", "/a", "/b")
        self.gate = threading.Event()
        self.entered = threading.Event()

    def push(self, port: str, value: Any) -> Iterable[tuple[str, Any]]:
        self.entered.set()
        assert self.gate.wait(10)
        return super().push(port, value)


def run(count: int, mode: DeliveryMode) -> tuple[Gated, list[int]]:
    stage, published = Gated(), []

    def publish(port: Port, data: bytes) -> None:
        if port.topic == "/b":
            published.append(POINT_CLOUD.decode(data).header.stamp_ns)

    delivery = LiveDelivery(ByteGraph(Graph([stage])), publish, mode)
    for stamp_ns in range(1, count + 1):
        cloud = dataclasses.replace(example_point_cloud(), header=Header(stamp_ns, "lidar"))
        delivery.offer(stage.inputs[0], POINT_CLOUD, POINT_CLOUD.encode(cloud))
        if stamp_ns == 1:
            assert stage.entered.wait(10)
    stage.gate.set()
    assert delivery.drain(10)
    delivery.stop()
    return stage, published


def test_newest_keeps_the_one_in_work_and_the_last_and_counts_the_rest() -> None:
    stage, published = run(20, "newest")
    assert published == [1, 20]
    assert stage.drops == {DropCause.SUPERSEDED: 18}


def test_lossless_processes_everything_in_order() -> None:
    stage, published = run(20, "lossless")
    assert published == list(range(1, 21))
    assert not stage.drops


def test_results_of_another_process_do_not_pile_up_before_a_slow_stage() -> None:
    stage, seen = Gated(), []
    port = dataclasses.replace(stage.inputs[0], kind=PortKind.RESULT)
    stage.inputs = (port,)

    def publish(port: Port, data: bytes) -> None:
        if port.topic == "/b":
            seen.append(POINT_CLOUD.decode(data).header.stamp_ns)

    delivery = LiveDelivery(ByteGraph(Graph([stage])), publish, "newest")
    for stamp_ns in range(1, 31):
        cloud = dataclasses.replace(example_point_cloud(), header=Header(stamp_ns, "lidar"))
        delivery.offer(port, POINT_CLOUD, POINT_CLOUD.encode(cloud))
        if stamp_ns == 1:
            assert stage.entered.wait(10)
    stage.gate.set()
    assert delivery.drain(10)
    delivery.stop()
    assert seen == [1, 26, 27, 28, 29, 30], "the one in work, and as many as its QoS keeps"
    assert stage.drops == {DropCause.SUPERSEDED: 24}


def test_state_of_a_stuck_branch_is_bounded_and_the_oldest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery_module, "STATE_DEPTH", 10)
    stage = Gated()
    tf = Port("tf", "/tf", TRANSFORMS, PortKind.TRANSFORM)
    stage.inputs = (*stage.inputs, tf)
    delivery = LiveDelivery(ByteGraph(Graph([stage])), lambda port, data: None, "newest")
    data = TRANSFORMS.encode(example_transforms())
    delivery.offer(tf, TRANSFORMS, data)
    assert stage.entered.wait(10)
    for _ in range(13):
        delivery.offer(tf, TRANSFORMS, data)
    assert stage.drops == {DropCause.SUPERSEDED: 3}
    stage.push = lambda port, value: ()  # type: ignore[method-assign]
    stage.gate.set()
    assert delivery.drain(10)
    delivery.stop()
