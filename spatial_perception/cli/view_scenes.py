"""Second pass of `view`: reads the messages that the frames need and makes scenes of them."""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.cli.view_index import RecordingIndex, header_stamp_ns
from spatial_perception.cli.view_parts import Placed, moved, relabelled
from spatial_perception.cli.view_plan import FramePlan
from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.pose import Pose
from spatial_perception.core.tracks import Tracks
from spatial_perception.errors import PerceptionError, TransformError
from spatial_perception.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    DETECTIONS_2D,
    DETECTIONS_3D,
    IMAGE,
    LABEL_IMAGE,
    LABELLED_CLOUD,
    OCCUPANCY_GRID,
    POINT_CLOUD,
    TRACK_STATES,
    VOXELS,
    Codec,
)
from spatial_perception.visualization.scene import Scene
from spatial_perception.visualization.trails import TrailHistory

BASE_FRAME = "base_link"
_IN_BASE = ("objects", "tracks", "voxels")
"""Results in the frame of the vehicle, whatever its name (`target_frame` of the stages)."""
_FIXED_FRAMES = ("odom", "map")
_CODECS: Mapping[str, Codec[Any]] = {
    "image": IMAGE,
    "camera": CAMERA_INFO,
    "segmentation": LABEL_IMAGE,
    "detections": DETECTIONS_2D,
    "signs": DETECTIONS_2D,
    "lights": DETECTIONS_2D,
    "cloud": POINT_CLOUD,
    "labelled": LABELLED_CLOUD,
    "objects": DETECTIONS_3D,
    "tracks": TRACK_STATES,
    "voxels": VOXELS,
    "grid": OCCUPANCY_GRID,
}


class SceneReader:
    """Makes the scenes of planned frames; holds the messages of the frames in progress only.

    Args:
        index: What the first pass learned.
        roles: Which topic fills which part.
        min_score: Boxes below this score are left out.

    Attributes:
        problems: What could not be shown and how often.
    """

    def __init__(self, index: RecordingIndex, roles: Mapping[str, str], min_score: float) -> None:
        self.problems: Counter[str] = Counter()
        self._index = index
        self._roles = roles
        self._min_score = min_score
        self._trails = TrailHistory()
        frames = (index.topics[roles[role]].frame_id for role in _IN_BASE if role in roles)
        self._base = next(filter(None, frames), BASE_FRAME)

    def scenes(self, bags: Sequence[BagReader], plans: Sequence[FramePlan]) -> Iterator[Scene]:
        """Yields one scene a plan, in order.

        Args:
            bags: The bags that were indexed, in the same order.
            plans: The frames.
        """
        waiting = deque((plan, self._needs(plan)) for plan in plans)
        uses = Counter(need for _, needs in waiting for need in needs.values())
        values: dict[tuple[str, int], Any] = {}
        for topic, data in self._messages(bags):
            key = (topic, header_stamp_ns(data)) if len(data) >= 12 else (topic, 0)
            if uses[key] and key not in values:
                values[key] = self._decoded(topic, data)
            while waiting and all(need in values for need in waiting[0][1].values()):
                yield self._finished(*waiting.popleft(), values, uses)
        for plan, needs in waiting:  # a damaged end: what is there is shown
            yield self._finished(plan, needs, values, uses)

    def _needs(self, plan: FramePlan) -> dict[str, tuple[str, int]]:
        return {role: (self._roles[role], stamp) for role, stamp in plan.parts.items()}

    def _messages(self, bags: Sequence[BagReader]) -> Iterator[tuple[str, bytes]]:
        seen: set[str] = set()
        streams = []
        for bag in bags:
            own = [topic for topic in self._roles.values() if topic in bag.topics]
            own = [topic for topic in own if topic not in seen]
            seen.update(own)
            if own:
                streams.append(bag.messages(own))
        merged = heapq.merge(*streams, key=lambda message: message.log_time_ns)
        yield from ((message.topic, message.data) for message in merged)

    def _decoded(self, topic: str, data: bytes) -> Any:
        role = next(role for role, name in self._roles.items() if name == topic)
        codec = _CODECS[role]
        if role == "image" and self._index.topics[topic].ros_type == COMPRESSED_IMAGE.ros_type:
            codec = COMPRESSED_IMAGE
        try:
            return codec.decode(data)
        except PerceptionError as error:
            self.problems[f"{topic}: {error}"] += 1
            return None

    def _finished(
        self,
        plan: FramePlan,
        needs: Mapping[str, tuple[str, int]],
        values: dict[tuple[str, int], Any],
        uses: Counter[tuple[str, int]],
    ) -> Scene:
        parts = {role: values.get(need) for role, need in needs.items()}
        for need in needs.values():
            uses[need] -= 1
            if not uses[need]:
                values.pop(need, None)
        return self._scene(plan, {role: part for role, part in parts.items() if part is not None})

    def _scene(self, plan: FramePlan, parts: dict[str, Any]) -> Scene:
        labelled = parts.pop("labelled", None)
        if labelled is not None:
            parts["cloud"] = labelled
        for role in ("cloud", "objects", "tracks", "voxels", "grid"):
            if role in parts:
                parts[role] = self._in_base(parts[role])
        for role in ("detections", "signs", "lights", "objects"):
            if role in parts:
                kept = parts[role].selected(parts[role].scores >= self._min_score)
                parts[role] = relabelled(kept, self._index.classes_of(self._roles[role]))
        if "segmentation" in parts:
            parts["segmentation"] = self._with_classes(parts["segmentation"])
        if "tracks" in parts:
            parts["trails"] = self._trails_of(parts["tracks"])
        if "image" in parts and "camera" in parts:
            if trouble := _misfit(parts["camera"], parts["image"]):
                self.problems[f"{self._roles['camera']}: {trouble}"] += 1
            header = parts["image"].header
            parts["camera_from_base"] = self._pose(header.frame_id, self._base, header.stamp_ns)
        return Scene(plan.stamp_ns, **parts)

    def _with_classes(self, segmentation: LabelImage) -> LabelImage:
        announced = self._index.label_sets.get(f"{self._roles['segmentation']}/labels")
        return dataclasses.replace(segmentation, label_set=announced or segmentation.label_set)

    def _in_base(self, value: Placed) -> Placed:
        header = value.header
        if header.frame_id == self._base:
            return value
        pose = self._pose(self._base, header.frame_id, header.stamp_ns)
        return value if pose is None else moved(value, pose, self._base)

    def _trails_of(self, tracks: Tracks) -> dict[int, np.ndarray] | None:
        known = self._index.tree.frames()
        fixed = next((frame for frame in _FIXED_FRAMES if frame in known), None)
        if fixed is None:
            return None
        pose = self._pose(fixed, tracks.header.frame_id, tracks.header.stamp_ns)
        return None if pose is None else self._trails.update(tracks, pose)

    def _pose(self, target: str, source: str, stamp_ns: int) -> Pose | None:
        try:
            return self._index.tree.lookup(target, source, stamp_ns)
        except TransformError:
            self.problems[f"no transform from '{source}' to '{target}'"] += 1
            return None


def _misfit(camera: PinholeCamera, image: CameraImage) -> str:
    """Returns why boxes in space are not drawn rightly into a picture, empty where they are."""
    if camera.flaw:
        return f"{camera.flaw}, so no boxes in space on the picture"
    misfit = camera.misfit(image.width, image.height)
    return f"{misfit}: boxes in space lie wrong on them" if misfit else ""
