"""What a bag knows of a topic and of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rosbags.interfaces import (
    ConnectionExtRosbag2,
    MessageDefinitionFormat,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

from spatial_perception.messages.qos import QosProfile

if TYPE_CHECKING:
    from rosbags.interfaces import Connection

_FOREVER = QosTime(sec=9223372036, nsec=854775807)


@dataclass(frozen=True, slots=True)
class BagMessage:
    """One message of a bag: CDR bytes and when they were recorded."""

    topic: str
    ros_type: str
    log_time_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """One topic of a bag.

    Attributes:
        ros_type: `package/msg/Name`.
        count: Number of messages.
        qos: The first publisher's profile, None where the bag has none.
        definition: Full message definition (`ros2msg`), empty where the bag has none.
        type_hash: `RIHS01_...`, empty where the bag has none.
    """

    ros_type: str
    count: int
    qos: QosProfile | None = None
    definition: str = ""
    type_hash: str = ""


def named_info(connection: Connection) -> tuple[str, TopicInfo]:
    """Returns the topic of one connection of rosbags, and what it says of it."""
    definition = ""
    if connection.msgdef.format == MessageDefinitionFormat.MSG:
        definition = connection.msgdef.data
    profiles: list[Qos] = []
    if isinstance(connection.ext, ConnectionExtRosbag2):
        profiles = list(connection.ext.offered_qos_profiles)
    info = TopicInfo(
        ros_type=connection.msgtype,
        count=connection.msgcount,
        qos=_profile(profiles[0]) if profiles else None,
        definition=definition,
        type_hash=connection.digest,
    )
    return connection.topic, info


def merged_topics(parts: Iterable[tuple[str, TopicInfo]]) -> dict[str, TopicInfo]:
    """Returns the topics by name; one of several publishers or files has one entry."""
    topics: dict[str, TopicInfo] = {}
    for topic, info in parts:
        known = topics.get(topic)
        topics[topic] = info if known is None else replace(known, count=known.count + info.count)
    return topics


def _profile(qos: Qos) -> QosProfile:
    return QosProfile(
        reliable=qos.reliability != QosReliability.BEST_EFFORT,
        transient_local=qos.durability == QosDurability.TRANSIENT_LOCAL,
        depth=0 if qos.history == QosHistory.KEEP_ALL else qos.depth,
    )


def rosbag_qos(profile: QosProfile) -> Qos:
    """Returns a profile as rosbag2 records it."""
    return Qos(
        history=QosHistory.KEEP_LAST if profile.depth else QosHistory.KEEP_ALL,
        depth=profile.depth,
        reliability=QosReliability.RELIABLE if profile.reliable else QosReliability.BEST_EFFORT,
        durability=(
            QosDurability.TRANSIENT_LOCAL if profile.transient_local else QosDurability.VOLATILE
        ),
        deadline=_FOREVER,
        lifespan=_FOREVER,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=_FOREVER,
        avoid_ros_namespace_conventions=False,
    )
