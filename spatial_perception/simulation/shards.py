"""Labelled scans for training: one compressed npz file a scene, the same bytes for a seed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from spatial_perception.core.pose import Pose
from spatial_perception.simulation.features import ALL_FEATURES, SceneFeatures
from spatial_perception.simulation.lidar import LidarConditions, scan
from spatial_perception.simulation.lidar_models import LidarModel, lidar_model
from spatial_perception.simulation.street import (
    build_street,
    ego_snapshot,
    snapshot,
    together,
    vehicle_pose,
)
from spatial_perception.simulation.surroundings import Surroundings
from spatial_perception.simulation.voxel_truth import VoxelRegion, voxel_truth

_REACH_M = 100.0
_EPOCH = (1980, 1, 1, 0, 0, 0)


def simulate_scene(
    seed: int,
    sensor: LidarModel,
    region: VoxelRegion | None = None,
    features: SceneFeatures = ALL_FEATURES,
) -> dict[str, np.ndarray]:
    """One labelled scan of a street drawn from a seed, in base_link.

    Args:
        seed: draws street, traffic, pose, mount and noise.
        sensor: the LiDAR.
        region: grid of the semantic voxels; the default covers 51 m around and 77 m ahead.
        features: what the street has.

    Returns:
        points (N, 4) float32 x y z intensity, labels (N,) uint8, instance (N,) uint16 (k is
        box k - 1), boxes (M, 7) float32 x y z l w h yaw, box_labels (M,) uint8, box_hits (M,)
        int32, voxel_labels (Z, Y, X) uint8, voxel_visible (Z, Y, X) bool, voxel_origin_m (3,),
        voxel_size_m (3,), sensor, seed.
    """
    region = VoxelRegion() if region is None else region
    rng = np.random.default_rng([seed, len(sensor.elevations_deg)])
    street = build_street(rng, features=features)
    turn = float(rng.normal(0, 0.06)) if rng.random() < 0.75 else float(rng.uniform(-np.pi, np.pi))
    ground = vehicle_pose(street.ground, float(rng.normal(0, 0.5)), street.ego_d_m, turn)
    tilt = Pose.from_quaternion(
        np.array([*rng.normal(0, 0.004, 2), 0.0, 1.0]), np.array([0.0, 0.0, rng.normal(0, 0.03)])
    )
    world_from_base = ground @ tilt
    now = snapshot(street, street.actors)
    mount_z = sensor.mount_z_m + float(rng.normal(0, 0.06))
    mount = Pose.from_yaw(0.0, np.array([0.0, 0.0, mount_z]))
    with_ego = together(now, ego_snapshot(ground, rng, mount_z))
    surroundings = Surroundings([with_ego], threads=1)
    measured = scan(
        surroundings, [world_from_base @ mount], sensor, LidarConditions.sample(rng), rng
    )
    boxes = _boxes_in_base(now.boxes, world_from_base)
    hits = np.bincount(measured.instances, minlength=len(boxes) + 1)[1:]
    near = np.hypot(boxes[:, 0], boxes[:, 1]) < _REACH_M
    renumbered = np.concatenate([[0], np.cumsum(near) * near]).astype(np.uint16)
    truth = voxel_truth(now.mesh, surroundings, world_from_base, region)
    points = np.round(mount.apply(measured.points) * 256) / 256
    return {
        "points": np.concatenate([points, measured.intensity[:, None]], 1).astype(np.float32),
        "labels": measured.labels,
        "instance": renumbered[measured.instances],
        "boxes": boxes[near].astype(np.float32),
        "box_labels": now.labels[near],
        "box_hits": hits[near].astype(np.int32),
        "voxel_labels": truth.labels,
        "voxel_visible": truth.visible,
        "voxel_origin_m": truth.origin_m.astype(np.float32),
        "voxel_size_m": truth.voxel_size_m.astype(np.float32),
        "sensor": np.array(sensor.name),
        "seed": np.array(seed, np.int64),
    }


def _boxes_in_base(boxes: np.ndarray, world_from_base: Pose) -> np.ndarray:
    base = world_from_base.inverse()
    result = boxes.copy()
    result[:, :3] = base.apply(boxes[:, :3])
    yaw = boxes[:, 6]
    ahead = np.stack([np.cos(yaw), np.sin(yaw), 0 * yaw], 1) @ base.rotation.T
    result[:, 6] = np.arctan2(ahead[:, 1], ahead[:, 0])
    return result


def shard_bytes(scene: dict[str, np.ndarray]) -> bytes:
    """A scene as the bytes of an npz file that depend on nothing else."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in scene.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.getvalue(), compresslevel=1)
    return out.getvalue()


def shard_path(
    out_dir: Path, seed: int, sensor: str, features: SceneFeatures = ALL_FEATURES
) -> Path:
    """Where the scene of a seed goes; the features it lacks are part of its name."""
    lacks = "".join(f"-{name}" for name in features.missing)
    return out_dir / f"{sensor}_{seed:07d}{lacks}.npz"


def _write_one(seed: int, out_dir: Path, sensor: LidarModel, features: SceneFeatures) -> Path:
    path = shard_path(out_dir, seed, sensor.name, features)
    if not path.exists():
        scene = simulate_scene(seed, sensor, features=features)
        partial_path = path.with_suffix(".part")
        partial_path.write_bytes(shard_bytes(scene))
        partial_path.rename(path)
    return path


def write_shards(
    out_dir: str | Path,
    seeds: Iterable[int],
    sensor: str = "hdl64",
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
    features: SceneFeatures = ALL_FEATURES,
) -> list[Path]:
    """Writes one shard a seed; those that are there already stay.

    Args:
        out_dir: made where missing.
        seeds: of the scenes; the same seed gives the same bytes.
        sensor: a preset, or a YAML file that describes a sensor (`lidar_models.lidar_model`).
        workers: processes; 1 works in this one.
        progress: called with the number of scenes done.
        features: what the streets have.

    Returns:
        The files, in the order of the seeds.

    Raises:
        ConfigError: no such sensor, or its file is wrong.
    """
    model, out = lidar_model(sensor), Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    work = partial(_write_one, out_dir=out, sensor=model, features=features)
    paths: list[Path] = []

    def collect(results: Iterable[Path]) -> list[Path]:
        for path in results:
            paths.append(path)
            if progress is not None:
                progress(len(paths))
        return paths

    if workers <= 1:
        return collect(map(work, seeds))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return collect(pool.map(work, seeds, chunksize=1))
