"""Which topic of a bag feeds which input of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spatial_perception.bags import TopicInfo
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.messages import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE, Codec
from spatial_perception.stages.graph import Graph
from spatial_perception.stages.host import remapped, unused_remappings
from spatial_perception.stages.live import DIAGNOSTICS_TOPIC
from spatial_perception.stages.port import Port, PortKind

_OURS = ("/perception/", "/ground_truth/")


@dataclass(frozen=True, slots=True)
class Source:
    """A topic of the bag, the input it feeds and how it is decoded."""

    topic: str
    port: Port
    codec: Codec[Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """The sources, and remarks on what was chosen by type, is missing or fits nothing."""

    sources: tuple[Source, ...]
    remarks: tuple[str, ...]


def select_sources(
    graph: Graph, topics: Mapping[str, TopicInfo], remappings: Mapping[str, str], bag: str
) -> Selection:
    """Returns what feeds the graph: by name first, then by type where only one topic fits.

    Args:
        graph: its external inputs are fed.
        topics: the bag's topics.
        remappings: default topic to actual topic.
        bag: the bag's name, for messages.

    Raises:
        ConfigError: a topic has another type than its input.
        DatasetError: a remapped topic is not in the bag, or no sensor input is fed at all.
    """
    inputs = graph.external_inputs()
    _check_remappings(inputs, topics, remappings, bag)
    sources: dict[str, Source] = {}
    remarks = list(unused_remappings(graph, remappings, (DIAGNOSTICS_TOPIC,)))
    for port in inputs:
        source = _by_name(port, topics, remappings)
        if source is not None:
            sources[port.topic] = source
    by_type = [p for p in inputs if p.kind in (PortKind.SENSOR, PortKind.STATE)]
    for port in sorted(by_type, key=lambda p: p.kind is PortKind.STATE):
        if port.topic in sources:
            continue
        taken = {source.topic for source in sources.values()}
        beside = _beside(port, sources.values(), topics)
        found = beside or _by_type(port, topics, taken)
        is_certain = bool(beside) or port.codec is not CAMERA_INFO or _count_cameras(topics) < 2
        if len(found) == 1 and is_certain:
            sources[port.topic] = found[0]
            remarks.append(f"{port.topic} is taken from {found[0].topic}, the only one that fits")
        elif found:
            listed = ", ".join(source.topic for source in found)
            remarks.append(f"{port.topic} could be {listed}: choose with --remap")
        elif port.kind is PortKind.SENSOR:
            remarks.append(f"nothing in the bag feeds {port.topic}")
    if not any(source.port.kind is PortKind.SENSOR for source in sources.values()):
        listed = ", ".join(f"{name} ({info.ros_type})" for name, info in topics.items()) or "none"
        raise DatasetError(
            f"{bag}: no camera or LiDAR topic for this graph; topics: {listed};"
            " name them with --remap /default/topic:=/topic/in/bag"
        )
    return Selection(tuple(sources.values()), tuple(remarks))


def _check_remappings(
    inputs: tuple[Port, ...],
    topics: Mapping[str, TopicInfo],
    remappings: Mapping[str, str],
    bag: str,
) -> None:
    known = {topic for port in inputs for topic, _ in port.sources}
    for source, target in remappings.items():
        if source in known and target not in topics and f"{target}/compressed" not in topics:
            raise DatasetError(
                f"{bag}: no topic '{target}' (remapped from '{source}'); topics:"
                f" {', '.join(topics)}"
            )


def _by_name(
    port: Port, topics: Mapping[str, TopicInfo], remappings: Mapping[str, str]
) -> Source | None:
    codecs = {codec.ros_type: codec for _, codec in port.sources}
    for default, codec in port.sources:
        topic = remapped(default, remappings)
        info = topics.get(topic)
        if info is None:
            continue
        if info.ros_type == codec.ros_type:
            return Source(topic, port, codec)
        if info.ros_type in codecs:  # e.g. a compressed picture under the raw picture's name
            return Source(topic, port, codecs[info.ros_type])
        expected = " or ".join(codecs)
        raise ConfigError(f"topic '{topic}' has type '{info.ros_type}', expected {expected}")
    return None


def _by_type(port: Port, topics: Mapping[str, TopicInfo], taken: set[str]) -> list[Source]:
    found = {
        topic: Source(topic, port, codec)
        for _, codec in port.sources
        for topic, info in topics.items()
        if info.ros_type == codec.ros_type and topic not in taken and not topic.startswith(_OURS)
    }
    raw = {f"{topic}/compressed" for topic in found}  # of these the compressed form is a copy
    return [source for topic, source in found.items() if topic not in raw]


def _count_cameras(topics: Mapping[str, TopicInfo]) -> int:
    pictures = {
        topic.removesuffix("/compressed")
        for topic, info in topics.items()
        if info.ros_type in (IMAGE.ros_type, COMPRESSED_IMAGE.ros_type)
        and not topic.startswith(_OURS)
    }
    return len(pictures)


def _beside(port: Port, sources: Iterable[Source], topics: Mapping[str, TopicInfo]) -> list[Source]:
    """Returns the state that lies beside the sensor it belongs to, as CameraInfo beside pictures.

    The only CameraInfo of a bag may be that of another camera.
    """
    folder, _, leaf = port.topic.rpartition("/")
    for source in sources:
        if source.port.kind is PortKind.SENSOR and source.port.topic.rpartition("/")[0] == folder:
            topic = source.topic.removesuffix("/compressed").rpartition("/")[0] + f"/{leaf}"
            if topic in topics and topics[topic].ros_type == port.codec.ros_type:
                return [Source(topic, port, port.codec)]
    return []
