"""Quality of service as rclpy takes it."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from spatial_perception.messages import QosProfile


def ros_qos(qos: QosProfile) -> QoSProfile:
    """Returns rclpy's profile for ours; depth 0 keeps all."""
    reliable, latched = ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST if qos.depth else HistoryPolicy.KEEP_ALL,
        depth=qos.depth,
        reliability=reliable if qos.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=latched if qos.transient_local else DurabilityPolicy.VOLATILE,
    )
