"""From a detector's dense output to a few boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.boxes import nms_2d


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """boxes_xyxy_px (N, 4) float32, scores (N,) float32 and labels (N,) int32, best first."""

    boxes_xyxy_px: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.scores)


def select_boxes(
    boxes_xyxy_px: NDArray[np.floating],
    class_scores: NDArray[np.floating],
    score_threshold: float = 0.3,
    iou_threshold: float = 0.6,
    max_boxes: int = 100,
    max_candidates: int = 1000,
) -> Boxes:
    """The best boxes after non-maximum suppression within each class.

    Args:
        boxes_xyxy_px: (A, 4), one a candidate.
        class_scores: (A, K), 0..1; a candidate stands for its best class.
        score_threshold: Candidates below are dropped.
        iou_threshold: Of two boxes of a class that overlap more, the better stays.
        max_boxes: At most so many are kept.
        max_candidates: At most so many enter the suppression, which bounds its time.
    """
    labels = class_scores.argmax(1)
    scores = class_scores[np.arange(len(labels)), labels]
    usable = np.isfinite(boxes_xyxy_px).all(1) & (boxes_xyxy_px[:, 2:] > boxes_xyxy_px[:, :2]).all(
        1
    )
    candidates = np.flatnonzero(usable & (scores >= score_threshold))
    if len(candidates) > max_candidates:
        order = np.argsort(-scores[candidates], kind="stable")
        candidates = candidates[order[:max_candidates]]
    boxes = boxes_xyxy_px[candidates].astype(np.float32)
    best = scores[candidates].astype(np.float32)
    kept = nms_2d(boxes, best, labels[candidates], iou_threshold)[:max_boxes]
    return Boxes(boxes[kept], best[kept], labels[candidates][kept].astype(np.int32))


def grid_centers(
    input_hw: tuple[int, int], strides: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(A, 2) cell indices (column, row) and (A,) strides in pixels of all levels, row by row."""
    cells, sizes = [], []
    for stride in strides:
        rows, columns = -(-input_hw[0] // stride), -(-input_hw[1] // stride)
        y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
        sizes.append(np.full(rows * columns, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def decode_yolox(
    output: NDArray[np.floating],
    input_hw: tuple[int, int],
    strides: tuple[int, ...] = (8, 16, 32),
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (A, 4) in input pixels and scores (A, K) of YOLOX (Ge et al., 2021).

    Args:
        output: (1, A, 5 + K) or (A, 5 + K): centre offset and log size in cells, objectness and
            class probabilities.
        input_hw: Height and width of the network's input.
        strides: Cell sizes of the levels, in the output's order.

    Raises:
        ValueError: If the number of rows does not fit the input's size.
    """
    rows = np.asarray(output, np.float32).reshape(-1, output.shape[-1])
    cells, sizes = grid_centers(input_hw, strides)
    if len(rows) != len(cells) or rows.shape[1] < 6:
        raise ValueError(
            f"expected ({len(cells)}, 5 + classes) for an input of {input_hw}, got {rows.shape}"
        )
    centers = (rows[:, :2] + cells) * sizes[:, None]
    half = 0.5 * np.exp(np.clip(rows[:, 2:4], -20.0, 20.0)) * sizes[:, None]
    return np.concatenate([centers - half, centers + half], 1), rows[:, 4:5] * rows[:, 5:]
