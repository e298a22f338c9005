"""Bytes in, bytes out: decoding errors, stale messages, time that jumps back."""

import dataclasses

import pytest

from spatial_perception.core.examples import STAMP_NS, example_point_cloud
from spatial_perception.core.header import Header
from spatial_perception.errors import ConfigError
from spatial_perception.messages import POINT_CLOUD
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import (
    ByteGraph,
    parse_remappings,
    remapped,
    unused_remappings,
)
from spatial_perception.stages.stage import DropCause
from test.stages.test_graph import Shift

S = 1_000_000_000


def cloud_bytes(stamp_ns: int) -> bytes:
    cloud = example_point_cloud()
    return POINT_CLOUD.encode(dataclasses.replace(cloud, header=Header(stamp_ns, "lidar")))


def make() -> tuple[Shift, ByteGraph]:
    stage = Shift("shift", "/a", "/b")
    return stage, ByteGraph(Graph([stage]))


def push(host: ByteGraph, stage: Shift, data: bytes) -> list[str]:
    return [port.topic for port, _ in host.push(stage.inputs[0], POINT_CLOUD, data)]


def test_results_are_encoded() -> None:
    stage, host = make()
    outputs = list(host.push(stage.inputs[0], POINT_CLOUD, cloud_bytes(STAMP_NS)))
    assert POINT_CLOUD.decode(outputs[0][1]).header == Header(STAMP_NS, "lidar")


def test_broken_bytes_are_one_counted_drop() -> None:
    stage, host = make()
    assert push(host, stage, cloud_bytes(STAMP_NS)[:40]) == []
    assert stage.drops == {DropCause.DECODE: 1}
    assert "PointCloud2" in stage.last_error


def test_a_message_that_is_not_newer_is_stale() -> None:
    stage, host = make()
    assert push(host, stage, cloud_bytes(10 * S))
    assert push(host, stage, cloud_bytes(10 * S)) == []
    assert push(host, stage, cloud_bytes(10 * S - 1)) == []
    assert stage.drops == {DropCause.STALE: 2}
    assert "not later than the one before" in stage.last_error


def test_a_looping_bag_makes_every_stage_forget_and_goes_on() -> None:
    stage, host = make()
    assert push(host, stage, cloud_bytes(10 * S))
    assert push(host, stage, cloud_bytes(2 * S))
    assert stage.resets == 1
    assert push(host, stage, cloud_bytes(3 * S))
    assert not stage.drops


def test_remappings() -> None:
    table = parse_remappings(["/sensing/camera/front/image:=/cam/image"])
    assert remapped("/sensing/camera/front/image", table) == "/cam/image"
    assert remapped("/sensing/camera/front/image/compressed", table) == "/cam/image/compressed"
    assert remapped("/tf", table) == "/tf"
    with pytest.raises(ConfigError, match="expected /default/topic:=/actual/topic"):
        parse_remappings(["points=/x"])


def test_a_remapping_that_fits_no_topic_is_told() -> None:
    graph = Graph([Shift("shift", "/points", "/boxes")])
    table = {"/point": "/x", "/points": "/x", "/boxes": "/y", "/car1/points": "/z", "/clock": "/c"}
    lines = unused_remappings(graph, table, ("/clock",), "/car1")
    assert lines == ("remapping of /point: no stage here has that topic; did you mean '/points'?",)
