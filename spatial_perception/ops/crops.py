"""Crops of detected objects for a classifier, and its answers."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def crop_batches(
    image: NDArray[np.uint8],
    boxes_xyxy_px: NDArray[np.floating],
    size_px: int = 32,
    batch: int = 8,
    margin: float = 0.15,
) -> NDArray[np.float32]:
    """(B, batch, 3, size_px, size_px) float32 RGB 0..255, the last batch filled with zeros.

    Args:
        image: (H, W, 3) uint8 RGB.
        boxes_xyxy_px: (N, 4) in pixels of `image`; what lies outside repeats the border.
        size_px: Side of the crops.
        batch: Crops a batch.
        margin: What is added on each side, over the box's size.
    """
    count = len(boxes_xyxy_px)
    crops = np.zeros((-(-count // batch) * batch, 3, size_px, size_px), np.float32)
    for target, box in zip(crops, np.asarray(boxes_xyxy_px, np.float64), strict=False):
        target[:] = _crop(image, box, size_px, margin).transpose(2, 0, 1)
    return crops.reshape(-1, batch, 3, size_px, size_px)


def classify(
    logits: NDArray[np.floating], temperature: float = 1.0
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(N,) best class and (N,) its probability of logits (N, K) divided by `temperature`."""
    scaled = np.asarray(logits, np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(1, keepdims=True))
    probabilities = exponentials / exponentials.sum(1, keepdims=True)
    labels = probabilities.argmax(1)
    best = probabilities[np.arange(len(labels)), labels]
    return labels.astype(np.int32), best.astype(np.float32)


def _crop(
    image: NDArray[np.uint8], box: NDArray[np.float64], size_px: int, margin: float
) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    # A box far outside of the picture costs no more than one of three times its size.
    limit = np.array([width, height], np.float64)
    box = np.clip(box, np.tile(-limit, 2), np.tile(2 * limit, 2))
    size = np.maximum(box[2:] - box[:2], 1.0)
    low, high = box[:2] - margin * size, box[2:] + margin * size
    x0, y0 = np.floor(low).astype(int)
    x1, y1 = np.maximum(np.ceil(high).astype(int), (x0 + 1, y0 + 1))
    columns = np.clip(np.arange(x0, x1), 0, width - 1)
    rows = np.clip(np.arange(y0, y1), 0, height - 1)
    part = np.ascontiguousarray(image[np.ix_(rows, columns)])
    shrinks = min(part.shape[:2]) > size_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (size_px, size_px), interpolation=method), np.uint8)
