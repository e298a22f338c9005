"""Mountings that are given on the command line, where nobody publishes them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spatial_perception.core import Header, Pose, StampedTransform, Transforms
from spatial_perception.errors import ConfigError

FORM = "PARENT:CHILD:X,Y,Z[,ROLL,PITCH,YAW]"
HELP = f"{FORM}, metres and radians: where a sensor is mounted, if /tf_static does not say"


def parse_static_transforms(texts: Iterable[str]) -> Transforms | None:
    """Returns the transforms of `PARENT:CHILD:X,Y,Z[,ROLL,PITCH,YAW]` arguments; None of none.

    Raises:
        ConfigError: an argument has another form.
    """
    transforms = tuple(_parsed(text) for text in texts)
    return Transforms(transforms) if transforms else None


def _parsed(text: str) -> StampedTransform:
    try:
        parent, child, listed = text.split(":")
        numbers = np.array([float(number) for number in listed.split(",")])
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) not in (3, 6) or not np.isfinite(numbers).all() or not (parent and child):
        raise ConfigError(f"static transform '{text}': expected {FORM}")
    if parent == child:
        raise ConfigError(f"static transform '{text}': '{parent}' is mounted on itself")
    pose = Pose.from_rpy(np.append(numbers, np.zeros(3))[3:6], numbers[:3])
    return StampedTransform(Header(0, parent), child, pose)
