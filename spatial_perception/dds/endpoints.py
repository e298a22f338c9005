"""The endpoints that other participants have, as DDS discovers them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cyclonedds.builtin import BuiltinDataReader, BuiltinTopicDcpsPublication
from cyclonedds.core import InstanceState
from cyclonedds.domain import DomainParticipant

from spatial_perception.dds import names, qos
from spatial_perception.messages import QosProfile

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Offer:
    """One publisher of a topic.

    Attributes:
        topic: full ROS name.
        ros_type: `package/msg/Name`.
        qos: what it offers.
        type_hash: `RIHS01_...`, empty where it does not tell.
        participant: GUID of the participant that it belongs to.
    """

    topic: str
    ros_type: str
    qos: QosProfile
    type_hash: str
    participant: bytes


class PublisherWatch:
    """Follows which publishers come and go on a domain.

    Args:
        participant: sees what it can communicate with.
    """

    def __init__(self, participant: DomainParticipant) -> None:
        self._reader = BuiltinDataReader(participant, BuiltinTopicDcpsPublication)
        self._own = participant.guid.bytes
        self._offers: dict[bytes, Offer] = {}
        self._lock = threading.Lock()

    def offers(self) -> Mapping[str, tuple[Offer, ...]]:
        """Returns the publishers of other participants now, by topic."""
        with self._lock:
            while samples := self._reader.take(_BATCH):
                for sample in samples:
                    self._update(sample)
            found: dict[str, tuple[Offer, ...]] = {}
            for offer in self._offers.values():
                found[offer.topic] = (*found.get(offer.topic, ()), offer)
        return found

    def is_published(self, topic: str) -> bool:
        """Returns whether another participant publishes a topic now."""
        return topic in self.offers()

    def _update(self, sample: Any) -> None:
        info = sample.sample_info
        if info.instance_state != InstanceState.Alive or not info.valid_data:
            self._offers.pop(sample.key.bytes, None)
            return
        participant = sample.participant_key.bytes
        topic, ros_type = names.ros_topic(sample.topic_name), names.ros_type(sample.type_name)
        if participant == self._own or topic is None or ros_type is None:
            return
        profile, type_hash = qos.profile_of(sample.qos), qos.type_hash_of(sample.qos)
        self._offers[sample.key.bytes] = Offer(topic, ros_type, profile, type_hash, participant)
