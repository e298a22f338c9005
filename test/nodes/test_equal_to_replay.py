"""The live nodes and the bag replay give the same bytes for the same bag."""

import dataclasses
import os
import time
from pathlib import Path

import pytest

from spatial_perception.bags import BagReader
from spatial_perception.replay.run import Replay
from spatial_perception.runtime.models import model_names
from spatial_perception.stages.port import PortKind
from spatial_perception.stages.registry import STAGES, build_graph

pytestmark = [pytest.mark.ros, pytest.mark.slow]
DATA = Path(
    os.environ.get("SPATIAL_PERCEPTION_DATA", Path(__file__).parents[3] / "shared" / "data")
)
CLIP = DATA / "kitti_raw_clip"
GAP_S = 0.05


@pytest.mark.skipif(not CLIP.is_dir(), reason=f"needs the bag {CLIP}")
@pytest.mark.parametrize(
    "stage",
    [
        "occupancy_mapper",
        "lidar_detector",
        "lidar_segmenter",
        "camera_detector",
        "camera_segmenter",
    ],
)
def test_live_outputs_have_the_bytes_of_the_replay(
    stage: str, ros, ros_process, tmp_path: Path
) -> None:
    if stage != "occupancy_mapper" and stage not in model_names():
        pytest.skip(f"needs the model {stage}")
    rclpy = ros()
    from spatial_perception.nodes.qos import ros_qos
    from spatial_perception.nodes.stage_node import message_class

    graph = build_graph({}, (stage,))
    expected = _replayed(stage, tmp_path / "replayed")
    process = ros_process(stage, "-p", "delivery:=lossless")
    node = rclpy.create_node("listener")
    found: dict[str, list[bytes]] = {topic: [] for topic in expected}
    for port in graph.outputs():
        if port.topic in expected:
            take = found[port.topic].append
            kind = message_class(port.codec.ros_type)
            qos = ros_qos(dataclasses.replace(port.qos, depth=100))  # a slow reader misses nothing
            node.create_subscription(kind, port.topic, take, qos, raw=True)
    process.wait_for("stages ready")

    _play(node, graph, message_class)
    end = time.monotonic() + 60
    while any(len(found[t]) < len(expected[t]) for t in expected) and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)

    assert {t: len(m) for t, m in found.items()} == {t: len(m) for t, m in expected.items()}
    assert found == expected
    assert process.interrupt()[0] == 0, process.output


def _replayed(stage: str, output: Path) -> dict[str, list[bytes]]:
    graph = build_graph({}, (stage,))
    Replay(graph, CLIP, output).run()
    graph.close()
    topics = {port.topic for port in STAGES[stage].make(STAGES[stage].config()).outputs}
    messages: dict[str, list[bytes]] = {}
    with BagReader(output) as reader:
        for message in reader.messages(topics):
            messages.setdefault(message.topic, []).append(_padded(bytes(message.data)))
    assert messages
    return messages


def _padded(data: bytes) -> bytes:
    """Returns what arrives of a message: DDS fills the last word with zeros."""
    return data + bytes(-len(data) % 4)


def _play(node, graph, message_class) -> None:
    """Publishes the clip to matched topics; /tf_static volatile, as bag players do."""
    import rclpy

    sources = {t: (port, codec) for port in graph.external_inputs() for t, codec in port.sources}
    with BagReader(CLIP) as reader:
        publishers = {
            topic: node.create_publisher(message_class(info.ros_type), topic, 100)
            for topic, info in reader.topics.items()
            if topic in sources
        }
        end = time.monotonic() + 20
        while any(p.get_subscription_count() == 0 for p in publishers.values()):
            assert time.monotonic() < end, "the node does not subscribe"
            rclpy.spin_once(node, timeout_sec=0.05)
        for message in reader.messages(set(publishers)):
            publishers[message.topic].publish(bytes(message.data))
            if sources[message.topic][0].kind is PortKind.SENSOR:
                rclpy.spin_once(node, timeout_sec=GAP_S)
