"""Pictures on disk: reading them, and labelled crops."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import LabelSet
from spatial_perception.errors import DatasetError

SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".bmp", ".webp")


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of an image file.

    Raises:
        DatasetError: If the file is missing or no image.
    """
    pixels = _read(path, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(pixels[..., ::-1])


def read_labels(path: Path) -> NDArray[np.uint8]:
    """(H, W) uint8 class indices of a single-channel image file.

    Raises:
        DatasetError: If the file is missing, no image, or has several channels.
    """
    pixels = _read(path, cv2.IMREAD_UNCHANGED)
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise DatasetError(
            f"{path}: expected one channel of 8 bits, got {pixels.shape} {pixels.dtype}"
        )
    return pixels


def image_files(folder: Path) -> list[Path]:
    """The image files directly in `folder`, by name.

    Raises:
        DatasetError: If the folder is missing or has none.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not found:
        raise DatasetError(f"{folder}: holds no images ({', '.join(SUFFIXES)})")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCrops:
    """Files of pictures that show one object each, with its class.

    Attributes:
        paths: N image files.
        labels: (N,) uint8, indices in `label_set`.
        label_set: The classes.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.uint8]
    label_set: LabelSet

    def __post_init__(self) -> None:
        if len(self.paths) != len(self.labels):
            raise ValueError(f"expected {len(self.paths)} labels, got {len(self.labels)}")

    def __len__(self) -> int:
        return len(self.paths)

    def selected(self, mask: NDArray[np.bool_]) -> LabelledCrops:
        """Those where `mask` (N,) is true."""
        kept = np.flatnonzero(mask)
        return LabelledCrops(tuple(self.paths[i] for i in kept), self.labels[kept], self.label_set)

    def pictures(self, size_px: int) -> NDArray[np.uint8]:
        """(N, size_px, size_px, 3) uint8 RGB, each picture resized to the square."""
        pictures = np.empty((len(self), size_px, size_px, 3), np.uint8)
        for i, path in enumerate(self.paths):
            pictures[i] = resize_crop(read_rgb(path), size_px)
        return pictures


def resize_crop(pixels: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """`pixels` (H, W, 3) resized to (size_px, size_px, 3), by area where it shrinks."""
    if pixels.shape[:2] == (size_px, size_px):
        return pixels
    shrinks = min(pixels.shape[:2]) > size_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (size_px, size_px), interpolation=method), np.uint8)


def _read(path: Path, flags: int) -> NDArray[np.uint8]:
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    data = np.fromfile(path, np.uint8)  # OpenCV's own reader crashes on names that are not UTF-8
    pixels = cv2.imdecode(data, flags) if data.size else None
    if pixels is None:
        raise DatasetError(f"{path}: not a readable image")
    return np.asarray(pixels)
