"""Live hosts: stages that are off or still loading, listeners, messages that break a stage."""

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from spatial_perception.core.examples import example_point_cloud, example_transforms
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS
from spatial_perception.stages.delivery import LiveDelivery
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import ByteGraph
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import DropCause, Readiness
from test.stages.test_graph import Shift, topics

TF = Port("tf", "/tf", TRANSFORMS, PortKind.TRANSFORM)


class Recorder(Shift):
    """Remembers which ports were pushed."""

    def __init__(self) -> None:
        super().__init__("recorder", "/a", "/b")
        self.inputs = (*self.inputs, TF)
        self.pushed: list[str] = []

    def push(self, port: str, value: Any) -> Iterable[tuple[str, Any]]:
        self.pushed.append(port)
        return super().push(port, value) if port == "in" else ()


@pytest.mark.parametrize(
    ("readiness", "drops"),
    [
        (Readiness.LOADING, {DropCause.ENGINE: 1}),
        (Readiness.FAILED, {DropCause.ENGINE: 1}),
        (Readiness.INACTIVE, {}),
    ],
)
def test_unready_stage_takes_transforms_but_no_sensor_data(
    readiness: Readiness, drops: dict[DropCause, int]
) -> None:
    stage = Recorder()
    stage.readiness = readiness
    graph = Graph([stage])
    assert topics(graph.push("/tf", example_transforms())) == []
    assert topics(graph.push("/a", example_point_cloud())) == []
    assert stage.pushed == ["tf"]
    assert stage.drops == drops


def test_a_stage_that_is_released_while_a_value_waits_for_it_takes_none() -> None:
    stage = Recorder()
    graph = Graph([stage])

    @contextmanager
    def released_before() -> Iterator[None]:
        stage.readiness = Readiness.INACTIVE
        yield

    graph._locks[stage.name] = released_before()  # type: ignore[assignment]
    assert topics(graph.push("/a", example_point_cloud())) == []
    assert stage.pushed == []


def test_release_makes_a_stage_forget_and_frees_it() -> None:
    stage = Recorder()
    closed: list[bool] = []
    stage.close = lambda: closed.append(True)  # type: ignore[method-assign]
    Graph([stage]).release(stage)
    assert (stage.resets, closed) == (1, [True])


def test_only_what_somebody_listens_to_is_encoded() -> None:
    listened: set[str] = set()
    stage = Shift("shift", "/a", "/b")
    host = ByteGraph(Graph([stage]), is_listened=lambda port: port.topic in listened)

    def outputs(stamp_ns: int) -> list[str]:
        cloud = example_point_cloud()
        later = dataclasses.replace(
            cloud, header=dataclasses.replace(cloud.header, stamp_ns=stamp_ns)
        )
        data = POINT_CLOUD.encode(later)
        return [port.topic for port, _ in host.push(stage.inputs[0], POINT_CLOUD, data)]

    assert outputs(1) == []
    listened.add("/b")
    assert outputs(2) == ["/b"]


def test_latched_outputs_are_encoded_without_listeners() -> None:
    stage = Shift("shift", "/a", "/b")
    stage.outputs = (dataclasses.replace(stage.outputs[0], kind=PortKind.LATCHED),)
    host = ByteGraph(Graph([stage]), is_listened=lambda port: False)
    data = POINT_CLOUD.encode(example_point_cloud())
    assert [p.topic for p, _ in host.push(stage.inputs[0], POINT_CLOUD, data)] == ["/b"]


def test_branch_goes_on_after_a_message_that_breaks_a_stage() -> None:
    stage, said = Shift("shift", "/a", "/b"), []
    published: list[str] = []
    push = stage.push
    stage.push = lambda port, value: 1 / 0  # type: ignore[method-assign]
    host = ByteGraph(Graph([stage]), on_drop=lambda topic, cause, text: said.append((cause, text)))
    delivery = LiveDelivery(host, lambda port, data: published.append(port.topic), "lossless")
    cloud = example_point_cloud()
    for stamp_ns in (1, 2):
        header = dataclasses.replace(cloud.header, stamp_ns=stamp_ns)
        data = POINT_CLOUD.encode(dataclasses.replace(cloud, header=header))
        delivery.offer(stage.inputs[0], POINT_CLOUD, data)
        assert delivery.drain(5.0)
        stage.push = push  # type: ignore[method-assign]
    assert delivery.stop(5.0)
    assert said == [(DropCause.ENGINE, "ZeroDivisionError: division by zero")]
    assert published[0] == "/b"
