"""Options of a host: what every node has besides the options of its stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from spatial_perception.config import from_mapping, nested, option

DeliveryMode = Literal["newest", "lossless"]


@dataclass(frozen=True, slots=True)
class DiagnosticsConfig:
    """From when on `/diagnostics` says WARN or ERROR, judged over the last seconds."""

    window_s: float = option(5.0, help="time that is looked at", unit="s", range=(1, 3600))
    warn_latency_ms: float = option(
        200.0,
        help="WARN where the 99th percentile from sensor stamp to publish is higher; 0 for never",
        unit="ms",
        range=(0, 60_000),
    )
    error_latency_ms: float = option(1000.0, help="ERROR likewise", unit="ms", range=(0, 60_000))
    warn_drop_percent: float = option(
        10.0, help="WARN where more inputs are dropped; 100 for never", unit="%", range=(0, 100)
    )
    error_drop_percent: float = option(50.0, help="ERROR likewise", unit="%", range=(0, 100))
    warn_rate_hz: float = option(
        0.0, help="WARN where fewer inputs a second are processed", unit="Hz", range=(0, 1000)
    )
    error_rate_hz: float = option(0.0, help="ERROR likewise", unit="Hz", range=(0, 1000))


@dataclass(frozen=True, slots=True)
class HostConfig:
    """Options of a live host; replay passes over them."""

    delivery: DeliveryMode = option(
        "newest",
        help="newest: a sensor message that is overtaken before it was looked at is dropped and"
        " counted; lossless: every message is processed, sensor topics are taken reliably."
        " In one process `perception` decides for all stages",
    )
    autostart: bool = option(
        True, help="configure and activate at start, without a lifecycle manager"
    )
    diagnostics: DiagnosticsConfig = option(
        default_factory=DiagnosticsConfig, help="thresholds of /diagnostics"
    )


HOST_OPTIONS = ("use_sim_time", "qos_overrides", *(field.name for field in fields(HostConfig)))


def host_config(node: str, given: Mapping[str, Any]) -> HostConfig:
    """Returns the host's options among the plain parameters (dotted keys allowed) of a node.

    Raises:
        ConfigError: an unknown option of a group or a bad value.
    """
    own = {field.name for field in fields(HostConfig)}
    values = {key: value for key, value in given.items() if key.split(".", 1)[0] in own}
    return from_mapping(HostConfig, nested(values), f"node '{node}'")


def is_host_option(key: str) -> bool:
    """Returns whether a parameter (dotted keys allowed) is the host's, not the stage's."""
    return key.split(".", 1)[0] in HOST_OPTIONS
