"""What is known of one instant, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.core.tracks import Tracks
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.visualization.bev import draw_bev
from spatial_perception.visualization.bev_view import BevView
from spatial_perception.visualization.occupancy import VoxelView, draw_occupancy, draw_voxels
from spatial_perception.visualization.overlay import draw_overlay
from spatial_perception.visualization.theme import RgbImage


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One instant; whatever was not recorded is None. All but the camera's data is in base_link.

    Attributes:
        stamp_ns: Stamp of the picture, or of the cloud where there is no camera.
        image: The camera's picture.
        segmentation: Class per pixel of it.
        detections: Boxes in it.
        signs: Traffic signs in it.
        lights: Traffic lights in it.
        camera: Its calibration.
        camera_from_base: Optical frame from base_link.
        cloud: The LiDAR scan, with or without a class per point.
        objects: Boxes in space.
        tracks: Objects with id and velocity; shown instead of `objects`.
        trails: Where each track was, by id: (T, 2) metres.
        grid: The flat map.
        voxels: Semantic occupancy.
    """

    stamp_ns: int
    image: CameraImage | None = None
    segmentation: LabelImage | None = None
    detections: Detections2D | None = None
    signs: Detections2D | None = None
    lights: Detections2D | None = None
    camera: PinholeCamera | None = None
    camera_from_base: Pose | None = None
    cloud: PointCloud | LabelledCloud | None = None
    objects: Detections3D | None = None
    tracks: Tracks | None = None
    trails: Mapping[int, np.ndarray] | None = None
    grid: OccupancyGrid | None = None
    voxels: VoxelGrid | None = None

    def overlay_picture(self) -> RgbImage | None:
        """Returns the camera's picture with everything seen drawn in, or None without a camera."""
        if self.image is None:
            return None
        objects = self.tracks.detections() if self.tracks is not None else self.objects
        picture = draw_overlay(
            self.image,
            segmentation=self.segmentation,
            detections=self.detections,
            signs=self.signs,
            lights=self.lights,
            objects=objects,
            camera=self.camera,
            camera_from_objects=self.camera_from_base,
        )
        return picture.pixels

    def bev_picture(self, view: BevView | None = None) -> RgbImage:
        """Returns the bird's-eye picture."""
        return draw_bev(
            self.cloud,
            objects=self.objects,
            tracks=self.tracks,
            trails=self.trails,
            grid=self.grid,
            view=view,
        )

    def grid_picture(self, view: BevView | None = None) -> RgbImage | None:
        """Returns the occupancy grid from above, or None without one."""
        return None if self.grid is None else draw_occupancy(self.grid, view)

    def voxel_picture(self, view: VoxelView | None = None) -> RgbImage | None:
        """Returns the voxels as blocks, or None without them."""
        return None if self.voxels is None else draw_voxels(self.voxels, view, legend=False)
