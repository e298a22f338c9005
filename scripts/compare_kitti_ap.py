#!/usr/bin/env python3
"""Compares our average precision with that of OpenPCDet's KITTI evaluation on the same boxes.

python scripts/compare_kitti_ap.py --openpcdet OpenPCDet --dataset kitti --root data/kitti_object

Truths go to the other program as the label files they are (simulated scans: as labels of an upright
camera), detections as result files in KITTI's format. Of simulated scans only classes with more
than 40 truths are compared: with fewer, our figures follow the definition instead.
It needs numba and a checkout of OpenPCDet; without a GPU set NUMBA_ENABLE_CUDASIM=1. Exits with 1
where a figure differs by more than 0.1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np

from spatial_perception.core import Detections3D, Pose
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.datasets.images import read_rgb
from spatial_perception.datasets.kitti_object import kitti_frames, read_kitti_frame
from spatial_perception.datasets.shards import read_shard, shard_files
from spatial_perception.evaluation.box_measurement import MIN_SCORE
from spatial_perception.evaluation.box_scans import levels_of_points
from spatial_perception.evaluation.evaluators import evaluate
from spatial_perception.evaluation.kitti_rules import CameraJudge
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.projection import image_boxes
from spatial_perception.pipelines.lidar_detector import LidarDetector, LidarDetectorConfig

_KITTI_NAMES = ("Car", "Truck", "Pedestrian", "Cyclist")
_THEIR_CLASSES = (0, 5, 1, 2)  # the same, as OpenPCDet numbers them
_OVERLAPS = (0.5, 0.7)
_DIFFICULTIES = ("easy", "moderate", "hard")
_UPRIGHT = Pose(np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.zeros(3))
_SEEN_PX = (0.0, 0.0, 50.0, 50.0)
_LARGEST = 0.1
_MANY = 40


def main() -> int:
    """Prints a row for each figure; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--openpcdet", type=Path, required=True, help="checkout of OpenPCDet")
    parser.add_argument("--dataset", choices=("kitti", "simulated"), default="kitti")
    parser.add_argument("--root", type=Path, required=True, help="the data set")
    parser.add_argument("--model", default="lidar_detector")
    parser.add_argument("--count", type=int, default=1_000_000, help="frames to take")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write = kitti_texts if arguments.dataset == "kitti" else simulated_texts
        config = LidarDetectorConfig(arguments.model, score_threshold=MIN_SCORE)
        names = []
        for number, (name, truth, found) in enumerate(
            write(arguments.root, LidarDetector(config), arguments.count)
        ):
            names.append(name)
            for kind, text in (("truth", truth), ("found", found)):
                path = Path(folder) / kind / f"{number:06d}.txt"
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
        theirs = their_figures(arguments.openpcdet, Path(folder))
        plentiful = classes_with_many_truths(Path(folder) / "truth")
    request = Request(arguments.model, arguments.dataset, arguments.root, frames=tuple(names))
    report, _ = evaluate(request, lambda done, total: None)
    ours = report.metrics
    worst = 0.0
    print("| figure | ours | OpenPCDet |\n|---|---|---|")
    devkit = arguments.dataset == "kitti"  # there what its program says is measured too
    for figure, value in theirs.items():
        compared = devkit or figure.split("_", 1)[0] in plentiful
        if figure in ours and figure.endswith("_devkit") == devkit and compared:
            worst = max(worst, abs(ours[figure] - value))
            print(f"| {figure} | {ours[figure]:.3f} | {value:.3f} |")
    print(f"\nlargest difference {worst:.4f} over {len(names)} frames")
    return 0 if worst <= _LARGEST else 1


def kitti_texts(root: Path, detector: LidarDetector, count: int) -> Iterator[tuple[str, str, str]]:
    """Name, label file and result file of each frame of KITTI."""
    for name in kitti_frames(root)[:count]:
        frame = read_kitti_frame(root, name)
        found, _ = detector(frame.cloud, False)
        calibration = frame.calibration
        height, width = read_rgb(frame.image_path).shape[:2]
        size_wh_px = (width, height)
        camera_from_base = calibration.camera_from_base
        corners = camera_from_base.apply(found.corners().astype(np.float64).reshape(-1, 3))
        boxes_px = image_boxes(corners.reshape(-1, 8, 3), calibration.projection, size_wh_px)
        judge = CameraJudge(camera_from_base, calibration.projection, size_wh_px, np.zeros((0, 4)))
        labelled = ~judge(found).outside
        truth = (root / "training" / "label_2" / f"{name}.txt").read_text(encoding="utf-8")
        rows = camera_rows(found, camera_from_base)
        yield name, truth, lines(found.labels, rows, boxes_px, found.scores, labelled)


def simulated_texts(
    root: Path, detector: LidarDetector, count: int
) -> Iterator[tuple[str, str, str]]:
    """Name, label file and result file of each simulated scan, for an upright camera."""
    for path in shard_files(root, "val")[:count]:
        scan = read_shard(path, with_voxels=False)
        found, _ = detector(scan.cloud().cloud, False)
        occlusion = levels_of_points(scan.box_hits)
        truth = lines(
            scan.box_labels.astype(np.int64), camera_rows(scan.detections(), _UPRIGHT), None,
            None, np.ones(len(scan.boxes), bool), occlusion,
        )  # fmt: skip
        rows = camera_rows(found, _UPRIGHT)
        yield path.stem, truth, lines(found.labels, rows, None, found.scores, found.scores > 0)


def camera_rows(boxes: Detections3D, camera_from_base: Pose) -> np.ndarray:
    """(N, 7) height, width, length, x, y and z of the bottom's centre, rotation_y."""
    bottoms = camera_from_base.apply(boxes.centers_m.astype(np.float64))
    bottoms[:, 1] += 0.5 * boxes.sizes_lwh_m[:, 2]
    yaws = boxes.yaws_rad.astype(np.float64)
    ahead = np.stack([np.cos(yaws), np.sin(yaws), 0 * yaws], 1) @ camera_from_base.rotation.T
    turn = np.arctan2(-ahead[:, 2], ahead[:, 0])
    return np.column_stack([boxes.sizes_lwh_m[:, ::-1], bottoms, turn])


def lines(
    labels: np.ndarray,
    rows: np.ndarray,
    boxes_px: np.ndarray | None,
    scores: np.ndarray | None,
    chosen: np.ndarray,
    occlusion: np.ndarray | None = None,
) -> str:
    """A label file, or a result file where there are scores."""
    text = []
    for i in np.flatnonzero(chosen):
        box_px = _SEEN_PX if boxes_px is None else np.nan_to_num(boxes_px[i], nan=0.0)
        hidden = 0 if occlusion is None else int(occlusion[i])
        values = [*box_px, *rows[i], *([] if scores is None else [scores[i]])]
        numbers = " ".join(f"{value:.9g}" for value in values)
        text.append(f"{_KITTI_NAMES[int(labels[i])]} 0 {hidden} 0 {numbers}\n")
    return "".join(text)


def classes_with_many_truths(folder: Path) -> set[str]:
    """Our names of the classes with more than 40 truths of moderate difficulty."""
    rows = [line.split() for path in folder.glob("*.txt") for line in path.open(encoding="utf-8")]
    names = [row[0] for row in rows if int(row[2]) <= 1]
    pairs = zip(_KITTI_NAMES, OBJECT_LABELS.names, strict=True)
    return {ours for theirs, ours in pairs if names.count(theirs) > _MANY}


def their_figures(checkout: Path, folder: Path) -> dict[str, float]:
    """What OpenPCDet makes of the files, under our names."""
    sys.modules.setdefault("skimage", types.ModuleType("skimage"))  # for pictures, unused here
    sys.modules["skimage"].io = None  # type: ignore[attr-defined]
    sys.path.insert(0, str(checkout / "pcdet" / "datasets" / "kitti"))
    common = import_module("kitti_object_eval_python.kitti_common")
    program = import_module("kitti_object_eval_python.eval")
    truth, found = (common.get_label_annos(folder / kind) for kind in ("truth", "found"))
    overlaps = np.array(_OVERLAPS)[:, None, None] * np.ones((1, 3, len(_THEIR_CLASSES)))
    figures = {}
    for metric, plane in ((1, "bev"), (2, "3d")):
        result = program.eval_class(truth, found, _THEIR_CLASSES, [0, 1, 2], metric, overlaps)
        for points, suffix in ((40, ""), (11, "_r11")):
            mean = program.get_mAP_R40 if points == 40 else program.get_mAP
            table = mean(result["precision"])
            for c, name in enumerate(OBJECT_LABELS.names):
                for d, difficulty in enumerate(_DIFFICULTIES):
                    for o, overlap in enumerate(_OVERLAPS):
                        stem = f"{name}_{plane}_ap_{overlap}"
                        if difficulty == "moderate":
                            figures[f"{stem}{suffix}_devkit"] = float(table[c, d, o])
                            figures[f"{stem}{suffix}"] = float(table[c, d, o])
                        elif not suffix:
                            figures[f"{stem}_{difficulty}"] = float(table[c, d, o])
    return figures


if __name__ == "__main__":
    sys.exit(main())
