"""First pass of `view`: what the bags hold, when, and what does not belong to one frame."""

from __future__ import annotations

import itertools
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spatial_perception.bags import BagMessage, BagReader
from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.diagnostics import DiagnosticStatus
from spatial_perception.core.labels import (
    KNOWN_LABEL_SETS,
    UNLABELED_NAME,
    LabelSet,
    default_palette,
)
from spatial_perception.core.transforms import TransformTree
from spatial_perception.errors import DecodeError, PerceptionError
from spatial_perception.messages import (
    DETECTIONS_2D,
    DETECTIONS_3D,
    DIAGNOSTICS,
    LABEL_INFO,
    LATENCY,
    TRANSFORMS,
)

STAMPED_TYPES = frozenset(
    {
        "sensor_msgs/msg/Image",
        "sensor_msgs/msg/CompressedImage",
        "sensor_msgs/msg/CameraInfo",
        "sensor_msgs/msg/PointCloud2",
        "vision_msgs/msg/Detection2DArray",
        "vision_msgs/msg/Detection3DArray",
        "nav_msgs/msg/OccupancyGrid",
    }
)
_LATENCY_SUFFIX = "/latency_ms"
_NAMED_COLORS = {
    "red": (255, 64, 64),
    "yellow": (250, 215, 40),
    "amber": (250, 190, 40),
    "green": (60, 220, 110),
}


@dataclass(slots=True, eq=False)
class TopicTimes:
    """One topic: its type, the header stamps of its messages in log order, the first's frame."""

    ros_type: str
    count: int
    stamps_ns: list[int] = field(default_factory=list)
    frame_id: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """How often a class was seen in one frame, and how surely."""

    stamp_ns: int
    count: int
    score_sum: float


@dataclass(slots=True, eq=False)
class RecordingIndex:
    """What the first pass learned.

    Attributes:
        topics: Every topic of the bags; of two bags the first one's where both have it, but for
            transforms, of which all are read.
        start_ns: Log time of the first message.
        end_ns: Log time of the last message.
        tree: All transforms.
        label_sets: Classes that a topic announces (LabelInfo), by topic.
        sightings: Per detection topic and class: when and how surely it was seen.
        latencies_ms: Per stage.
        statuses: The last diagnostics of each component, by its name.
        undecodable: Number of messages per topic that could not be decoded.
    """

    topics: dict[str, TopicTimes] = field(default_factory=dict)
    start_ns: int = 0
    end_ns: int = 0
    tree: TransformTree = field(default_factory=lambda: TransformTree(max_age_s=1e9))
    label_sets: dict[str, LabelSet] = field(default_factory=dict)
    sightings: dict[str, dict[str, list[Sighting]]] = field(default_factory=dict)
    latencies_ms: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, DiagnosticStatus] = field(default_factory=dict)
    undecodable: Counter[str] = field(default_factory=Counter)

    def classes_of(self, topic: str) -> LabelSet:
        """Returns one label set, with lasting colours, for all names seen on a detection topic."""
        names = tuple(sorted({*self.sightings.get(topic, {})} - {UNLABELED_NAME}))
        for known in KNOWN_LABEL_SETS:
            if set(names) <= set(known.names):
                return known
        colors = default_palette(len(names))
        for index, name in enumerate(names):
            colors[index] = _NAMED_COLORS.get(name.lower(), colors[index])
        return LabelSet(names, colors)


def index_bags(
    bags: Sequence[BagReader], min_score: float, progress: Callable[[int, int | None], None]
) -> RecordingIndex:
    """Returns what the bags hold.

    Args:
        bags: The result bag, then the bag of its inputs where that is another one.
        min_score: Objects below this score are not counted.
        progress: Called with the number of messages read and of all.
    """
    index = RecordingIndex()
    index.start_ns = min((bag.start_ns for bag in bags if bag.message_count), default=0)
    index.end_ns = max((bag.end_ns for bag in bags), default=0)
    total = sum(bag.message_count for bag in bags)
    read = itertools.count(1)
    for bag in bags:
        own = [topic for topic in bag.topics if topic not in index.topics]
        for topic in own:
            info = bag.topics[topic]
            index.topics[topic] = TopicTimes(info.ros_type, info.count)
        # A result bag has the mountings alone that replay was given.
        mounts = [name for name, t in bag.topics.items() if t.ros_type == TRANSFORMS.ros_type]
        for message in bag.messages({*own, *mounts}):
            _add(index, message, min_score)
            progress(next(read), total)
    return index


def header_stamp_ns(data: bytes) -> int:
    """Returns the stamp of a message whose first field is its header.

    Raises:
        DecodeError: Fewer bytes than a stamp takes.
    """
    if len(data) < 12:
        raise DecodeError(f"a message of {len(data)} bytes has no header")
    seconds, nanoseconds = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def header_frame_id(data: bytes) -> str:
    """Returns the frame of a message whose first field is its header.

    Raises:
        DecodeError: The bytes end before it does, or it is no text.
    """
    try:
        (length,) = struct.unpack_from("<I" if data[1] & 1 else ">I", data, 12)
        return data[16 : 16 + length].rstrip(b"\0").decode().lstrip("/")
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise DecodeError(f"a message of {len(data)} bytes has no frame") from error


def _add(index: RecordingIndex, message: BagMessage, min_score: float) -> None:
    topic, ros_type = message.topic, message.ros_type
    try:
        if ros_type in STAMPED_TYPES:
            times = index.topics[topic]
            times.stamps_ns.append(header_stamp_ns(message.data))
            times.frame_id = times.frame_id or header_frame_id(message.data)
        if ros_type == TRANSFORMS.ros_type:
            is_static = topic.endswith("tf_static")
            index.tree.add(TRANSFORMS.decode(message.data), static=is_static)
        elif ros_type == LABEL_INFO.ros_type:
            index.label_sets[topic] = LABEL_INFO.decode(message.data)
        elif ros_type == DIAGNOSTICS.ros_type:
            statuses = DIAGNOSTICS.decode(message.data).statuses  # of one node, or of all
            index.statuses |= {status.name: status for status in statuses}
        elif topic.endswith(_LATENCY_SUFFIX) and ros_type == LATENCY.ros_type:
            stage = topic.removesuffix(_LATENCY_SUFFIX).rsplit("/", 1)[-1]
            milliseconds = LATENCY.decode(message.data).milliseconds
            index.latencies_ms.setdefault(stage, []).append(milliseconds)
        elif ros_type == DETECTIONS_2D.ros_type:
            _count(index, topic, DETECTIONS_2D.decode(message.data), min_score)
        elif ros_type == DETECTIONS_3D.ros_type:
            _count(index, topic, DETECTIONS_3D.decode(message.data), min_score)
    except PerceptionError:
        index.undecodable[topic] += 1


def _count(
    index: RecordingIndex, topic: str, found: Detections2D | Detections3D, min_score: float
) -> None:
    classes = index.sightings.setdefault(topic, {})
    kept = found.selected(found.scores >= min_score)
    for label in np.unique(kept.labels):
        of_class = kept.scores[kept.labels == label]
        sighting = Sighting(found.header.stamp_ns, len(of_class), float(of_class.sum()))
        classes.setdefault(kept.label_set.name(int(label)), []).append(sighting)
