"""A simulated drive as a rosbag2 bag: sensor topics, transforms, odometry and ground truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spatial_perception import messages
from spatial_perception.bags.writer import BagWriter
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import CAMVID_LABELS, OBJECT_LABELS, POINT_LABELS
from spatial_perception.core.odometry import Odometry
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.tracks import Tracks
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.messages.codec import Codec
from spatial_perception.messages.qos import QosProfile
from spatial_perception.simulation.camera import Picture, boxes_2d
from spatial_perception.simulation.drive import Drive, DriveConfig, Moment
from spatial_perception.simulation.grid_truth import GridTruth

T = TypeVar("T")

START_NS = 1_700_000_000_000_000_000
"""Stamp of the first scan: the same for every drive, so that equal seeds give equal messages."""
POINTS_TOPIC = "/sensing/lidar/points"
CAMERA_TOPIC = "/sensing/camera/front"
TRUTH_OBJECTS_TOPIC = "/ground_truth/objects"
TRUTH_STATES_TOPIC = "/ground_truth/objects/states"
TRUTH_POINTS_TOPIC = "/ground_truth/lidar/segmentation"
TRUTH_GRID_TOPIC = "/ground_truth/occupancy/grid"
TRUTH_PIXELS_TOPIC = "/ground_truth/camera/front/segmentation"
TRUTH_BOXES_TOPIC = "/ground_truth/camera/front/detections"

_LIDAR_FRAME = "velodyne"
_BASE, _ODOM = "base_link", "odom"
_ODOMETRY_STEP_NS = 20_000_000
_IMAGE_LATENCY_NS, _CLOUD_LATENCY_NS = 17_000_000, 30_000_000
_TRUTH_REACH_M = 100.0
_STATIC = QosProfile(transient_local=True, depth=100)
_LATCHED = QosProfile(transient_local=True, depth=1)


def _ns(time_s: float) -> int:
    return START_NS + round(time_s * 1e9)


class _DriveRecorder:
    """Turns moments into messages in log order."""

    def __init__(self, bag: BagWriter, drive: Drive) -> None:
        self._bag, self._drive = bag, drive
        self._next_odometry_ns = START_NS
        self._camera_frame = drive.config.camera.frame_id
        self._grid = GridTruth(drive)

    def _put(
        self, topic: str, codec: Codec[T], log_ns: int, value: T, qos: QosProfile | None = None
    ) -> None:
        self._bag.write(topic, codec.ros_type, log_ns, codec.encode(value), qos)

    def start(self) -> None:
        """What holds for the whole drive."""
        rig = self._drive.rig
        transforms = Transforms(
            (
                StampedTransform(Header(START_NS, _BASE), _LIDAR_FRAME, rig.base_from_lidar),
                StampedTransform(
                    Header(START_NS, _LIDAR_FRAME), self._camera_frame, rig.lidar_from_camera
                ),
            )
        )
        self._put("/tf_static", messages.TRANSFORMS, START_NS, transforms, _STATIC)
        self._put(
            f"{TRUTH_PIXELS_TOPIC}/labels", messages.LABEL_INFO, START_NS, CAMVID_LABELS, _LATCHED
        )

    def odometry_until(self, log_ns: int) -> None:
        """Odometry and its transform at 50 Hz up to a time."""
        while self._next_odometry_ns <= log_ns:
            stamp = self._next_odometry_ns
            time_s = (stamp - START_NS) * 1e-9
            pose = self._drive.odom_from_base(time_s)
            linear, angular = self._drive.base_velocity(time_s)
            header = Header(stamp, _ODOM)
            moved = Transforms((StampedTransform(header, _BASE, pose),))
            self._put("/tf", messages.TRANSFORMS, stamp, moved)
            self._put(
                "/odom", messages.ODOMETRY, stamp, Odometry(header, _BASE, pose, linear, angular)
            )
            self._next_odometry_ns += _ODOMETRY_STEP_NS

    def record(self, moment: Moment) -> None:
        """One moment; pictures come sooner than scans, as from real drivers."""
        scan_ns = _ns(moment.time_s)
        image_ns = _ns(moment.time_s + self._drive.config.camera_delay_s)
        if moment.picture is not None:
            self.odometry_until(image_ns + _IMAGE_LATENCY_NS)
            self._record_picture(moment, moment.picture, image_ns)
        self.odometry_until(scan_ns + _CLOUD_LATENCY_NS)
        self._record_scan(moment, scan_ns)

    def _record_picture(self, moment: Moment, picture: Picture, stamp_ns: int) -> None:
        header = Header(stamp_ns, self._camera_frame)
        log_ns = stamp_ns + _IMAGE_LATENCY_NS
        camera = self._drive.config.camera.calibration(stamp_ns)
        self._put(f"{CAMERA_TOPIC}/camera_info", messages.CAMERA_INFO, log_ns, camera)
        self._put(
            f"{CAMERA_TOPIC}/image/compressed",
            messages.COMPRESSED_IMAGE,
            log_ns,
            CameraImage(header, picture.pixels),
        )
        self._put(
            TRUTH_PIXELS_TOPIC,
            messages.LABEL_IMAGE,
            log_ns,
            LabelImage(header, picture.labels, CAMVID_LABELS),
        )
        self._put(
            TRUTH_BOXES_TOPIC,
            messages.DETECTIONS_2D,
            log_ns,
            boxes_2d(picture, moment.looks, stamp_ns, self._camera_frame),
        )

    def _record_scan(self, moment: Moment, stamp_ns: int) -> None:
        scan, log_ns = moment.scan, stamp_ns + _CLOUD_LATENCY_NS
        time_s = scan.time_s - np.float32(self._drive.lidar.spin_time_s / 2)
        cloud = PointCloud(
            Header(stamp_ns, _LIDAR_FRAME),
            scan.points,
            scan.intensity,
            scan.ring,
            time_s.astype(np.float32),
        )
        self._put(POINTS_TOPIC, messages.POINT_CLOUD, log_ns, cloud)
        bare = PointCloud(cloud.header, scan.points, scan.intensity)
        self._put(
            TRUTH_POINTS_TOPIC,
            messages.LABELLED_CLOUD,
            log_ns,
            LabelledCloud(bare, scan.labels, POINT_LABELS),
        )
        near = np.hypot(moment.boxes[:, 0], moment.boxes[:, 1]) < _TRUTH_REACH_M
        touched = true_tracks(moment, near & (moment.hits > 0), stamp_ns)
        self._put(TRUTH_OBJECTS_TOPIC, messages.TRACKS, log_ns, touched)
        everything = true_tracks(moment, near, stamp_ns)
        self._put(TRUTH_STATES_TOPIC, messages.TRACK_STATES, log_ns, everything)
        grid = self._grid.at(moment, Header(stamp_ns, _ODOM))
        self._put(TRUTH_GRID_TOPIC, messages.OCCUPANCY_GRID, log_ns, grid)


def true_tracks(moment: Moment, chosen: NDArray[np.bool_], stamp_ns: int) -> Tracks:
    """Those of a moment's objects that are chosen, (M,) bool, in base_link."""
    boxes = moment.boxes[chosen].astype(np.float32)
    ids = moment.ids[chosen]
    kinds = [OBJECT_LABELS.index(moment.kinds[i - 1]) for i in ids]
    return Tracks(
        Header(stamp_ns, _BASE),
        np.ascontiguousarray(boxes[:, :3]),
        np.ascontiguousarray(boxes[:, 3:6]),
        np.ascontiguousarray(boxes[:, 6]),
        moment.velocities_mps[chosen].astype(np.float32),
        np.zeros(len(ids), np.float32),
        np.ones(len(ids), np.float32),
        np.array(kinds, np.int32),
        ids,
        OBJECT_LABELS,
    )


def simulate_drive(
    out_bag: str | Path,
    seconds: float = 6.0,
    seed: int = 0,
    config: DriveConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Writes a drive as an MCAP bag; the same seed gives the same messages.

    Args:
        out_bag: the bag's folder, must not exist.
        seconds: how long, where no configuration is given.
        seed: draws everything, where no configuration is given.
        config: everything that can be set.
        progress: called with frames done and frames in all.

    Returns:
        The bag's folder.

    Raises:
        ConfigError: the sensor is unknown or a ray caster is not installed.
        DatasetError: the bag exists or cannot be written.
    """
    drive = Drive(DriveConfig(seconds=seconds, seed=seed) if config is None else config)
    path = Path(out_bag)
    with BagWriter(path) as bag:
        recorder = _DriveRecorder(bag, drive)
        recorder.start()
        for done, moment in enumerate(drive.moments(), start=1):
            recorder.record(moment)
            if progress is not None:
                progress(done, drive.frames)
    return path
