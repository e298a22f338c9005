"""Changes to quality of service, as ROS's parameters and rosbag2's files write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spatial_perception.config import load_yaml, near_miss, nested
from spatial_perception.errors import ConfigError
from spatial_perception.messages import QosProfile

PARAMETER = "qos_overrides"
_CHOICES = {
    "history": ("keep_last", "keep_all", "system_default"),
    "reliability": ("reliable", "best_effort", "system_default"),
    "durability": ("volatile", "transient_local", "system_default"),
}
_PASSED_OVER = (
    *("deadline", "lifespan", "liveliness", "liveliness_lease_duration"),
    "avoid_ros_namespace_conventions",
)

Policies = Mapping[str, Any]


def with_policies(profile: QosProfile, policies: Policies, where: str) -> QosProfile:
    """Returns a profile changed by `history depth reliability durability`.

    Args:
        profile: what is not named stays as it is.
        policies: values as ROS spells them.
        where: what they are for, in messages.

    Raises:
        ConfigError: an unknown policy or a bad value.
    """
    _check(policies, where)
    changed = profile
    if policies.get("reliability") in ("reliable", "best_effort"):
        changed = replace(changed, reliable=policies["reliability"] == "reliable")
    if policies.get("durability") in ("volatile", "transient_local"):
        changed = replace(changed, transient_local=policies["durability"] == "transient_local")
    if policies.get("depth"):
        changed = replace(changed, depth=policies["depth"])
    if policies.get("history") == "keep_all":
        changed = replace(changed, depth=0)
    return changed


def load_play_overrides(path: Path) -> dict[str, Policies]:
    """Returns policies by full topic name, from a file as `ros2 bag play` takes it.

    Raises:
        ConfigError: the file is unreadable or has another form.
    """
    overrides = load_yaml(path)
    for topic, policies in overrides.items():
        where = f"{path}: {topic}"
        if not isinstance(policies, Mapping):
            raise ConfigError(f"{where}: expected policies such as 'reliability: reliable'")
        _check(policies, where)
    return overrides


def parameter_overrides(parameters: Mapping[str, Any], kind: str) -> dict[str, Policies]:
    """Returns policies by full topic name, from a node's parameters (dotted keys allowed).

    Args:
        parameters: `qos_overrides: {/topic: {subscription: {reliability: reliable}}}` among them.
        kind: `subscription` or `publisher`.

    Raises:
        ConfigError: they have another form.
    """
    own = {key: value for key, value in parameters.items() if key.split(".", 1)[0] == PARAMETER}
    topics = nested(own).get(PARAMETER, {})
    found: dict[str, Policies] = {}
    for topic, kinds in topics.items() if isinstance(topics, Mapping) else ():
        where = f"{PARAMETER}.{topic}"
        if not isinstance(kinds, Mapping) or set(kinds) - {"subscription", "publisher"}:
            raise ConfigError(f"{where}: expected 'subscription:' or 'publisher:' with policies")
        for name, policies in kinds.items():
            if not isinstance(policies, Mapping):
                raise ConfigError(f"{where}.{name}: expected policies")
            _check(policies, f"{where}.{name}")
        if kind in kinds:
            found[topic] = kinds[kind]
    return found


def _check(policies: Policies, where: str) -> None:
    for name, value in policies.items():
        if name in _PASSED_OVER:
            continue
        if name not in (*_CHOICES, "depth"):
            near = near_miss(str(name), (*_CHOICES, "depth"))
            raise ConfigError(f"{where}: unknown policy '{name}'{near}")
        if name == "depth":
            if type(value) is not int or value < 0:
                raise ConfigError(f"{where}: depth: expected a whole number, got {value!r}")
        elif value not in _CHOICES[name]:
            expected = ", ".join(_CHOICES[name])
            raise ConfigError(f"{where}: {name}: expected one of {expected}; got {value!r}")
