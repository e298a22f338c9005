"""Quality of service as rclpy takes it, and what to do where two sides do not match."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from spatial_perception.messages import QosProfile
from spatial_perception.stages.delivery import LOSSLESS_DEPTH
from spatial_perception.stages.host_config import DeliveryMode
from spatial_perception.stages.port import Port, PortKind

ADVICE = {
    "DURABILITY": "it must be transient local; for a bag play it with --qos-profile-overrides-path"
    " (config/bag_play_qos.yaml)",
    "RELIABILITY": "it must be reliable, or set the parameter"
    " qos_overrides.{topic}.subscription.reliability to best_effort",
}


def ros_qos(qos: QosProfile) -> QoSProfile:
    """Returns rclpy's profile for ours; depth 0 keeps all."""
    reliable, latched = ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST if qos.depth else HistoryPolicy.KEEP_ALL,
        depth=qos.depth,
        reliability=reliable if qos.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=latched if qos.transient_local else DurabilityPolicy.VOLATILE,
    )


def subscription_profiles(port: Port, mode: DeliveryMode) -> tuple[QoSProfile, ...]:
    """Returns the profiles under which an input is subscribed.

    Static transforms are taken twice: transient local for what was published before, volatile
    because many bag players offer no more than that. In mode `lossless` sensor data is taken
    reliably. Outputs of other processes (latched grids, results) are taken as they are offered.
    """
    qos = port.qos
    if port.kind is PortKind.STATIC_TRANSFORM:
        volatile = QosProfile(qos.reliable, transient_local=False, depth=qos.depth)
        return ros_qos(qos), ros_qos(volatile)
    if port.kind is PortKind.SENSOR and mode == "lossless":
        return (ros_qos(QosProfile(reliable=True, depth=LOSSLESS_DEPTH)),)
    return (ros_qos(qos),)
