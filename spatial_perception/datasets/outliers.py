"""Crops that show nothing of what a classifier of signs or lights knows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.datasets.camvid import CamvidFrame
from spatial_perception.datasets.images import SUFFIXES, read_rgb, resize_crop
from spatial_perception.errors import DatasetError
from spatial_perception.ops.class_map import regions
from spatial_perception.ops.crops import crop_batches

_SIGNSYMBOL = CAMVID_LABELS.index("signsymbol")
_SIDES_PX = (8.0, 96.0)
_LONGEST = 1.7
"""Of a random box: height over width and width over height, at most."""
_MOST_SIGNSYMBOL = 0.02
"""Share of a random box that signs and lights may take."""
_SMALLEST_PX = 8


def background_crops(
    frames: Iterable[CamvidFrame], size_px: int, per_picture: int, seed: int
) -> NDArray[np.uint8]:
    """Random crops of pictures that hold no sign and no light.

    Args:
        frames: Pictures with masks.
        size_px: Side of the crops, once resized.
        per_picture: How many boxes are drawn in each; those with signs or lights are left out.
        seed: Draws them.

    Returns:
        (N, size_px, size_px, 3) uint8 RGB.

    Raises:
        DatasetError: If a picture or a mask is damaged.
    """
    generator = np.random.default_rng(seed)
    crops = []
    for frame in frames:
        image, labels = frame.pair()
        boxes = _random_boxes(labels == _SIGNSYMBOL, per_picture, generator)
        crops.append(_cut(image, boxes, size_px))
    return _joined(crops, size_px)


def signsymbol_crops(frames: Iterable[CamvidFrame], size_px: int) -> NDArray[np.uint8]:
    """The regions of `signsymbol`: lights, shop signs, traffic signs (British, in CamVid).

    Args:
        frames: Pictures with masks.
        size_px: Side of the crops, once resized.

    Returns:
        (N, size_px, size_px, 3) uint8 RGB.

    Raises:
        DatasetError: If a picture or a mask is damaged.
    """
    crops = []
    for frame in frames:
        image, labels = frame.pair()
        boxes = regions(labels == _SIGNSYMBOL).astype(np.float64)
        large = np.minimum(*(boxes[:, 2:] - boxes[:, :2]).T) >= _SMALLEST_PX
        crops.append(_cut(image, boxes[large], size_px))
    return _joined(crops, size_px)


def crops_in(folder: Path, size_px: int) -> NDArray[np.uint8]:
    """Every picture in a folder and below it, whole.

    Args:
        folder: Searched through.
        size_px: Side of the crops, once resized.

    Returns:
        (N, size_px, size_px, 3) uint8 RGB.

    Raises:
        DatasetError: If there are none, or one is damaged.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise DatasetError(f"{folder}: holds no images ({', '.join(SUFFIXES)})")
    return np.stack([resize_crop(read_rgb(path), size_px) for path in paths])


def _random_boxes(
    signs: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """(N, 4) of `count` boxes those that hold next to nothing of (H, W) signs."""
    height, width = signs.shape
    side = _SIDES_PX[0] * (_SIDES_PX[1] / _SIDES_PX[0]) ** generator.random(count)
    stretch = _LONGEST ** generator.uniform(-0.5, 0.5, count)
    half = np.stack([side * stretch, side / stretch], 1) / 2
    center = generator.uniform(0.0, (width, height), (count, 2))
    boxes = np.concatenate([center - half, center + half], 1)
    left, top, right, bottom = np.clip(boxes, 0, (width, height) * 2).astype(int).T
    edges = zip(left, top, right + 1, bottom + 1, strict=True)
    share = np.array([signs[y0:y1, x0:x1].mean() for x0, y0, x1, y1 in edges])
    return boxes[share <= _MOST_SIGNSYMBOL]


def _cut(image: NDArray[np.uint8], boxes: NDArray[np.float64], size_px: int) -> NDArray[np.uint8]:
    """(N, size_px, size_px, 3) uint8, cut as `crop_classifier` cuts boxes."""
    crops = crop_batches(image, boxes, size_px, batch=1)[:, 0]
    return crops.transpose(0, 2, 3, 1).astype(np.uint8)


def _joined(crops: list[NDArray[np.uint8]], size_px: int) -> NDArray[np.uint8]:
    return np.concatenate([np.empty((0, size_px, size_px, 3), np.uint8), *crops])
