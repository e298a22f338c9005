"""One small valid sample of each core type, for tests and documentation."""

from __future__ import annotations

import numpy as np

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
)
from spatial_perception.core.markers import Marker, MarkerArray, MarkerShape
from spatial_perception.core.measurement import Latency
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.odometry import Odometry
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.core.predictions import Predictions
from spatial_perception.core.tracks import Tracks
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.core.voxels import VoxelGrid

STAMP_NS = 1_700_000_000_123_456_789


def example_header(frame_id: str = "base_link") -> Header:
    """Returns a stamp in the given frame."""
    return Header(STAMP_NS, frame_id)


def example_point_cloud(count: int = 5) -> PointCloud:
    """Returns `count` points on a line ahead, with intensity and ring."""
    steps = np.arange(count, dtype=np.float32)
    points = np.stack([5 + steps, 0.5 * steps, 0.1 * steps], axis=1).astype(np.float32)
    ring = np.arange(count).astype(np.uint16)
    return PointCloud(example_header("velodyne"), points, steps / max(count, 1), ring)


def example_labelled_cloud() -> LabelledCloud:
    """Returns five points, the last one unlabeled."""
    labels = np.array([0, 1, 2, 6, UNLABELED], np.uint8)
    return LabelledCloud(example_point_cloud(5), labels, POINT_LABELS)


def example_camera_image() -> CameraImage:
    """Returns a 4 x 6 RGB gradient."""
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    return CameraImage(example_header("camera_front_optical_frame"), pixels)


def example_label_image() -> LabelImage:
    """Returns a 2 x 3 class map with one unlabeled pixel."""
    labels = np.array([[0, 1, 2], [3, 8, UNLABELED]], np.uint8)
    return LabelImage(example_header("camera_front_optical_frame"), labels, CAMVID_LABELS)


def example_camera() -> PinholeCamera:
    """Returns a 640 x 480 camera with mild distortion."""
    matrix = np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]])
    projection = np.concatenate([matrix, np.zeros((3, 1))], axis=1)
    distortion = np.array([-0.1, 0.01, 0.0, 0.0, 0.0])
    return PinholeCamera(
        example_header("camera_front_optical_frame"),
        640,
        480,
        matrix,
        distortion,
        projection=projection,
    )


def example_transforms() -> Transforms:
    """Returns base_link -> velodyne, 1.73 m up, turned by 90 degrees."""
    pose = Pose.from_yaw(np.pi / 2, np.array([0.0, 0.0, 1.73]))
    return Transforms((StampedTransform(example_header("base_link"), "velodyne", pose),))


def example_odometry() -> Odometry:
    """Returns a vehicle that drives at 10 m/s and turns slowly."""
    pose = Pose.from_yaw(0.3, np.array([1.0, 2.0, 0.0]))
    velocity, rate = np.array([10.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.1])
    return Odometry(example_header("odom"), "base_link", pose, velocity, rate)


def example_detections2d() -> Detections2D:
    """Returns a car and a traffic sign."""
    boxes = np.array([[10.0, 20.0, 110.0, 80.0], [200.5, 30.25, 220.5, 50.25]], np.float32)
    scores, labels = np.array([0.9, 0.5], np.float32), np.array([0, 7], np.int32)
    header = example_header("camera_front_optical_frame")
    return Detections2D(header, boxes, scores, labels, CAMERA_OBJECT_LABELS)


def example_detections3d() -> Detections3D:
    """Returns a car ahead and a pedestrian at the left."""
    return Detections3D(
        example_header(),
        np.array([[12.0, 1.0, 0.8], [6.0, 4.0, 0.9]], np.float32),
        np.array([[4.2, 1.8, 1.6], [0.7, 0.6, 1.8]], np.float32),
        np.array([0.1, -1.5], np.float32),
        np.array([0.95, 0.6], np.float32),
        np.array([0, 2], np.int32),
        OBJECT_LABELS,
    )


def example_tracks() -> Tracks:
    """Returns the objects of `example_detections3d` with ids and velocities."""
    boxes = example_detections3d()
    return Tracks(
        boxes.header,
        boxes.centers_m,
        boxes.sizes_lwh_m,
        boxes.yaws_rad,
        np.array([[8.0, 0.5], [0.0, -1.2]], np.float32),
        np.array([0.05, 0.0], np.float32),
        boxes.scores,
        boxes.labels,
        np.array([7, 12], np.int64),
        boxes.label_set,
    )


def example_predictions() -> Predictions:
    """Returns `example_tracks` with two ways of three steps each."""
    tracks = example_tracks()
    poses = np.arange(2 * 2 * 3 * 4, dtype=np.float32).reshape(2, 2, 3, 4) / 32
    confidences = np.array([[0.75, 0.25], [0.5, 0.5]], np.float32)
    return Predictions(tracks, poses, confidences, 0.5)


def example_camera_objects() -> CameraObjects:
    """Returns a person with a position and a sign of which only the bearing is known."""
    return CameraObjects(
        example_header(),
        np.array([[8.0, 2.0, 0.9], [np.nan, np.nan, np.nan]], np.float32),
        np.array([0.25, -0.1], np.float32),
        np.array([-0.05, 0.08], np.float32),
        np.array([8.2, np.nan], np.float32),
        np.array([0.8, 0.6], np.float32),
        np.array([3, 7], np.int32),
        CAMERA_OBJECT_LABELS,
    )


def example_voxel_grid() -> VoxelGrid:
    """Returns 2 x 3 x 4 voxels (z y x), two of them occupied."""
    labels = np.full((2, 3, 4), UNLABELED, np.uint8)
    labels[0, 1, 2], labels[1, 0, 3] = 0, 6
    probability = np.where(labels == UNLABELED, 0.1, 0.9).astype(np.float32)
    origin_m, voxel_size_m = np.array([-0.8, -0.6, -0.4]), np.array([0.4, 0.4, 0.4])
    return VoxelGrid(example_header(), labels, probability, origin_m, voxel_size_m, POINT_LABELS)


def example_occupancy_grid() -> OccupancyGrid:
    """Returns 2 x 3 cells: unknown, free and occupied."""
    cells = np.array([[-1, 0, 100], [50, -1, 0]], np.int8)
    origin = Pose.from_yaw(0.0, np.array([-1.0, -0.5, 0.0]))
    return OccupancyGrid(example_header(), cells, 0.2, origin)


def example_range_scan() -> RangeScan:
    """Returns four beams: an obstacle ahead, nothing at the sides, unknown behind."""
    ranges = np.array([7.5, np.inf, np.nan, np.inf], np.float32)
    return RangeScan(example_header(), 0.0, 1.5, 0.0, 40.0, ranges)


def example_polygon() -> Polygon:
    """Returns a triangle ahead."""
    return Polygon(example_header(), np.array([[0, 0, 0], [9, -2, 0], [9, 2, 0]], np.float32))


def example_marker_array() -> MarkerArray:
    """Returns a cube, a text and a line."""
    header = example_header()
    pose = Pose.from_yaw(0.1, np.array([12.0, 1.0, 0.8]))
    line = np.array([[0, 0, 0], [1, 0, 0]], np.float32)
    orange = (1.0, 0.6, 0.0, 0.8)
    return MarkerArray(
        header,
        (
            Marker(header, "car", 0, MarkerShape.CUBE, pose, (4.2, 1.8, 1.6), orange),
            Marker(header, "car_text", 0, MarkerShape.TEXT, pose, (0, 0, 0.6), orange, text="car"),
            Marker(header, "line", 1, MarkerShape.LINE_STRIP, pose, (0.1, 0, 0), orange, line),
        ),
    )


def example_diagnostics() -> Diagnostics:
    """Returns one healthy and one warning component."""
    return Diagnostics(
        example_header(""),
        (
            DiagnosticStatus("perception: lidar_detector", DiagnosticLevel.OK, "10.0 Hz"),
            DiagnosticStatus(
                "perception: camera_detector",
                DiagnosticLevel.WARN,
                "3 messages dropped",
                "cpu",
                {"dropped_superseded": "3"},
            ),
        ),
    )


def example_latency() -> Latency:
    """Returns 12.5 ms."""
    return Latency(12.5)
