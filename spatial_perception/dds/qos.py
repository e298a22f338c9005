"""Quality of service on DDS, as rmw_cyclonedds maps that of ROS."""

from __future__ import annotations

from typing import Any

from cyclonedds.core import Policy, Qos
from cyclonedds.util import duration

from spatial_perception.messages import QosProfile

BLOCKING_S = 0.1
"""A write waits that long for slow readers before it is tried again: in between it can be ended."""
READ_AHEAD = 64
POLICIES = {
    2: "DURABILITY",
    4: "DEADLINE",
    6: "OWNERSHIP",
    8: "LIVELINESS",
    11: "RELIABILITY",
    12: "DESTINATION_ORDER",
    24: "TYPE_CONSISTENCY",
    23: "DATA_REPRESENTATION",
}
_TYPE_HASH, _ENCLAVE = "typehash", "enclave"


def writer_qos(profile: QosProfile, type_hash: str, keep_all: bool = False) -> Qos:
    """Returns a writer's QoS; what a late subscriber gets is bounded by the profile's depth.

    Args:
        profile: what is offered.
        type_hash: announced to ROS.
        keep_all: nothing is overwritten before reliable readers have it.
    """
    policies = _common(profile, type_hash)
    if profile.transient_local:
        history = _history(profile.depth)
        unlimited = Policy.ResourceLimits()
        policies.append(
            Policy.DurabilityService(
                cleanup_delay=0,
                history=history,
                max_samples=unlimited.max_samples,
                max_instances=unlimited.max_instances,
                max_samples_per_instance=unlimited.max_samples_per_instance,
            )
        )
    depth = 0 if keep_all else profile.depth
    return Qos(*policies, _history(depth), Policy.WriterDataLifecycle(autodispose=False))


def reader_qos(profile: QosProfile, type_hash: str) -> Qos:
    """Returns a reader's QoS; one that keeps all makes reliable writers wait for it."""
    policies = _common(profile, type_hash)
    if not profile.depth:
        policies.append(Policy.ResourceLimits(max_samples=READ_AHEAD))
    return Qos(*policies, _history(profile.depth))


def participant_qos(enclave: str = "/") -> Qos:
    """Returns the QoS by which ROS knows a participant as one of its own."""
    return Qos(Policy.Userdata(data=f"{_ENCLAVE}={enclave};".encode()))


def profile_of(qos: Qos) -> QosProfile:
    """Returns a discovered endpoint's profile; of the history others do not tell, so 0 or 10."""
    reliability, durability = qos[Policy.Reliability], qos[Policy.Durability]
    history = qos[Policy.History]
    depth = history.depth if isinstance(history, Policy.History.KeepLast) else 0
    return QosProfile(
        reliable=isinstance(reliability, Policy.Reliability.Reliable),
        transient_local=durability is not None and durability != Policy.Durability.Volatile,
        depth=depth,
    )


def type_hash_of(qos: Qos) -> str:
    """Returns the type hash in a discovered endpoint's user data, empty where there is none."""
    user_data = qos[Policy.Userdata]
    text = user_data.data.decode("utf-8", "replace") if user_data is not None else ""
    for entry in text.split(";"):
        key, _, value = entry.partition("=")
        if key == _TYPE_HASH:
            return str(value)
    return ""


def _common(profile: QosProfile, type_hash: str) -> list[Any]:
    blocking = duration(seconds=BLOCKING_S)
    reliable = Policy.Reliability.Reliable(max_blocking_time=blocking)
    durability = Policy.Durability
    user_data = f"{_TYPE_HASH}={type_hash};" if type_hash else ""
    return [
        reliable if profile.reliable else Policy.Reliability.BestEffort,
        durability.TransientLocal if profile.transient_local else durability.Volatile,
        Policy.DataRepresentation(use_cdrv0_representation=True),
        Policy.Userdata(data=user_data.encode()),
    ]


def _history(depth: int) -> Any:
    return Policy.History.KeepLast(depth) if depth else Policy.History.KeepAll
