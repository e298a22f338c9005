"""Validation of the LiDAR networks on simulated scans, through the decoders that inference uses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from spatial_perception.core.header import Header
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.datasets.shards import SimulatedScan
from spatial_perception.evaluation.detection3d import (
    MODERATE,
    NEVER,
    BoxFrame,
    Setting,
    answers_calibration_error,
    match_boxes,
)
from spatial_perception.evaluation.occupancy import OccupancyMetrics, voxels_compared
from spatial_perception.evaluation.precision_recall import PrecisionRecall
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.ops.calibration import UNCALIBRATED, ScoreCalibration
from spatial_perception.ops.centers import CentersConfig, decode_centers
from spatial_perception.ops.ground import estimate_ground
from spatial_perception.ops.semantic_voxels import decode_voxels
from spatial_perception.ops.voxelize import voxelize
from spatial_perception.training.lidar_samples import SampleConfig

_SETTINGS = {
    "bev_ap_0.5": Setting("bev", 0.5),
    "bev_ap_0.7": Setting("bev", 0.7),
    "3d_ap_0.5": Setting("3d", 0.5),
    "3d_ap_0.7": Setting("3d", 0.7),
}


def validate_detector(
    network: SpatialNetwork,
    scans: Iterable[SimulatedScan],
    config: SampleConfig,
    device: torch.device,
    calibration: ScoreCalibration = UNCALIBRATED,
) -> dict[str, float]:
    """Percent: mean BEV AP at 0.5 first, then AP and ECE of each class, heading, occupancy.

    Objects with fewer points than `min_hits` are neither asked for nor false alarms.
    """
    network.eval()
    frames, occupancy = [], OccupancyMetrics(POINT_LABELS.names)
    for scan in scans:
        outputs, frame = _detected(network, scan, config, device, calibration)
        frames.append(frame)
        if scan.voxels is not None:
            judge_voxels(occupancy, outputs["occupancy"], scan, config)
    return {**_box_metrics(frames), **_prefixed(occupancy.compute(), "occupancy_")}


def detection_answers(
    network: SpatialNetwork,
    scans: Iterable[SimulatedScan],
    config: SampleConfig,
    device: torch.device,
) -> list[np.ndarray]:
    """(N, 2) of each class: score of each hit and false alarm (BEV, 0.5), and 1 for a hit, else 0.

    Scores are the network's own. Objects with fewer points than `min_hits` are neither hits nor
    false alarms.
    """
    network.eval()
    setting = _SETTINGS["bev_ap_0.5"]
    frames = [_detected(network, scan, config, device)[1] for scan in scans]
    return [
        np.concatenate([match_boxes(frame, label, setting).answers for frame in frames])
        for label in range(len(OBJECT_LABELS))
    ]


def _detected(
    network: SpatialNetwork,
    scan: SimulatedScan,
    config: SampleConfig,
    device: torch.device,
    calibration: ScoreCalibration = UNCALIBRATED,
) -> tuple[dict[str, np.ndarray], BoxFrame]:
    """The network's outputs for a scan, and its truths with the decoded detections."""
    ground = estimate_ground(scan.points, config.ground)
    voxels = torch.from_numpy(voxelize(scan.points, ground, config.voxels))[None].to(device)
    outputs = {
        name: value.float().cpu().numpy()
        for name, value in network.outputs({"voxels": voxels}).items()
    }
    boxes, scores, labels = decode_centers(outputs, ground, config.centers)
    found = boxes, calibration.probabilities(scores, labels), labels
    return outputs, simulated_frame(scan, found, config.centers, config.min_hits)


def simulated_frame(
    scan: SimulatedScan,
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
    config: CentersConfig,
    min_hits: int,
) -> BoxFrame:
    """Truths and detections (boxes, scores, labels) of a simulated scan within the grid."""
    boxes, scores, labels = found
    (x_low, x_high), (y_low, y_high) = config.range_x_m, config.range_y_m
    x, y = scan.boxes[:, 0], scan.boxes[:, 1]
    inside = (x > x_low) & (x < x_high) & (y > y_low) & (y < y_high)
    asked = inside & (scan.box_hits >= min_hits)
    return BoxFrame(
        scan.boxes.astype(np.float64),
        scan.box_labels.astype(np.int64),
        np.where(asked, MODERATE, NEVER).astype(np.int64),
        boxes.astype(np.float64),
        scores.astype(np.float64),
        labels.astype(np.int64),
        np.full(len(boxes), MODERATE, np.int64),
        np.zeros(len(boxes), bool),
        np.zeros(len(boxes), bool),
    )


def judge_voxels(
    metrics: OccupancyMetrics,
    logits: np.ndarray,
    scan: SimulatedScan,
    config: SampleConfig,
) -> None:
    """Counts the decoded grid against the truth at the same places of base_link."""
    assert scan.voxels is not None
    ground = estimate_ground(scan.points, config.ground)
    grid = decode_voxels(logits, ground, config.occupancy, Header(0, "base_link"), POINT_LABELS)
    metrics.add(*voxels_compared(grid, scan.voxels))


def _box_metrics(frames: list[BoxFrame]) -> dict[str, float]:
    every = np.ones(len(frames), np.int64)
    values: dict[str, float] = {}
    headings = []
    for label, name in enumerate(OBJECT_LABELS.names):
        for metric, setting in _SETTINGS.items():
            matches = [match_boxes(frame, label, setting) for frame in frames]
            values[f"{name}_{metric}"] = PrecisionRecall(matches).average_precision(40, every)
            if metric == "bev_ap_0.5":
                values[f"{name}_ece"] = answers_calibration_error([m.answers for m in matches])
            if metric == "bev_ap_0.5" and name == "car":
                for frame, match in zip(frames, matches, strict=True):
                    truth, detection = match.pairs.T
                    turn = frame.truth_boxes[truth, 6] - frame.boxes[detection, 6]
                    headings.append(np.cos(turn) > 0.0)
    known = [values[f"{n}_bev_ap_0.5"] for n in OBJECT_LABELS.names]
    result = {"mean_bev_ap_0.5": float(np.nanmean(known)), **values}
    right = np.concatenate(headings)
    if len(right):
        result["car_heading_accuracy"] = 100.0 * float(right.mean())
    return {name: value for name, value in result.items() if np.isfinite(value)}


def _prefixed(values: dict[str, float], prefix: str) -> dict[str, float]:
    return {f"{prefix}{name}": value for name, value in values.items()}
