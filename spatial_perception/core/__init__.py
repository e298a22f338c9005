"""Value types and geometry: no ROS, no files, no networks."""

from spatial_perception.core.camera import PinholeCamera
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.core.detections import Detections2D, Detections3D
from spatial_perception.core.diagnostics import DiagnosticLevel, Diagnostics, DiagnosticStatus
from spatial_perception.core.free_space import Polygon, RangeScan
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import (
    CAMERA_OBJECT_LABELS,
    CAMVID_LABELS,
    OBJECT_LABELS,
    POINT_LABELS,
    UNLABELED,
    LabelSet,
)
from spatial_perception.core.laps import Laps
from spatial_perception.core.markers import Marker, MarkerArray, MarkerShape
from spatial_perception.core.measurement import Latency
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.odometry import Odometry
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.core.predictions import Predictions
from spatial_perception.core.tracks import Tracks
from spatial_perception.core.transforms import StampedTransform, Transforms, TransformTree
from spatial_perception.core.voxels import VoxelGrid

__all__ = [
    "CAMERA_OBJECT_LABELS",
    "CAMVID_LABELS",
    "OBJECT_LABELS",
    "POINT_LABELS",
    "UNLABELED",
    "CameraImage",
    "CameraObjects",
    "Detections2D",
    "Detections3D",
    "DiagnosticLevel",
    "DiagnosticStatus",
    "Diagnostics",
    "Header",
    "LabelImage",
    "LabelSet",
    "LabelledCloud",
    "Laps",
    "Latency",
    "Marker",
    "MarkerArray",
    "MarkerShape",
    "OccupancyGrid",
    "Odometry",
    "PinholeCamera",
    "PointCloud",
    "Polygon",
    "Pose",
    "Predictions",
    "RangeScan",
    "StampedTransform",
    "Tracks",
    "TransformTree",
    "Transforms",
    "VoxelGrid",
]
