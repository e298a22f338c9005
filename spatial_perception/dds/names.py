"""Names of topics and types on DDS, as every ROS 2 middleware writes them."""

from __future__ import annotations

import re

TOPIC_PREFIX = "rt"
_DDS_TYPE = re.compile(r"(\w+)::(msg|srv|action)::dds_::(\w+)_")


def dds_topic(topic: str) -> str:
    """Returns the DDS name of a full ROS topic name."""
    return TOPIC_PREFIX + topic


def ros_topic(dds_name: str) -> str | None:
    """Returns the full ROS topic name, None for what is no ROS topic (services, discovery)."""
    prefix, separator, rest = dds_name.partition("/")
    return separator + rest if prefix == TOPIC_PREFIX and separator else None


def dds_type(ros_type: str) -> str:
    """Returns the DDS name of a ROS type, written `package/msg/Name`."""
    package, kind, name = ros_type.split("/")
    return f"{package}::{kind}::dds_::{name}_"


def ros_type(dds_name: str) -> str | None:
    """Returns `package/msg/Name`, None for what is no ROS type."""
    match = _DDS_TYPE.fullmatch(dds_name)
    return "/".join(match.groups()) if match else None
