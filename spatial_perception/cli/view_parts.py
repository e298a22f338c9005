"""Parts of a picture brought into one frame and one list of classes."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.core.tracks import Tracks
from spatial_perception.core.voxels import VoxelGrid

Placed = TypeVar(
    "Placed", PointCloud, LabelledCloud, Detections3D, Tracks, VoxelGrid, OccupancyGrid
)
Found = TypeVar("Found", Detections2D, Detections3D)


def moved(value: Placed, target_from_source: Pose, frame_id: str) -> Placed:
    """Returns the value in another frame.

    A voxel grid stays parallel to its axes: it is shifted, not turned.
    """
    if isinstance(value, (PointCloud, LabelledCloud, Detections3D, Tracks)):
        return value.transformed(target_from_source, frame_id)
    header = value.header.in_frame(frame_id)
    if isinstance(value, OccupancyGrid):
        return dataclasses.replace(value, header=header, origin=target_from_source @ value.origin)
    origin_m = value.origin_m + target_from_source.translation
    return dataclasses.replace(value, header=header, origin_m=origin_m)


def relabelled(found: Found, label_set: LabelSet) -> Found:
    """Returns the same objects with labels that count another list of the same names."""
    if found.label_set is label_set:
        return found
    names = [found.label_set.name(int(label)) for label in found.labels]
    labels = np.array([label_set.index(name) for name in names], np.int32)
    return dataclasses.replace(found, labels=labels, label_set=label_set)
