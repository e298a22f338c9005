"""LiDAR detectors on KITTI, View-of-Delft, Argoverse 2 and simulated shards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_perception.core.labels import OBJECT_LABELS, UNLABELED
from spatial_perception.datasets.argoverse2 import argoverse2_sweeps, read_argoverse2
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import (
    DONT_CARE,
    Layout,
    kitti_frames,
    read_kitti_frame,
)
from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.box_measurement import measure_boxes
from spatial_perception.evaluation.box_scans import BoxScan, BoxScanSource, levels_of_points
from spatial_perception.evaluation.detection3d import NEVER
from spatial_perception.evaluation.kitti_rules import SPACE, CameraJudge, object_levels
from spatial_perception.evaluation.measurement import Measurement, Progress, Request

TRAINING: tuple[Literal["training"], ...] = ("training",)
LABELLED_RANGE_M: dict[Layout, float] = {"kitti": np.inf, "vod": 50.0}


def evaluate_kitti_boxes(request: Request, progress: Progress) -> Measurement:
    """Boxes of a LiDAR detector on KITTI's object benchmark."""
    return _evaluate_kitti_layout(request, "kitti", progress)


def evaluate_vod_boxes(request: Request, progress: Progress) -> Measurement:
    """Boxes of a LiDAR detector on View-of-Delft, which has KITTI's layout."""
    return _evaluate_kitti_layout(request, "vod", progress)


def evaluate_argoverse2_boxes(request: Request, progress: Progress) -> Measurement:
    """Boxes of a LiDAR detector on the sweeps of Argoverse 2 sensor logs."""
    known: tuple[Literal["all"], ...] = ("all",)
    split = request.choose_split("all", known)
    return measure_boxes(request, split, argoverse2_scans(request.root), progress)


def evaluate_simulated_boxes(request: Request, progress: Progress) -> Measurement:
    """Boxes and semantic voxels of a LiDAR detector on simulated shards."""
    known: tuple[Literal["train", "val"], ...] = ("train", "val")
    split = request.choose_split("val", known)
    return measure_boxes(request, split, simulated_scans(request.root, split), progress)


def evaluate_pooled_boxes(request: Request, progress: Progress) -> Measurement:
    """Boxes of a LiDAR detector on several data sets together, each by its own rules.

    Raises:
        DatasetError: If one of them has no boxes in space.
    """
    known: tuple[Literal["default"], ...] = ("default",)
    split = request.choose_split("default", known)
    sources = []
    for dataset, root in ((request.dataset, request.root), *request.pooled):
        if dataset not in BOX_SCANS:
            raise DatasetError(
                f"{dataset} cannot be pooled; those that can: {', '.join(BOX_SCANS)}"
            )
        for source in BOX_SCANS[dataset](root):
            sources.append(BoxScanSource(f"{dataset}/{source.name}", source.read))
    return measure_boxes(request, split, sources, progress)


def _evaluate_kitti_layout(request: Request, layout: Layout, progress: Progress) -> Measurement:
    split = request.choose_split("training", TRAINING)
    return measure_boxes(request, split, kitti_scans(request.root, layout), progress, devkit=True)


def kitti_scans(root: Path, layout: Layout) -> list[BoxScanSource]:
    """The training scans of a data set in KITTI's layout."""
    return [BoxScanSource(name, partial(_kitti, root, name, layout)) for name in kitti_frames(root)]


def argoverse2_scans(root: Path) -> list[BoxScanSource]:
    """The sweeps of Argoverse 2 sensor logs."""
    return [
        BoxScanSource(path.stem, partial(_argoverse2, path)) for path in argoverse2_sweeps(root)
    ]


def simulated_scans(root: Path, split: Literal["train", "val"]) -> list[BoxScanSource]:
    """The scans of a folder of simulated shards."""
    return [
        BoxScanSource(path.stem, partial(_simulated, path)) for path in shard_files(root, split)
    ]


BOX_SCANS: Mapping[str, Callable[[Path], list[BoxScanSource]]] = {
    "kitti": partial(kitti_scans, layout="kitti"),
    "vod": partial(kitti_scans, layout="vod"),
    "argoverse2": argoverse2_scans,
    "simulated": partial(simulated_scans, split="val"),
}
"""The scans under a root of each data set with boxes in space."""


def _kitti(root: Path, name: str, layout: Layout) -> BoxScan:
    frame = read_kitti_frame(root, name, layout)
    objects = frame.objects
    if objects is None:
        raise DatasetError(f"{root}/training/label_2/{name}.txt: no such file")
    height, width = read_rgb(frame.image_path).shape[:2]
    # View-of-Delft keeps other things in the column of the truncation.
    truncation = objects.truncated if layout == "kitti" else None
    levels = object_levels(objects.boxes_px, objects.occluded, truncation)
    index, labels, levels = SPACE.rows(objects.types, levels, OBJECT_LABELS)
    judge = CameraJudge(
        frame.calibration.camera_from_base,
        frame.calibration.projection,
        (width, height),
        objects.boxes_px[[kind == DONT_CARE for kind in objects.types]],
        LABELLED_RANGE_M[layout],
    )
    return BoxScan(frame.cloud, objects.boxes[index], labels, levels, judge)


def _argoverse2(path: Path) -> BoxScan:
    """Categories that are none of ours are neutral for all of ours."""
    sweep = read_argoverse2(path)
    ours = sweep.labels != UNLABELED
    others, classes = np.flatnonzero(~ours), len(OBJECT_LABELS)
    index = np.concatenate([np.flatnonzero(ours), np.repeat(others, classes)])
    labels = [sweep.labels[ours], np.tile(np.arange(classes), len(others))]
    levels = levels_of_points(sweep.hits)
    levels[others] = NEVER
    return BoxScan(sweep.cloud, sweep.boxes[index], np.concatenate(labels), levels[index])


def _simulated(path: Path) -> BoxScan:
    scan = read_shard(path)
    return BoxScan(
        scan.cloud().cloud,
        scan.boxes.astype(np.float64),
        scan.box_labels.astype(np.int64),
        levels_of_points(scan.box_hits),
        voxels=scan.voxels,
    )
