"""From class scores of pixels to a map of labels, and from a map to its regions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import UNLABELED
from spatial_perception.ops.letterbox import Letterbox


def class_map(logits: NDArray[np.floating], letterbox: Letterbox) -> NDArray[np.uint8]:
    """(H, W) uint8 best class of each pixel of the source picture.

    Args:
        logits: (1, K, h, w) over the network's input; a smaller h and w by a whole factor, too.
        letterbox: How the source lies in the input.
    """
    return letterbox.map_to_source(_best(logits, letterbox))


def painted_class_map(
    layers: Sequence[tuple[NDArray[np.floating], NDArray[np.uint8]]], letterbox: Letterbox
) -> NDArray[np.uint8]:
    """(H, W) uint8 label of each pixel of the source, the layers painted one over the other.

    Args:
        layers: Class scores as in `class_map` and the label of each of their channels, (K,) uint8;
            a channel with the label 255 leaves what earlier layers painted.
        letterbox: How the source lies in the input.
    """
    painted = np.full(letterbox.target_hw, UNLABELED, np.uint8)
    for logits, channel_labels in layers:
        lut = np.full(256, UNLABELED, np.uint8)
        lut[: len(channel_labels)] = channel_labels
        labels = lut[_best(logits, letterbox)]
        np.copyto(painted, labels, where=labels != UNLABELED)
    return letterbox.map_to_source(painted)


def regions(
    mask: NDArray[np.bool_], min_area_px: int = 20, max_count: int = 32
) -> NDArray[np.float32]:
    """(N, 4) float32 boxes around the connected regions of a mask, the largest first.

    Args:
        mask: (H, W) bool.
        min_area_px: Smaller regions are dropped.
        max_count: At most so many boxes, which bounds the work that follows.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = stats[1:]
    area = found[:, cv2.CC_STAT_AREA]
    order = np.argsort(-area, kind="stable")
    order = order[area[order] >= min_area_px][:max_count]
    left, top, width, height = (found[order, i] for i in range(4))
    return np.stack([left, top, left + width, top + height], 1).astype(np.float32)


def _best(logits: NDArray[np.floating], letterbox: Letterbox) -> NDArray[np.uint8]:
    """(h, w) uint8 best channel of each pixel of the network's input."""
    best = _argmax(logits[0])
    if best.shape == letterbox.target_hw:
        return best
    size = letterbox.target_hw[::-1]
    return np.asarray(cv2.resize(best, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _argmax(scores: NDArray[np.floating]) -> NDArray[np.uint8]:
    """(h, w) uint8 of (K, h, w); several times faster than numpy's argmax over the first axis."""
    best = scores[0].copy()
    labels = np.zeros(best.shape, np.uint8)
    for label in range(1, len(scores)):
        better = scores[label] > best
        np.copyto(labels, label, where=better)
        np.maximum(best, scores[label], out=best)
    return labels
