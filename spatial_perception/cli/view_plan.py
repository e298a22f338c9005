"""Which messages belong to which frame of a view: association by header stamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.cli.view_index import TopicTimes
from spatial_perception.cli.view_roles import CAMERA_PARTS, LIDAR_PARTS

_NS_PER_MS = 1_000_000
_SAME_FRAME_NS = 1 * _NS_PER_MS
_MIN_TOLERANCE_NS = 60 * _NS_PER_MS
_PERIOD_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class FramePlan:
    """One frame: its stamp, and the stamp of the message that fills each part."""

    stamp_ns: int
    parts: Mapping[str, int]


def plan_frames(
    topics: Mapping[str, TopicTimes], roles: Mapping[str, str], every: int = 1
) -> list[FramePlan]:
    """Returns the frames of a recording in the order of their stamps.

    Frames are the camera's pictures, or the LiDAR's frames where there is no camera. A part of
    the same sensor must carry the frame's stamp; one of another sensor is the nearest in time,
    at most a good half of its own period away.

    Args:
        topics: What was recorded.
        roles: Which topic fills which part.
        every: Take each n-th frame.
    """
    anchor = next((role for role in ("image", *LIDAR_PARTS) if role in roles), None)
    if anchor is None:
        return []
    stamps = {role: np.unique(topics[topic].stamps_ns) for role, topic in roles.items()}
    own_parts = CAMERA_PARTS if anchor == "image" else ()
    tolerances = {
        role: _SAME_FRAME_NS if role in own_parts and role != "camera" else _tolerance_ns(times)
        for role, times in stamps.items()
    }
    plans = []
    for stamp_ns in stamps[anchor][::every]:
        nearest = {role: _nearest(times, int(stamp_ns)) for role, times in stamps.items()}
        parts = {
            role: found
            for role, found in nearest.items()
            if role == "camera" or abs(found - int(stamp_ns)) <= tolerances[role]
        }
        plans.append(FramePlan(int(stamp_ns), parts))
    return plans


def frame_rate_hz(stamps_ns: list[int]) -> float:
    """Returns the usual number of frames a second, 0 where fewer than two are known."""
    times = np.unique(stamps_ns)
    if len(times) < 2:
        return 0.0
    return float(1e9 / np.median(np.diff(times)))


def _tolerance_ns(times: np.ndarray) -> int:
    period_ns = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return max(_MIN_TOLERANCE_NS, int(period_ns * _PERIOD_SHARE))


def _nearest(times: np.ndarray, stamp_ns: int) -> int:
    return int(times[np.argmin(np.abs(times - stamp_ns))])
