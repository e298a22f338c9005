#!/usr/bin/env python3
"""Says which part of a LiDAR detector's boxes costs how much average precision.

python scripts/blame_boxes.py --dataset simulated --root shards

Boxes that overlap a truth of their class (BEV, 0.3) get one part of it after another: what AP would
be if the network knew that part. `score`: the score is the overlap with the nearest truth. Overlap
0.7 for cars and trucks, else 0.5, moderate, in percent.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.evaluation.box_evaluators import BOX_SCANS
from spatial_perception.evaluation.box_measurement import detected_frames
from spatial_perception.evaluation.detection3d import (
    BoxFrame,
    Setting,
    box_overlaps,
    match_boxes,
)
from spatial_perception.evaluation.precision_recall import PrecisionRecall

PARTS = {
    "as found": [],
    "place": [0, 1],
    "length, width": [3, 4],
    "yaw": [6],
    "z, height": [2, 5],
    "score": [],
}
OVERLAPS = {"car": 0.7, "truck": 0.7}
LEAST_SCORE, NEAR_IOU = 0.05, 0.3


def knowing(frame: BoxFrame, part: str) -> BoxFrame:
    """The frame with one part of each box taken from the truth that it overlaps most."""
    if not len(frame.truth_boxes) or not len(frame.boxes):
        return frame
    alike = frame.labels[:, None] == frame.truth_labels
    overlap = np.where(alike, box_overlaps(frame, "bev").T, 0.0)
    nearest = overlap.argmax(axis=1)
    near = overlap.max(axis=1) > NEAR_IOU
    boxes, scores = frame.boxes.copy(), frame.scores
    columns = PARTS[part]
    boxes[np.ix_(near, columns)] = frame.truth_boxes[np.ix_(nearest[near], columns)]
    if part == "score":
        scores = np.where(alike, box_overlaps(frame, "3d").T, 0.0).max(axis=1)
    return replace(frame, boxes=boxes, scores=scores)


def precision(frames: Sequence[BoxFrame], label: int, setting: Setting) -> float:
    """Average precision of a class."""
    matches = [match_boxes(frame, label, setting) for frame in frames]
    return PrecisionRecall(matches).average_precision(40, np.ones(len(frames), np.int64))


def main() -> None:
    """Prints a row for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=BOX_SCANS, required=True)
    parser.add_argument("--root", type=Path, required=True, help="the data set")
    parser.add_argument("--model", default="lidar_detector")
    arguments = parser.parse_args()
    sources = BOX_SCANS[arguments.dataset](arguments.root)
    frames = detected_frames(arguments.model, sources, LEAST_SCORE)
    names = OBJECT_LABELS.names
    print(f"{'if known':<14}" + "".join(f"{name + ' BEV, 3D':>20}" for name in names))
    for part in PARTS:
        known = [knowing(frame, part) for frame in frames]
        row = f"{part:<14}"
        for label, name in enumerate(names):
            overlap = OVERLAPS.get(name, 0.5)
            values = [precision(known, label, Setting(plane, overlap)) for plane in ("bev", "3d")]
            row += f"{values[0]:14.1f}{values[1]:6.1f}"
        print(row)


if __name__ == "__main__":
    main()
