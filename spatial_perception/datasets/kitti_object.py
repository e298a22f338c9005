"""KITTI's object benchmark (Geiger et al., 2012), and View-of-Delft in the same layout.

ROOT/training/{velodyne,calib,label_2,image_2}. Everything comes out in base_link: the LiDAR's axes,
moved down to the ground below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_perception.core.header import Header
from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.core.pose import Pose
from spatial_perception.errors import DatasetError

Layout = Literal["kitti", "vod"]

LIDAR_HEIGHT_M: dict[str, float] = {"kitti": 1.73, "vod": 1.63}
"""The LiDAR over the ground."""

OBJECT_CLASSES = {"Car": "car", "Truck": "truck", "Tram": "truck", "Pedestrian": "pedestrian",
                  "Cyclist": "cyclist"}  # fmt: skip
"""Type in a label file -> name in `OBJECT_LABELS`; every other type is no truth of ours."""
NEUTRAL_CLASSES = {"Van": "car", "Person_sitting": "pedestrian", "rider": "cyclist",
                   "bicycle": "cyclist", "motor": "cyclist", "moped_scooter": "cyclist",
                   "ride_other": "cyclist", "ride_uncertain": "cyclist",
                   "bicycle_rack": "cyclist", "human_depiction": "pedestrian"}  # fmt: skip
"""Type -> the class for which it is neither hit nor miss."""
DONT_CARE = "DontCare"


@dataclass(frozen=True, slots=True, eq=False)
class KittiCalibration:
    """How LiDAR, rectified camera and picture lie to one another.

    Args:
        camera_from_base: Rigid transform into the rectified camera's optical frame.
        projection: (3, 4) float64, rectified camera to pixels of image_2.
    """

    camera_from_base: Pose
    projection: np.ndarray

    def project(self, points_base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns (N, 2) pixels and (N,) depths in metres of (N, 3) points."""
        camera = self.camera_from_base.apply(points_base)
        homogeneous = np.column_stack([camera, np.ones(len(camera))]) @ self.projection.T
        depth = camera[:, 2]
        safe = np.where(np.abs(homogeneous[:, 2:]) < 1e-6, 1e-6, homogeneous[:, 2:])
        return homogeneous[:, :2] / safe, depth


@dataclass(frozen=True, slots=True, eq=False)
class KittiObjects:
    """The lines of a label file.

    Args:
        types: M type names as they stand in the file, DontCare included.
        truncated: (M,) float64, share outside the image (View-of-Delft: other meanings).
        occluded: (M,) int64, 0 visible to 3 unknown.
        boxes_px: (M, 4) float64 left top right bottom in image_2.
        boxes: (M, 7) float64 x y z l w h yaw, base_link; without meaning for DontCare.
    """

    types: tuple[str, ...]
    truncated: np.ndarray
    occluded: np.ndarray
    boxes_px: np.ndarray
    boxes: np.ndarray

    def labels(self, classes: dict[str, str], names: tuple[str, ...]) -> np.ndarray:
        """(M,) int64 index in `names` of each object's class by `classes`, 255 for the rest."""
        found = [classes.get(kind) for kind in self.types]
        known = [UNLABELED if name is None else names.index(name) for name in found]
        return np.array(known, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class KittiFrame:
    """One frame; objects only where the label file is there.

    Args:
        name: File stem, e.g. 000123.
        cloud: The scan in base_link.
        calibration: Camera and LiDAR.
        objects: The labelled objects, or None.
        image_path: The left colour picture, which may be missing.
    """

    name: str
    cloud: PointCloud
    calibration: KittiCalibration
    objects: KittiObjects | None
    image_path: Path


def kitti_frames(root: Path) -> list[str]:
    """Names of the frames in `root`/training/velodyne.

    Raises:
        DatasetError: If there are none.
    """
    folder = root / "training" / "velodyne"
    names = sorted(path.stem for path in folder.glob("*.bin")) if folder.is_dir() else []
    if not names:
        raise DatasetError(f"{folder}: holds no scans (*.bin)")
    return names


def read_kitti_frame(root: Path, name: str, layout: Layout = "kitti") -> KittiFrame:
    """One frame of the training folder.

    Args:
        root: Folder that holds training/.
        name: File stem.
        layout: View-of-Delft turns its boxes about the LiDAR's axis instead of the camera's.

    Raises:
        DatasetError: If a file is missing or damaged.
    """
    folder = root / "training"
    height_m = LIDAR_HEIGHT_M[layout]
    points, intensity = read_velodyne(folder / "velodyne" / f"{name}.bin")
    points[:, 2] += np.float32(height_m)
    calibration = _read_calibration(folder / "calib" / f"{name}.txt", height_m)
    label_path = folder / "label_2" / f"{name}.txt"
    objects = _read_objects(label_path, calibration, layout) if label_path.is_file() else None
    cloud = PointCloud(Header(0, "base_link"), points, intensity)
    image_path = next(folder.glob(f"image_2/{name}.*"), folder / "image_2" / f"{name}.png")
    return KittiFrame(name, cloud, calibration, objects, image_path)


def read_velodyne(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) float32 points, metres, LiDAR frame, and (N,) float32 intensity of a .bin file.

    Points that are not finite are left out.

    Raises:
        DatasetError: If the file is missing, or no sequence of four floats.
    """
    values = read_velodyne_rows(path)
    values = values[np.isfinite(values).all(axis=1)]
    return np.ascontiguousarray(values[:, :3]), np.ascontiguousarray(values[:, 3])


def read_velodyne_rows(path: Path) -> np.ndarray:
    """(N, 4) float32 x y z intensity of a .bin file, all that it holds.

    Raises:
        DatasetError: If the file is missing, or no sequence of four floats.
    """
    try:
        values = np.fromfile(path, np.float32)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read: {error.strerror}") from error
    if values.size % 4:
        raise DatasetError(f"{path}: expected x y z intensity float32, got {values.size} values")
    return values.reshape(-1, 4)


def _read_calibration(path: Path, lidar_height_m: float) -> KittiCalibration:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        values = {key.strip(): np.array(rest.split(), np.float64) for key, rest in pairs}
        projection = values["P2"].reshape(3, 4)
        rectification = values["R0_rect"].reshape(3, 3)
        camera_from_lidar = values["Tr_velo_to_cam"].reshape(3, 4)
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"{path}: not a calibration in KITTI's layout: {error}") from error
    turned = rectification @ camera_from_lidar
    lidar_from_base = Pose(np.eye(3), np.array([0.0, 0.0, -lidar_height_m]))
    return KittiCalibration(Pose(turned[:, :3], turned[:, 3]) @ lidar_from_base, projection)


def _read_objects(path: Path, calibration: KittiCalibration, layout: Layout) -> KittiObjects:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line.split() for line in lines if line.strip()]
        values = np.array([[float(v) for v in row[1:15]] for row in rows]).reshape(len(rows), 14)
        if not np.isfinite(values).all():
            raise ValueError("a number that is not finite")
    except ValueError as error:
        raise DatasetError(f"{path}: not a label file in KITTI's layout: {error}") from error
    height, width, length = values[:, 7:10].T
    base_from_camera = calibration.camera_from_base.inverse()
    if layout == "vod":
        centers = base_from_camera.apply(values[:, 10:13])
        centers[:, 2] += 0.5 * height
        yaws = -(values[:, 13] + 0.5 * np.pi)
    else:
        bottoms = values[:, 10:13]
        centers = base_from_camera.apply(bottoms - np.outer(0.5 * height, [0.0, 1.0, 0.0]))
        turn = values[:, 13]
        ahead = np.column_stack([np.cos(turn), np.zeros(len(turn)), -np.sin(turn)])
        ahead = ahead @ base_from_camera.rotation.T
        yaws = np.arctan2(ahead[:, 1], ahead[:, 0])
    return KittiObjects(
        tuple(row[0] for row in rows),
        values[:, 0],
        values[:, 1].astype(np.int64),
        values[:, 3:7],
        np.column_stack([centers, length, width, height, yaws]),
    )
