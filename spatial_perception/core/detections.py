"""Boxes in pictures and in space."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.boxes import box_corners
from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.pose import Pose, wrap_angle


@dataclass(frozen=True, slots=True, eq=False)
class Detections2D:
    """Boxes in one picture, in its own pixels.

    Args:
        header: the picture's stamp and frame.
        boxes_xyxy_px: (N, 4) float32, left top right bottom, pixels of the source picture.
        scores: (N,) float32 in 0..1.
        labels: (N,) int32, index in `label_set`.
        label_set: the classes.
        picture_wh: columns and rows of the source picture; None where nothing says them, as in
            messages.
    """

    header: Header
    boxes_xyxy_px: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    label_set: LabelSet
    picture_wh: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy_px)
        check_array("boxes_xyxy_px", self.boxes_xyxy_px, (None, 4), np.float32)
        check_array("scores", self.scores, (count,), np.float32)
        check_array("labels", self.labels, (count,), np.int32)

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls, header: Header, label_set: LabelSet) -> Detections2D:
        """Returns no boxes."""
        return cls(
            header,
            np.zeros((0, 4), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int32),
            label_set,
        )

    def selected(self, which: np.ndarray) -> Detections2D:
        """Returns the boxes of a boolean mask or an index array."""
        return dataclasses.replace(
            self,
            boxes_xyxy_px=self.boxes_xyxy_px[which],
            scores=self.scores[which],
            labels=self.labels[which],
        )

    def usable(self) -> Detections2D:
        """Returns the boxes that have a place, a score and a class: detectors of others may not."""
        usable = _usable(self.boxes_xyxy_px, self)
        return self if usable.all() else self.selected(usable)


@dataclass(frozen=True, slots=True, eq=False)
class Detections3D:
    """Upright boxes in space.

    Args:
        header: stamp and frame of the boxes.
        centers_m: (N, 3) float32, box centres, metres.
        sizes_lwh_m: (N, 3) float32, length (along heading), width, height, metres.
        yaws_rad: (N,) float32, heading about z, radians.
        scores: (N,) float32 in 0..1.
        labels: (N,) int32, index in `label_set`.
        label_set: the classes.
    """

    header: Header
    centers_m: np.ndarray
    sizes_lwh_m: np.ndarray
    yaws_rad: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    label_set: LabelSet

    def __post_init__(self) -> None:
        count = len(self.centers_m)
        check_array("centers_m", self.centers_m, (None, 3), np.float32)
        check_array("sizes_lwh_m", self.sizes_lwh_m, (count, 3), np.float32)
        check_array("yaws_rad", self.yaws_rad, (count,), np.float32)
        check_array("scores", self.scores, (count,), np.float32)
        check_array("labels", self.labels, (count,), np.int32)

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls, header: Header, label_set: LabelSet) -> Detections3D:
        """Returns no boxes."""
        return cls(
            header,
            np.zeros((0, 3), np.float32),
            np.zeros((0, 3), np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int32),
            label_set,
        )

    def boxes(self) -> np.ndarray:
        """Returns (N, 7) float32: x y z l w h yaw, as `core.boxes` takes them."""
        return np.concatenate([self.centers_m, self.sizes_lwh_m, self.yaws_rad[:, None]], axis=1)

    def corners(self) -> np.ndarray:
        """Returns (N, 8, 3) float32 corners: four of the bottom, then four of the top."""
        return box_corners(self.boxes())

    def selected(self, which: np.ndarray) -> Detections3D:
        """Returns the boxes of a boolean mask or an index array."""
        return dataclasses.replace(
            self,
            centers_m=self.centers_m[which],
            sizes_lwh_m=self.sizes_lwh_m[which],
            yaws_rad=self.yaws_rad[which],
            scores=self.scores[which],
            labels=self.labels[which],
        )

    def usable(self) -> Detections3D:
        """Returns the boxes that have a place, a score and a class: detectors of others may not."""
        usable = _usable(self.boxes(), self)
        return self if usable.all() else self.selected(usable)

    def relabelled(self, label_set: LabelSet) -> Detections3D:
        """Returns the same boxes with labels that count another list, which has their names."""
        if label_set == self.label_set:
            return self
        names = [self.label_set.name(label) for label in self.labels.tolist()]
        labels = np.array([label_set.index(name) for name in names], np.int32)
        return dataclasses.replace(self, labels=labels, label_set=label_set)

    def transformed(self, target_from_source: Pose, frame_id: str) -> Detections3D:
        """Returns the boxes in another frame; they stay upright there (roll and pitch dropped)."""
        heading = np.stack(
            [np.cos(self.yaws_rad), np.sin(self.yaws_rad), np.zeros_like(self.yaws_rad)], axis=1
        )
        turned = heading @ target_from_source.rotation.T.astype(np.float32)
        return dataclasses.replace(
            self,
            header=self.header.in_frame(frame_id),
            centers_m=target_from_source.apply(self.centers_m),
            yaws_rad=wrap_angle(np.arctan2(turned[:, 1], turned[:, 0])),
        )


def _usable(boxes: np.ndarray, found: Detections2D | Detections3D) -> np.ndarray:
    usable: np.ndarray = np.isfinite(boxes).all(axis=1) & np.isfinite(found.scores)
    usable &= (found.labels >= 0) & (found.labels < len(found.label_set))
    return usable
