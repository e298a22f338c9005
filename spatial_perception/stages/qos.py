"""Quality of service of a live host's subscriptions, and advice where two sides do not match."""

from __future__ import annotations

from spatial_perception.messages import QosProfile
from spatial_perception.stages.delivery import LOSSLESS_DEPTH
from spatial_perception.stages.host_config import DeliveryMode
from spatial_perception.stages.port import Port, PortKind

_ADVICE_PUBLISHER = {
    "DURABILITY": "it must be transient local; for a bag play it with --qos-profile-overrides-path"
    " (config/bag_play_qos.yaml)",
    "RELIABILITY": "it must be reliable, or set the parameter"
    " qos_overrides.{topic}.subscription.reliability to best_effort",
}
_ADVICE = "see `ros2 topic info -v`"


def subscription_qos(port: Port, mode: DeliveryMode) -> tuple[QosProfile, ...]:
    """Returns the profiles under which an input is subscribed.

    Static transforms are taken twice: transient local for what was published before, volatile
    because many bag players offer no more than that. In mode `lossless` sensor data is taken
    reliably. Outputs of other processes (latched grids, results) are taken as they are offered.
    """
    qos = port.qos
    if port.kind is PortKind.STATIC_TRANSFORM:
        return qos, QosProfile(qos.reliable, transient_local=False, depth=qos.depth)
    if port.kind is PortKind.SENSOR and mode == "lossless":
        return (QosProfile(reliable=True, depth=LOSSLESS_DEPTH),)
    return (qos,)


def incompatible_text(topic: str, policy: str, is_subscribed: bool = True) -> str:
    """Returns a warning: another side of a topic does not match, and what to do.

    Args:
        topic: full name.
        policy: as ROS names it, for example `DURABILITY`.
        is_subscribed: whether the own side subscribes; otherwise it publishes.
    """
    if not is_subscribed:
        return f"a subscription of '{topic}' requests another {policy} than is offered: {_ADVICE}"
    advice = _ADVICE_PUBLISHER.get(policy, _ADVICE).format(topic=topic)
    return f"a publisher of '{topic}' offers another {policy}: {advice}"
