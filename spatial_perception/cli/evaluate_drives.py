"""Tracking over drives with truth: each bag is replayed, then its objects are compared."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_perception import messages
from spatial_perception.bags import BagReader
from spatial_perception.cli.drive_bags import (
    bags_in,
    drive_parameters,
    output_folder,
    replayed_drive,
)
from spatial_perception.cli.evaluate_grids import GRID_MODEL, evaluate_grids
from spatial_perception.core import Detections3D, PointCloud, Tracks, TransformTree
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.evaluation.bootstrap import interval_90
from spatial_perception.evaluation.class_errors import (
    ScanAnswers,
    class_error_metrics,
    count_class_errors,
)
from spatial_perception.evaluation.drives import (
    DriveFrame,
    count_drive,
    drive_metrics,
    points_on_boxes,
)
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.report import Report

Progress = Callable[[int, int], None]

MODEL = "object_tracker"
NETWORK_STAGES = ("lidar_detector", "lidar_segmenter", "camera_detector")
STAGES = (*NETWORK_STAGES, "camera_lidar_fusion", MODEL)
POINTS_TOPIC = "/sensing/lidar/points"
TRUTH_TOPIC = "/ground_truth/objects/states"
TRACKS_TOPIC = "/perception/objects/states"
LIDAR_TOPIC = "/perception/lidar/detections"
FUSED_TOPIC = "/perception/fusion/detections"
CAMERA_TOPICS = re.compile("/perception/camera/[^/]+/objects")
RANGES_M = {"": 50.0, "_within_30m": 30.0}
_SEED = 0


def evaluate_drives(
    request: Request, config: Path | None, replayed: Path | None, progress: Progress
) -> Report:
    """Returns metrics of tracks or grids over all bags with truth in a folder, and intervals.

    Args:
        request: model `object_tracker` or `occupancy_mapper`; root is a folder of bags, frames
            are names of bags.
        config: parameters of the graph; defaults where None.
        replayed: folder where the graph's output bags are kept, see `replayed_drive`.
        progress: called after every drive.

    Raises:
        ConfigError: another model, or a bad configuration.
        DatasetError: no bag with truth there, or a bag cannot be read.
    """
    if request.model == GRID_MODEL:
        return evaluate_grids(request, config, replayed, progress)
    if request.model != MODEL:
        raise ConfigError(f"drives measure '{MODEL}' or '{GRID_MODEL}', not '{request.model}'")
    split = request.choose_split("all", ("all",))
    bags = request.choose_frames(bags_in(request.root), lambda bag: bag.name)
    parameters = drive_parameters(config, request.engine, NETWORK_STAGES)
    where = str(config or "evaluate")
    measured, class_counts = [], []
    frames = 0
    with output_folder(replayed) as folder:
        for done, bag in enumerate(bags, start=1):
            output = replayed_drive(bag, folder, TRUTH_TOPIC, parameters, STAGES, where)
            drive = read_drive(bag, output)
            frames += len(drive)
            measured.append({suffix: count_drive(drive, r) for suffix, r in RANGES_M.items()})
            class_counts.append(count_class_errors(drive, read_answers(output)))
            progress(done, len(bags))

    def compute(weights: np.ndarray) -> dict[str, float]:
        found: dict[str, float] = {}
        for suffix in RANGES_M:
            values = drive_metrics([drive[suffix] for drive in measured], weights)
            found |= {f"{name}{suffix}": value for name, value in values.items()}
        return found | class_error_metrics(np.tensordot(weights, np.array(class_counts), 1))

    return Report(
        model=MODEL,
        dataset=request.dataset,
        split=split,
        frames=frames,
        metrics=compute(np.ones(len(bags), np.int64)),
        interval_90=interval_90(compute, len(bags), np.random.default_rng(_SEED)),
    )


def read_drive(bag: Path, output: Path) -> list[DriveFrame]:
    """Returns truth and tracks of every scan of a drive; a scan without tracks has none.

    Raises:
        DatasetError: a bag cannot be read or holds no truth.
    """
    tracks: dict[int, Tracks] = {}
    with BagReader(output) as reader:
        for message in reader.messages({TRACKS_TOPIC}):
            found = messages.TRACK_STATES.decode(message.data)
            tracks[found.header.stamp_ns] = found
    frames = []
    tree, clouds = TransformTree(), dict[int, PointCloud]()
    with BagReader(bag) as reader:
        for message in reader.messages({"/tf_static", POINTS_TOPIC, TRUTH_TOPIC}):
            if message.topic == "/tf_static":
                tree.add(messages.TRANSFORMS.decode(message.data), static=True)
            elif message.topic == POINTS_TOPIC:
                cloud = messages.POINT_CLOUD.decode(message.data)
                clouds = {cloud.header.stamp_ns: cloud}
            else:
                truth = messages.TRACK_STATES.decode(message.data)
                frames.append(_frame(truth, clouds, tree, tracks))
    if not frames:
        raise DatasetError(f"{bag}: no message on {TRUTH_TOPIC}")
    return frames


def read_answers(output: Path) -> dict[int, ScanAnswers]:
    """Returns what LiDAR, fusion and cameras said, by stamp; nothing where a bag has not all of it.

    Raises:
        DatasetError: the bag cannot be read.
    """
    lidar, fused = dict[int, Detections3D](), dict[int, Detections3D]()
    cameras: dict[int, list[CameraObjects]] = {}
    with BagReader(output) as reader:
        places = {topic for topic in reader.topics if CAMERA_TOPICS.fullmatch(topic)}
        if not places or not {LIDAR_TOPIC, FUSED_TOPIC} <= set(reader.topics):
            return {}
        for message in reader.messages({LIDAR_TOPIC, FUSED_TOPIC, *places}):
            if message.topic in places:
                seen = messages.CAMERA_OBJECTS.decode(message.data)
                cameras.setdefault(seen.header.stamp_ns, []).append(seen)
            else:
                boxes = messages.DETECTIONS_3D.decode(message.data)
                into = lidar if message.topic == LIDAR_TOPIC else fused
                into[boxes.header.stamp_ns] = boxes
    return {
        stamp_ns: ScanAnswers(lidar[stamp_ns], fused[stamp_ns], cameras.get(stamp_ns, []))
        for stamp_ns in lidar.keys() & fused.keys()
    }


def _frame(
    truth: Tracks, clouds: dict[int, PointCloud], tree: TransformTree, tracks: dict[int, Tracks]
) -> DriveFrame:
    stamp_ns = truth.header.stamp_ns
    if stamp_ns not in clouds:
        raise DatasetError(f"no cloud on {POINTS_TOPIC} with the truth's stamp {stamp_ns}")
    cloud = clouds[stamp_ns]
    base_from_lidar = tree.lookup(truth.header.frame_id, cloud.header.frame_id, stamp_ns)
    boxes = truth.detections().boxes().astype(np.float64)
    nothing = truth.selected(np.zeros(len(truth), bool))
    found = tracks.get(stamp_ns, nothing)
    if found.header.frame_id != truth.header.frame_id:
        raise DatasetError(
            f"tracks are in '{found.header.frame_id}', the truth in '{truth.header.frame_id}'"
        )
    points = points_on_boxes(base_from_lidar.apply(cloud.points), boxes)
    return DriveFrame(truth, points, found)
