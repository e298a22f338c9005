"""Ports: what a stage takes and gives, under which topic and with which delivery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from spatial_perception.messages import Codec, QosProfile


class PortKind(Enum):
    """Quality of service and delivery, see docs/design.md."""

    SENSOR = "sensor"
    STATE = "state"
    TRANSFORM = "transform"
    STATIC_TRANSFORM = "static_transform"
    RESULT = "result"
    LATCHED = "latched"


QOS = {
    PortKind.SENSOR: QosProfile(reliable=False, transient_local=False, depth=1),
    PortKind.STATE: QosProfile(reliable=True, transient_local=False, depth=50),
    PortKind.TRANSFORM: QosProfile(reliable=True, transient_local=False, depth=100),
    PortKind.STATIC_TRANSFORM: QosProfile(reliable=True, transient_local=True, depth=100),
    PortKind.RESULT: QosProfile(reliable=True, transient_local=False, depth=5),
    PortKind.LATCHED: QosProfile(reliable=True, transient_local=True, depth=1),
}


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a stage.

    Args:
        name: unique among the inputs or the outputs of its stage.
        topic: default topic; hosts remap it.
        codec: message type and conversion.
        kind: delivery.
        alternatives: further (topic, codec) pairs an input is taken from, for example the
            compressed picture beside the raw one.
    """

    name: str
    topic: str
    codec: Codec[Any]
    kind: PortKind
    alternatives: tuple[tuple[str, Codec[Any]], ...] = ()

    @property
    def qos(self) -> QosProfile:
        """The quality of service of this kind of port."""
        return QOS[self.kind]

    @property
    def sources(self) -> tuple[tuple[str, Codec[Any]], ...]:
        """All (topic, codec) pairs that feed an input, the preferred one first."""
        return ((self.topic, self.codec), *self.alternatives)
