"""The graph: wiring by topic, order, drops, latencies, listening."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from spatial_perception.core import Header, Latency, PointCloud
from spatial_perception.core.examples import example_point_cloud
from spatial_perception.errors import ConfigError, EngineError, TransformError
from spatial_perception.messages import POINT_CLOUD
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.monitor import diagnostics
from spatial_perception.stages.port import Port, PortKind
from spatial_perception.stages.stage import Branch, DropCause, Stage


class Shift(Stage):
    """Moves a cloud by one metre and hands it on."""

    branch = Branch.LIDAR

    def __init__(self, name: str, source: str, target: str) -> None:
        super().__init__()
        self.name = name
        self.inputs = (Port("in", source, POINT_CLOUD, PortKind.SENSOR),)
        self.outputs = (Port("out", target, POINT_CLOUD, PortKind.RESULT),)
        self.resets = 0
        self.is_closed = False

    def push(self, port: str, value: Any) -> Iterable[tuple[str, Any]]:
        return [("out", PointCloud(value.header, value.points + np.float32(1)))]

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.is_closed = True


class Failing(Shift):
    """Raises what it is told to."""

    error: Exception = EngineError("out of memory")

    def push(self, port: str, value: Any) -> Iterable[tuple[str, Any]]:
        raise self.error

    def close(self) -> None:
        super().close()
        raise self.error


def topics(results: Iterable[tuple[Port, Any]]) -> list[str]:
    return [port.topic for port, _ in results]


def test_values_go_from_stage_to_stage_whatever_the_order_given() -> None:
    graph = Graph([Shift("second", "/b", "/c"), Shift("first", "/a", "/b")])
    results = list(graph.push("/a", example_point_cloud(2)))
    assert topics(results) == [
        "/b",
        "/c",
        "/perception/second/latency_ms",
        "/perception/first/latency_ms",
    ]
    expected = example_point_cloud(2).points + 2
    np.testing.assert_array_equal(results[1][1].points, expected)
    assert isinstance(results[-1][1], Latency)


def test_only_unproduced_topics_are_external_inputs() -> None:
    graph = Graph([Shift("second", "/b", "/c"), Shift("first", "/a", "/b")])
    assert [port.topic for port in graph.external_inputs()] == ["/a"]


def test_circles_and_equal_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="feed each other: x, y"):
        Graph([Shift("x", "/a", "/b"), Shift("y", "/b", "/a")])
    with pytest.raises(ConfigError, match="unique"):
        Graph([Shift("x", "/a", "/b"), Shift("x", "/c", "/d")])


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (EngineError("out of memory"), DropCause.ENGINE),
        (TransformError("no way"), DropCause.TRANSFORM),
    ],
)
def test_errors_of_a_stage_are_counted_by_cause_and_stop_no_other(
    error: Exception, cause: DropCause
) -> None:
    failing = Failing("failing", "/a", "/b")
    failing.error = error
    seen: list[tuple[str, DropCause, str]] = []
    graph = Graph([failing, Shift("fine", "/a", "/c")], lambda s, c, m: seen.append((s.name, c, m)))
    assert "/c" in topics(graph.push("/a", example_point_cloud()))
    assert failing.drops == {cause: 1}
    assert seen == [("failing", cause, str(error))]


def test_a_programming_error_is_not_hidden() -> None:
    failing = Failing("failing", "/a", "/b")
    failing.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        list(Graph([failing]).push("/a", example_point_cloud()))


def test_diagnostics_name_frames_drops_and_the_last_error() -> None:
    graph = Graph([Failing("failing", "/a", "/b"), Shift("fine", "/a", "/c")])
    list(graph.push("/a", example_point_cloud()))
    status = {s.name: s for s in diagnostics(graph.monitors.values(), 5).statuses}
    assert status["perception: fine"].values["frames"] == "1"
    failing = status["perception: failing"]
    assert failing.values["dropped_engine"] == "1"
    assert failing.values["last_error"] == "out of memory"
    assert failing.level.name == "ERROR"


def test_a_stage_knows_whether_somebody_takes_its_output() -> None:
    first, second = Shift("first", "/a", "/b"), Shift("second", "/b", "/c")
    graph = Graph([first, second])
    graph.listen(lambda port: False)
    assert first.is_wanted("out"), "the second stage takes it"
    assert not second.is_wanted("out")


def test_reset_reaches_every_stage() -> None:
    first, second = Shift("first", "/a", "/b"), Shift("second", "/b", "/c")
    Graph([first, second]).reset()
    assert (first.resets, second.resets) == (1, 1)


def test_a_stage_that_cannot_close_keeps_no_other_open() -> None:
    stages = [Shift("first", "/a", "/b"), Failing("second", "/b", "/c"), Shift("third", "/c", "/d")]
    with pytest.raises(EngineError, match="out of memory"):
        Graph(stages).close()
    assert [stage.is_closed for stage in stages] == [True] * 3


def test_header_helper_keeps_the_stamp() -> None:
    assert Header(7, "lidar").in_frame("base_link") == Header(7, "base_link")
