"""Camera pictures and a class per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatial_perception.core.checks import check_array
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet


@dataclass(frozen=True, slots=True, eq=False)
class CameraImage:
    """One picture: (H, W, 3) uint8 RGB, or (H, W) uint8, uint16 or float32."""

    header: Header
    pixels: np.ndarray

    def __post_init__(self) -> None:
        if self.pixels.ndim == 3:
            check_array("pixels", self.pixels, (None, None, 3), np.uint8)
        else:
            check_array("pixels", self.pixels, (None, None), np.uint8, np.uint16, np.float32)

    @property
    def height(self) -> int:
        """Rows, pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns, pixels."""
        return int(self.pixels.shape[1])

    def rgb(self) -> np.ndarray:
        """Returns (H, W, 3) uint8 RGB; 16-bit is shifted down, float is taken as 0..1."""
        if self.pixels.ndim == 3:
            return self.pixels
        gray = self.pixels
        if gray.dtype == np.uint16:
            gray = (gray >> 8).astype(np.uint8)
        elif gray.dtype == np.float32:
            finite = np.nan_to_num(gray, nan=0.0, posinf=1.0, neginf=0.0)
            gray = np.round(np.clip(finite, 0.0, 1.0) * 255.0).astype(np.uint8)
        return np.repeat(gray[:, :, None], 3, axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class LabelImage:
    """A class per pixel: labels (H, W) uint8, 255 = unlabeled."""

    header: Header
    labels: np.ndarray
    label_set: LabelSet

    def __post_init__(self) -> None:
        check_array("labels", self.labels, (None, None), np.uint8)

    def colored(self) -> np.ndarray:
        """Returns (H, W, 3) uint8 RGB, one colour a class."""
        colors: np.ndarray = self.label_set.color_lut[self.labels]
        return colors
