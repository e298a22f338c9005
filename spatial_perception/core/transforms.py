"""Coordinate frames over time."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from spatial_perception.core.header import Header
from spatial_perception.core.pose import Pose, interpolate
from spatial_perception.errors import TransformError

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class StampedTransform:
    """`pose` is parent_from_child at the header's stamp; the header's frame is the parent."""

    header: Header
    child_frame_id: str
    pose: Pose


@dataclass(frozen=True, slots=True, eq=False)
class Transforms:
    """What one tf2_msgs/TFMessage carries."""

    transforms: tuple[StampedTransform, ...]


class _Edge:
    """The poses of one child frame in its parent over time."""

    __slots__ = ("is_static", "parent", "poses", "stamps_ns")

    def __init__(self, parent: str, is_static: bool) -> None:
        self.parent = parent
        self.is_static = is_static
        self.stamps_ns: list[int] = []
        self.poses: list[Pose] = []

    def insert(self, stamp_ns: int, pose: Pose, max_age_ns: int) -> None:
        if self.is_static:
            self.stamps_ns, self.poses = [stamp_ns], [pose]
            return
        index = bisect.bisect_left(self.stamps_ns, stamp_ns)
        if index < len(self.stamps_ns) and self.stamps_ns[index] == stamp_ns:
            self.poses[index] = pose
        else:
            self.stamps_ns.insert(index, stamp_ns)
            self.poses.insert(index, pose)
        expired = bisect.bisect_left(self.stamps_ns, self.stamps_ns[-1] - max_age_ns)
        del self.stamps_ns[:expired], self.poses[:expired]

    def at(self, stamp_ns: int) -> Pose | None:
        """Returns parent_from_child at a stamp, None outside of what is known."""
        if self.is_static:
            return self.poses[0]
        index = bisect.bisect_left(self.stamps_ns, stamp_ns)
        if index < len(self.stamps_ns) and self.stamps_ns[index] == stamp_ns:
            return self.poses[index]
        if index in (0, len(self.stamps_ns)):
            return None
        before, after = self.stamps_ns[index - 1], self.stamps_ns[index]
        fraction = (stamp_ns - before) / (after - before)
        return interpolate(self.poses[index - 1], self.poses[index], fraction)


class TransformTree:
    """Frames by name, each with one parent, interpolated between stamps.

    Args:
        max_age_s: how long moving transforms are remembered behind the newest one, seconds.
    """

    def __init__(self, max_age_s: float = 10.0) -> None:
        self._max_age_ns = int(max_age_s * NS_PER_S)
        self._edges: dict[str, _Edge] = {}

    def add(self, transforms: Transforms, static: bool = False) -> None:
        """Adds the transforms of one message; a static one holds for all time.

        One from a frame to itself says nothing and would hide where the frame is.
        """
        for transform in transforms.transforms:
            parent, child = transform.header.frame_id, transform.child_frame_id
            if parent == child:
                continue
            edge = self._edges.get(child)
            if edge is None or edge.parent != parent or edge.is_static != static:
                edge = self._edges[child] = _Edge(parent, static)
            edge.insert(transform.header.stamp_ns, transform.pose, self._max_age_ns)

    def clear(self) -> None:
        """Forgets what moves; static transforms hold for all time and stay."""
        self._edges = {child: edge for child, edge in self._edges.items() if edge.is_static}

    def frames(self) -> set[str]:
        """Returns the names of all known frames."""
        return set(self._edges) | {edge.parent for edge in self._edges.values()}

    def connects(self, first: str, second: str) -> bool:
        """Returns whether a way leads from one frame to another, known for some stamp or not.

        Raises:
            TransformError: frames form a loop.
        """
        return self._chain(first)[-1] == self._chain(second)[-1]

    def lookup(self, target: str, source: str, stamp_ns: int) -> Pose:
        """Returns target_from_source at a stamp.

        Raises:
            TransformError: a frame is unknown, the two are not connected, or a transform
                between them is not known at that stamp. The message names the frames.
        """
        if target == source:
            return Pose.identity()
        missing = [frame for frame in (target, source) if frame not in self.frames()]
        if missing:
            known = ", ".join(sorted(self.frames())) or "none"
            raise TransformError(
                f"no transform from '{source}' to '{target}': frame"
                f"{'s' if len(missing) > 1 else ''} {' and '.join(map(repr, missing))} unknown;"
                f" known frames: {known}"
            )
        source_chain, target_chain = self._chain(source), self._chain(target)
        common = next((frame for frame in source_chain if frame in set(target_chain)), None)
        if common is None:
            raise TransformError(
                f"no transform from '{source}' to '{target}': they are in separate trees"
                f" (roots '{source_chain[-1]}' and '{target_chain[-1]}')"
            )
        common_from_source = self._climb(source_chain, common, stamp_ns)
        common_from_target = self._climb(target_chain, common, stamp_ns)
        return common_from_target.inverse() @ common_from_source

    def _chain(self, frame: str) -> list[str]:
        chain = [frame]
        while (edge := self._edges.get(chain[-1])) is not None:
            if edge.parent in chain:
                raise TransformError(f"frames form a loop: {' -> '.join([*chain, edge.parent])}")
            chain.append(edge.parent)
        return chain

    def _climb(self, chain: list[str], ancestor: str, stamp_ns: int) -> Pose:
        ancestor_from_frame = Pose.identity()
        for frame in chain[: chain.index(ancestor)]:
            edge = self._edges[frame]
            pose = edge.at(stamp_ns)
            if pose is None:
                first, last = edge.stamps_ns[0] / NS_PER_S, edge.stamps_ns[-1] / NS_PER_S
                raise TransformError(
                    f"transform from '{frame}' to '{edge.parent}' is known from {first:.3f} s to"
                    f" {last:.3f} s, not at {stamp_ns / NS_PER_S:.3f} s"
                )
            ancestor_from_frame = pose @ ancestor_from_frame
        return ancestor_from_frame
