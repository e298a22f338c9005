"""LiDAR scans, plain and with a class per point."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array, check_lengths
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.pose import Pose


@dataclass(frozen=True, slots=True, eq=False)
class PointCloud:
    """One LiDAR scan.

    Args:
        header: stamp and the frame the points are in.
        points: (N, 3) float32, metres, finite.
        intensity: (N,) float32 as the sensor gives it, or None.
        ring: (N,) uint16 laser index, or None.
        time_s: (N,) float32, seconds after the header's stamp, or None.
    """

    header: Header
    points: np.ndarray
    intensity: np.ndarray | None = None
    ring: np.ndarray | None = None
    time_s: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_array("points", self.points, (None, 3), np.float32)
        for name, array, dtype in (
            ("intensity", self.intensity, np.float32),
            ("ring", self.ring, np.uint16),
            ("time_s", self.time_s, np.float32),
        ):
            if array is not None:
                check_array(name, array, (len(self.points),), dtype)

    def __len__(self) -> int:
        return len(self.points)

    def transformed(self, target_from_source: Pose, frame_id: str) -> PointCloud:
        """Returns the same scan in another frame."""
        return dataclasses.replace(
            self,
            header=self.header.in_frame(frame_id),
            points=target_from_source.apply(self.points),
        )

    def selected(self, which: np.ndarray) -> PointCloud:
        """Returns the points of a boolean mask or an index array."""
        rest = {
            name: None if array is None else array[which]
            for name, array in (
                ("intensity", self.intensity),
                ("ring", self.ring),
                ("time_s", self.time_s),
            )
        }
        return PointCloud(self.header, self.points[which], **rest)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCloud:
    """A scan with a class per point: labels (N,) uint8, 255 = unlabeled."""

    cloud: PointCloud
    labels: np.ndarray
    label_set: LabelSet

    def __post_init__(self) -> None:
        check_array("labels", self.labels, (None,), np.uint8)
        check_lengths(points=self.cloud.points, labels=self.labels)

    @property
    def header(self) -> Header:
        """The scan's stamp and frame."""
        return self.cloud.header

    def transformed(self, target_from_source: Pose, frame_id: str) -> LabelledCloud:
        """Returns the same labelled scan in another frame."""
        cloud = self.cloud.transformed(target_from_source, frame_id)
        return LabelledCloud(cloud, self.labels, self.label_set)
