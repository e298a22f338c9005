"""Publishers and subscriptions of CDR bytes on a ROS 2 network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cyclonedds.core import InstanceState, ReadCondition, SampleState, ViewState
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.util import duration

from spatial_perception.dds import qos, raw_types
from spatial_perception.messages.typestore import is_known, type_hash

_FRESH = ViewState.Any | SampleState.Any | InstanceState.Any

Receive = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class TopicType:
    """A topic with its type.

    Attributes:
        topic: full ROS name.
        ros_type: `package/msg/Name`, known or not.
        type_hash: `RIHS01_...`; empty for that of a known type.
    """

    topic: str
    ros_type: str
    type_hash: str = ""

    @property
    def digest(self) -> str:
        """The type hash that is announced, empty for an unknown type without one."""
        if self.type_hash or not is_known(self.ros_type):
            return self.type_hash
        return type_hash(self.ros_type)


class Publisher:
    """Publishes CDR bytes on one topic; made by `Participant.publish_on`.

    Attributes:
        what: the topic.
        guid: 16 bytes, as ROS announces them; known also once the endpoint is gone.
    """

    def __init__(self, writer: DataWriter, what: TopicType) -> None:
        self.entity: Any = writer
        self.what = what
        self.guid = bytes(self.entity.guid.bytes)

    @property
    def matched(self) -> int:
        """Number of subscriptions that get what is published."""
        return int(self.entity.get_publication_matched_status().current_count)

    def publish(self, data: bytes, timeout_s: float = float("inf")) -> bool:
        """Publishes a message; returns whether slow reliable readers left room for it in time."""
        end_s = time.monotonic() + timeout_s
        while not raw_types.write(self.entity._ref, data):
            if time.monotonic() >= end_s:
                return False
        return True

    def wait_for_acks(self, timeout_s: float) -> bool:
        """Returns whether all reliable subscriptions have everything, within a time."""
        return raw_types.wait_for_acks(self.entity._ref, duration(seconds=timeout_s))

    def incompatible(self) -> str:
        """Returns the policy that a subscription failed to match on, empty where none did."""
        return _policy(self.entity.get_offered_incompatible_qos_status())


class Subscription:
    """Hands the messages of one topic to a function; made by `Participant.subscribe_to`.

    Attributes:
        what: the topic.
        guid: 16 bytes, as ROS announces them; known also once the endpoint is gone.
    """

    def __init__(self, reader: DataReader, what: TopicType, receive: Receive) -> None:
        self.entity: Any = reader
        self.condition = ReadCondition(reader, _FRESH)
        self.what = what
        self.guid = bytes(self.entity.guid.bytes)
        self._receive = receive
        self._lost = 0

    def newly_lost(self) -> int:
        """Returns how many messages were lost on the network since the last call."""
        before, self._lost = self._lost, int(self.entity.get_sample_lost_status().total_count)
        return self._lost - before

    @property
    def matched(self) -> int:
        """Number of publishers that it gets messages of."""
        return int(self.entity.get_subscription_matched_status().current_count)

    def take(self) -> bool:
        """Hands over the next message; returns whether one was waiting."""
        data = raw_types.take(self.entity._ref)
        if data:
            self._receive(data)
        return data is not None

    def incompatible(self) -> str:
        """Returns the policy that a publisher failed to match on, empty where none did."""
        return _policy(self.entity.get_requested_incompatible_qos_status())


def _policy(status: Any) -> str:
    if not status.total_count:
        return ""
    return qos.POLICIES.get(status.last_policy_id, f"policy {status.last_policy_id}")


def delete(endpoint: Publisher | Subscription) -> None:
    """Takes an endpoint's entity away."""
    raw_types.delete(endpoint.entity._ref)
