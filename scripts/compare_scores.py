#!/usr/bin/env python3
"""Compares a LiDAR detector's calibrated scores with those of its network, on the same boxes.

python scripts/compare_scores.py --dataset simulated --root shards

Boxes are hits and false alarms (BEV, overlap 0.5, moderate) whose calibrated score is at least
0.05; `ece` is the expected calibration error in percent. From a score of 0.3 on: hits + false
alarms, by either score.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from spatial_perception.config import from_mapping
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.evaluation.box_evaluators import BOX_SCANS
from spatial_perception.evaluation.box_measurement import detected_frames
from spatial_perception.evaluation.classification import calibration_error
from spatial_perception.evaluation.detection3d import DOUBTFUL_SCORE, Setting, match_boxes
from spatial_perception.pipelines.lidar_detector import CentersArguments
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import ModelSpec

SHOWN_SCORE = 0.3
LEAST_SCORE = 0.001


def main() -> None:
    """Prints a row for each class."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=BOX_SCANS, required=True)
    parser.add_argument("--root", type=Path, required=True, help="the data set")
    parser.add_argument("--model", default="lidar_detector")
    arguments = parser.parse_args()
    spec = ModelSpec.load(find_model(arguments.model))
    calibration = from_mapping(CentersArguments, spec.decoder_arguments, spec.name).calibration
    if not calibration.scales:
        parser.error(f"the scores of '{spec.name}' are not calibrated")
    sources = BOX_SCANS[arguments.dataset](arguments.root)
    frames = detected_frames(arguments.model, sources, LEAST_SCORE)
    print("class        boxes  ece of the network's  calibrated  from 0.3: network's  calibrated")
    for label, name in enumerate(OBJECT_LABELS.names):
        answers = [match_boxes(frame, label, Setting("bev", 0.5)).answers for frame in frames]
        probability, right = np.concatenate(answers).T
        right = right > 0.5
        raw = calibration.inverse(probability, np.full(len(right), label))
        some = probability >= DOUBTFUL_SCORE
        errors = [calibration_error(score[some], right[some]) for score in (raw, probability)]
        shown = [
            f"{(right & (score >= SHOWN_SCORE)).sum()} + {(~right & (score >= SHOWN_SCORE)).sum()}"
            for score in (raw, probability)
        ]
        print(
            f"{name:<11} {some.sum():6} {errors[0]:21.1f} {errors[1]:11.1f}"
            f" {shown[0]:>20} {shown[1]:>11}"
        )


if __name__ == "__main__":
    main()
