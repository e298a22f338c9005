"""Boxes as centre points on a bird's-eye grid: encoding for training, decoding for detection.

After CenterPoint (Yin et al., 2021): a heatmap per class that peaks at box centres, and at each
cell the rest of the box. The box's axis (known up to half a turn) and its heading (front against
back) are regressed apart, so that an unclear front never spoils the axis. The cells around a peak
were taught the same box: their mean is a better one than the peak's own. The heatmap says that an
object is there, the quality how well its box fits: the score is made of both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.config import option
from spatial_perception.core.boxes import nms_bev
from spatial_perception.core.pose import wrap_angle
from spatial_perception.ops.calibration import UNCALIBRATED, ScoreCalibration
from spatial_perception.ops.ground import GroundGrid

REGRESSION = ("dx", "dy", "z", "log_l", "log_w", "log_h", "sin_2yaw", "cos_2yaw")
HEADING = ("sin_yaw", "cos_yaw")
_BEV_COLUMNS = [0, 1, 3, 4, 6]
_AGREE_CELLS = 0.7
"""Cells around a peak whose centre is within this distance of the peak's speak of the same box."""


@dataclass(frozen=True, slots=True)
class CentersConfig:
    """The bird's-eye grid, and which of its peaks become boxes."""

    range_x_m: tuple[float, float] = option((-51.2, 76.8), help="behind and ahead", unit="m")
    range_y_m: tuple[float, float] = option((-51.2, 51.2), help="right and left", unit="m")
    cell_m: float = option(0.4, help="side of a cell", unit="m", range=(0.05, 10.0))
    min_score: float = option(0.1, help="peaks below it are dropped", range=(0.0, 1.0))
    nms_iou: float = option(
        0.1, help="overlap above which the weaker box of a class goes", range=(0.0, 1.0)
    )
    cross_class_iou: float = option(
        0.4, help="overlap above which the weaker of two classes goes", range=(0.0, 1.0)
    )
    max_boxes: int = option(300, help="strongest peaks that are looked at", range=(1, 10000))
    average: bool = option(
        True, help="a box is the mean of what the cells around its peak say; off for the peak's own"
    )
    quality_share: float = option(
        0.5, help="of the quality in a score, the heatmap's is the rest", range=(0.0, 0.95)
    )

    @property
    def shape(self) -> tuple[int, int]:
        """Cells along y and x."""
        (x_low, x_high), (y_low, y_high) = self.range_x_m, self.range_y_m
        return round((y_high - y_low) / self.cell_m), round((x_high - x_low) / self.cell_m)


@dataclass(frozen=True, slots=True, eq=False)
class CenterTargets:
    """What the heads should give.

    Args:
        heatmap: (K, Y, X) float32, 1 at the cell of a centre, falling off around it.
        regression: (8, Y, X) float32, see `REGRESSION`; dx and dy in cells from the cell's centre,
            z of the box's centre over the ground in metres.
        heading: (2, Y, X) float32, see `HEADING`.
        weight: (Y, X) float32, share with which a cell's regression counts, 0 away from boxes.
    """

    heatmap: np.ndarray
    regression: np.ndarray
    heading: np.ndarray
    weight: np.ndarray


def encode_centers(
    boxes: np.ndarray, labels: np.ndarray, classes: int, config: CentersConfig
) -> CenterTargets:
    """Returns the targets of one scan.

    Args:
        boxes: (M, 7) x y z l w h yaw; z of the centre over the local ground.
        labels: (M,) class index; 255 gives no target.
        classes: Number of classes K.
        config: The grid.
    """
    height, width = config.shape
    targets = CenterTargets(
        np.zeros((classes, height, width), np.float32),
        np.zeros((len(REGRESSION), height, width), np.float32),
        np.zeros((len(HEADING), height, width), np.float32),
        np.zeros((height, width), np.float32),
    )
    corner = np.array([config.range_x_m[0], config.range_y_m[0]])
    for box, label in zip(np.asarray(boxes, np.float64), labels, strict=True):
        place = (box[:2] - corner) / config.cell_m
        column, row = np.floor(place).astype(int)
        if label < classes and 0 <= row < height and 0 <= column < width:
            sigma = _spread(box[3], box[4], config.cell_m)
            _draw(targets.heatmap[label], row, column, sigma)
            _regress(targets, box, place, row, column)
    return targets


def decode_centers(
    outputs: Mapping[str, np.ndarray],
    ground: GroundGrid,
    config: CentersConfig,
    calibration: ScoreCalibration = UNCALIBRATED,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns boxes (N, 7) x y z l w h yaw, scores (N,), both float32, labels (N,) int32.

    The best come first. A box that is no number, as half precision may give, is none.

    Args:
        outputs: `heatmap` (1, K, Y, X) in 0..1, `regression` (1, 8, Y, X), and where the network
            has them `heading` (1, 2, Y, X), without which the front is a guess, and `quality`
            (1, 1, Y, X) in 0..1, without which the heatmap alone is the score.
        ground: Ground under the scan; z of the boxes is base_link's.
        config: The grid and the thresholds, which are for scores after the calibration.
        calibration: What the scores are worth.
    """
    heatmap = outputs["heatmap"][0]
    quality = outputs["quality"][0, 0] if "quality" in outputs else None
    scores, labels, rows, columns = _peaks(heatmap, quality, config, calibration)
    channels = [outputs[name][0] for name in ("regression", "heading") if name in outputs]
    if config.average:
        values = _averaged(channels, heatmap, labels, rows, columns)
    else:
        values = np.concatenate([part[:, rows, columns] for part in channels]).astype(np.float64)
    finite = np.isfinite(values).all(axis=0)
    values, scores, labels = values[:, finite], scores[finite], labels[finite]
    rows, columns = rows[finite], columns[finite]
    x = (columns + 0.5 + values[0]) * config.cell_m + config.range_x_m[0]
    y = (rows + 0.5 + values[1]) * config.cell_m + config.range_y_m[0]
    yaw = 0.5 * np.arctan2(values[6], values[7])
    if "heading" in outputs:
        sin, cos = values[8:]
        yaw = yaw + np.pi * (sin * np.sin(yaw) + cos * np.cos(yaw) < 0.0)
    z = values[2] + ground.height_at(np.stack([x, y], axis=1))
    sizes = np.exp(np.clip(values[3:6], -3.0, 4.0))
    boxes = np.stack([x, y, z, *sizes, wrap_angle(yaw)], axis=1)
    flat = boxes[:, _BEV_COLUMNS]
    kept = nms_bev(flat, scores, labels, config.nms_iou)
    alike = np.zeros(len(kept), np.int32)
    kept = kept[nms_bev(flat[kept], scores[kept], alike, config.cross_class_iou)]
    return (
        boxes[kept].astype(np.float32),
        scores[kept].astype(np.float32),
        labels[kept].astype(np.int32),
    )


def _peaks(
    heatmap: np.ndarray,
    quality: np.ndarray | None,
    config: CentersConfig,
    calibration: ScoreCalibration,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns score, label, row and column of the strongest cells that no neighbour exceeds."""
    kernel = np.ones((3, 3), np.uint8)
    least = calibration.inverse(np.full(len(heatmap), config.min_score), np.arange(len(heatmap)))
    share = 0.0 if quality is None else config.quality_share
    least = least ** (1.0 / (1.0 - share))  # what a peak must have even if its quality is perfect
    found = [
        np.nonzero((channel >= low) & (channel >= cv2.dilate(channel, kernel)))
        for channel, low in zip(np.ascontiguousarray(heatmap, np.float32), least, strict=True)
    ]
    rows = np.concatenate([row for row, _ in found])
    columns = np.concatenate([column for _, column in found])
    labels = np.repeat(np.arange(len(found)), [len(row) for row, _ in found])
    raw = heatmap[labels, rows, columns]
    if quality is not None:
        raw = raw ** (1.0 - share) * quality[rows, columns] ** share
    scores = calibration.probabilities(raw, labels)
    best = np.argsort(-scores, kind="stable")[: config.max_boxes]
    best = best[scores[best] >= config.min_score]
    return scores[best], labels[best], rows[best], columns[best]


def _averaged(
    channels: list[np.ndarray],
    heatmap: np.ndarray,
    labels: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """Returns (8 or 10, N) regression and heading of peaks: the mean of the 3 x 3 cells around.

    A cell counts by its own score, by how near it says that the centre is, and only where it speaks
    of the same centre. dx and dy are seen from the peak.
    """
    height, width = heatmap.shape[1:]
    down, right = (grid.reshape(1, 9) for grid in np.mgrid[-1:2, -1:2])
    row = np.clip(rows[:, None] + down, 0, height - 1)  # (N, 9)
    column = np.clip(columns[:, None] + right, 0, width - 1)
    values = np.concatenate([part[:, row, column] for part in channels]).astype(np.float64)
    nearness = np.exp(-0.5 * (values[0] ** 2 + values[1] ** 2))
    values[0] += column - columns[:, None]
    values[1] += row - rows[:, None]
    values[6:8] /= np.maximum(np.hypot(values[6], values[7]), 1e-6)
    away = np.hypot(values[0] - values[0, :, 4:5], values[1] - values[1, :, 4:5])
    weight = heatmap[labels[:, None], row, column] * nearness * (away < _AGREE_CELLS)
    weight[:, 4] = np.maximum(weight[:, 4], np.finfo(np.float32).tiny)
    mean: np.ndarray = (weight * values).sum(axis=2) / weight.sum(axis=1)
    return mean


def _spread(length_m: float, width_m: float, cell_m: float) -> float:
    """Returns the sigma of a box's bump in cells: small boxes get a sharp one."""
    return float(np.clip(0.15 * np.sqrt(length_m * width_m) / cell_m, 0.9, 3.0))


def _window(row: int, column: int, radius: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = shape
    return (
        slice(max(row - radius, 0), min(row + radius + 1, height)),
        slice(max(column - radius, 0), min(column + radius + 1, width)),
    )


def _draw(heatmap: np.ndarray, row: int, column: int, sigma: float) -> None:
    window = _window(row, column, int(np.ceil(3 * sigma)), heatmap.shape)
    rows, columns = np.ogrid[window]
    bump = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2.0 * sigma**2))
    np.maximum(heatmap[window], bump, out=heatmap[window], casting="same_kind")


def _regress(
    targets: CenterTargets, box: np.ndarray, place: np.ndarray, row: int, column: int
) -> None:
    """Writes a box into the cells around its centre, where no other box's centre is nearer."""
    yaw = box[6]
    shape_part = [box[2], *np.log(box[3:6]), np.sin(2 * yaw), np.cos(2 * yaw)]
    rows, columns = _window(row, column, 1, targets.weight.shape)
    for r in range(rows.start, rows.stop):
        for c in range(columns.start, columns.stop):
            offset = place - (c + 0.5, r + 0.5)
            weight = float(np.exp(-(offset @ offset)))
            if weight > targets.weight[r, c]:
                targets.weight[r, c] = weight
                targets.regression[:, r, c] = [*offset, *shape_part]
                targets.heading[:, r, c] = np.sin(yaw), np.cos(yaw)
