"""Topic names as ROS resolves them; needs no ROS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from spatial_perception.errors import ConfigError

_TOKEN = re.compile("[A-Za-z_][A-Za-z0-9_]*")
ABSOLUTE = ("/tf", "/tf_static", "/diagnostics", "/clock")


def relative(topic: str) -> str:
    """Returns the name under which a node opens a topic: a namespace moves all but the few that
    ROS keeps in one place for everybody."""
    return topic if topic in ABSOLUTE else topic.lstrip("/")


def resolved_source(topic: str, preferred: str, resolve: Callable[[str, bool], str]) -> str:
    """Returns the full name of one of an input's topics after remapping.

    A compressed picture follows its raw topic, as with image_transport, unless it is remapped
    itself.

    Args:
        topic: default topic of the source.
        preferred: default topic of the input's first source.
        resolve: full name of (name, whether only to expand it without remapping).
    """
    name = resolve(relative(topic), False)
    base = resolve(relative(preferred), False)
    is_derived = topic != preferred and topic.startswith(f"{preferred}/")
    if not is_derived or name != resolve(relative(topic), True):
        return name
    return base + topic[len(preferred) :]


def check_sensor_names(cameras: Iterable[str], lidars: Iterable[str], where: str) -> None:
    """Raises where names of sensors make no topics.

    Args:
        cameras: each one part of a topic's name.
        lidars: likewise, of several parts, or empty: a lone LiDAR needs no name.
        where: they are from, for the message.

    Raises:
        ConfigError: a name is none.
    """
    parts = [(name, name) for name in cameras]
    parts += [(name, part) for name in lidars if name for part in name.split("/")]
    for name, part in parts:
        if not _TOKEN.fullmatch(part):
            raise ConfigError(
                f"{where}: '{name}' is no name of a sensor: expected letters, digits and '_', no"
                " digit first, as in topics"
            )
