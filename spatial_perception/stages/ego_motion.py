"""Where the vehicle is in a frame that does not move, from /tf or /odom, and what to do without."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from spatial_perception.core import (
    Header,
    Odometry,
    Pose,
    StampedTransform,
    Transforms,
    TransformTree,
)
from spatial_perception.core.pose import wrap_angle
from spatial_perception.core.transforms import NS_PER_S
from spatial_perception.errors import TransformError
from spatial_perception.messages import ODOMETRY
from spatial_perception.stages.port import Port, PortKind

ODOMETRY_PORT = Port("odom", "/odom", ODOMETRY, PortKind.STATE)
MATCHED_PORT = Port("matched_odom", "/perception/odometry", ODOMETRY, PortKind.STATE)
"""Odometry from scan matching, which the stage ego_motion gives."""

_SILENT_NS = NS_PER_S

_JUMP_M = 0.7  # what noise and scans in between may add
_JUMP_ACCELERATION_MPS2 = 12.0
_JUMP_RAD = 0.15
_JUMP_YAW_ACCELERATION_RADPS2 = 3.0


class EgoSource(str, Enum):
    """Where the vehicle's motion is taken from."""

    TF = "tf"
    ODOM = "odom"
    SCAN_MATCHING = "scan_matching"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class EgoPose:
    """Where the vehicle is.

    Args:
        fixed_from_base: its pose; None where its motion is not known.
        source: where that is from.
    """

    fixed_from_base: Pose | None
    source: EgoSource


class EgoMotion:
    """Looks poses up in /tf; where that does not have them in /odom, then in matched scans.

    Args:
        fixed_frame: the frame that does not move, usually odom.
        sources: where poses may come from, the preferred one first.
    """

    def __init__(
        self,
        fixed_frame: str,
        sources: tuple[EgoSource, ...] = (EgoSource.TF, EgoSource.ODOM),
    ) -> None:
        self.fixed_frame = fixed_frame
        self.tree = TransformTree()
        self._trees: dict[EgoSource, TransformTree] = {
            source: self.tree if source is EgoSource.TF else TransformTree() for source in sources
        }
        self._newest_ns: dict[EgoSource, int] = {}

    def add_transforms(self, port: str, transforms: Transforms) -> None:
        """Takes a message of /tf or /tf_static."""
        is_static = port == "tf_static"
        self.tree.add(transforms, static=is_static)
        for source, tree in self._trees.items():
            if is_static and source != EgoSource.TF:
                tree.add(transforms, static=True)
        if not is_static:
            for transform in transforms.transforms:
                self._note(EgoSource.TF, transform.header.stamp_ns)

    def add_odometry(self, odometry: Odometry, source: EgoSource = EgoSource.ODOM) -> None:
        """Takes a message of /odom or of matched scans, whatever it calls its fixed frame."""
        if source not in self._trees:
            return
        header = odometry.header.in_frame(self.fixed_frame)
        moved = StampedTransform(header, odometry.child_frame_id, odometry.pose)
        self._trees[source].add(Transforms((moved,)))
        self._note(source, header.stamp_ns)

    def reset(self) -> None:
        """Forgets everything that moves."""
        self.tree.clear()
        for tree in self._trees.values():
            tree.clear()
        self._newest_ns.clear()

    def at(self, header: Header) -> EgoPose | None:
        """Returns the pose of a frame at a stamp; None where it may still come.

        The pose is `EgoSource.NONE` where no source has ever connected the frame. Matched scans
        are taken only while the others are silent, since they start somewhere else.
        """
        may_come, stamp_ns = False, header.stamp_ns
        for source, tree in self._trees.items():
            try:
                if not tree.connects(self.fixed_frame, header.frame_id):
                    continue
                if source is EgoSource.SCAN_MATCHING and may_come and self.is_heard(stamp_ns):
                    return None
                pose = tree.lookup(self.fixed_frame, header.frame_id, stamp_ns)
            except TransformError:
                may_come = True
                continue
            return EgoPose(pose, source)
        return None if may_come else EgoPose(None, EgoSource.NONE)

    def _note(self, source: EgoSource, stamp_ns: int) -> None:
        self._newest_ns[source] = max(self._newest_ns.get(source, stamp_ns), stamp_ns)

    def is_heard(self, stamp_ns: int) -> bool:
        """Returns whether /tf or /odom are not silent."""
        heard = [n for s, n in self._newest_ns.items() if s is not EgoSource.SCAN_MATCHING]
        return any(newest_ns > stamp_ns - _SILENT_NS for newest_ns in heard)


class JumpWatch:
    """Notices poses that a vehicle cannot reach, as when a localization starts anew."""

    def __init__(self) -> None:
        self._last: tuple[int, Pose] | None = None
        self._speed_mps = np.zeros(3)
        self._yaw_rate_radps = 0.0
        self._has_speed = False

    def reset(self) -> None:
        """Forgets the last pose."""
        self._last, self._has_speed = None, False
        self._speed_mps, self._yaw_rate_radps = np.zeros(3), 0.0

    def expected(self, stamp_ns: int) -> Pose | None:
        """Returns where the vehicle should be if it goes on as before; None before the first."""
        if self._last is None:
            return None
        last_ns, pose = self._last
        elapsed_s = (stamp_ns - last_ns) / NS_PER_S
        turn = Pose.from_yaw(self._yaw_rate_radps * elapsed_s, np.zeros(3))
        moved = pose.translation + self._speed_mps * elapsed_s
        return Pose(turn.rotation @ pose.rotation, moved)

    def add(self, stamp_ns: int, pose: Pose) -> Pose | None:
        """Returns new_from_old of the fixed frame where it jumped under the vehicle, else None."""
        expected, last = self.expected(stamp_ns), self._last
        self._last = (stamp_ns, pose)
        if expected is None or last is None or stamp_ns <= last[0]:
            return None
        elapsed_s = (stamp_ns - last[0]) / NS_PER_S
        off_m = float(np.linalg.norm(pose.translation[:2] - expected.translation[:2]))
        off_rad = abs(float(wrap_angle(np.array(pose.yaw_rad - expected.yaw_rad))))
        # mean speeds of two intervals differ by the acceleration times the time between them
        reach_m = _JUMP_M + _JUMP_ACCELERATION_MPS2 * elapsed_s**2
        reach_rad = _JUMP_RAD + _JUMP_YAW_ACCELERATION_RADPS2 * elapsed_s**2
        if not self._has_speed:  # nothing is expected yet but what no vehicle exceeds
            reach_m, reach_rad = 70.0 * elapsed_s + _JUMP_M, 2.0 * elapsed_s + _JUMP_RAD
        if off_m > reach_m or off_rad > reach_rad:
            return pose @ expected.inverse()
        self._speed_mps = (pose.translation - last[1].translation) / elapsed_s
        turned = wrap_angle(np.array(pose.yaw_rad - last[1].yaw_rad))
        self._yaw_rate_radps = float(turned) / elapsed_s
        self._has_speed = True
        return None
