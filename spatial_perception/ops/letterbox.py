"""Fits pictures into a network's input without changing their proportions, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Align = Literal["center", "corner"]
FILL = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """The map from a source picture to a network's input: one scale, one offset.

    Attributes:
        source_hw: Height and width of the source, pixels.
        target_hw: Height and width of the network's input, pixels.
        inner_hw: Height and width of the scaled source within it.
        offset_xy_px: Where the scaled source begins within it.
    """

    source_hw: tuple[int, int]
    target_hw: tuple[int, int]
    inner_hw: tuple[int, int]
    offset_xy_px: tuple[int, int]

    @classmethod
    def fit(
        cls, source_hw: tuple[int, int], target_hw: tuple[int, int], align: Align = "center"
    ) -> Letterbox:
        """The largest scaled source that fits, in the middle or in the upper left corner."""
        if min(*source_hw, *target_hw) < 1:
            raise ValueError(f"expected sizes of a pixel or more, got {source_hw} and {target_hw}")
        scale = min(target_hw[0] / source_hw[0], target_hw[1] / source_hw[1])
        height = min(max(round(source_hw[0] * scale), 1), target_hw[0])
        width = min(max(round(source_hw[1] * scale), 1), target_hw[1])
        offset = (0, 0)
        if align == "center":
            offset = ((target_hw[1] - width) // 2, (target_hw[0] - height) // 2)
        return cls(source_hw, target_hw, (height, width), offset)

    @classmethod
    def stretch(cls, source_hw: tuple[int, int], target_hw: tuple[int, int]) -> Letterbox:
        """The source stretched over the whole input, whatever becomes of its proportions."""
        if min(*source_hw, *target_hw) < 1:
            raise ValueError(f"expected sizes of a pixel or more, got {source_hw} and {target_hw}")
        return cls(source_hw, target_hw, target_hw, (0, 0))

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Target pixels a source pixel, along x and y; unless stretched alike but for rounding."""
        return self.inner_hw[1] / self.source_hw[1], self.inner_hw[0] / self.source_hw[0]

    def apply(self, image: NDArray[np.uint8], fill: int = FILL) -> NDArray[np.uint8]:
        """The network's input (h, w, 3) uint8 for a source picture (H, W, 3) uint8."""
        if image.shape[:2] != self.source_hw:
            raise ValueError(f"expected a picture of {self.source_hw}, got {image.shape[:2]}")
        inner = _resized(image, self.inner_hw)
        if self.inner_hw == self.target_hw:
            return inner
        target = np.full((*self.target_hw, 3), fill, np.uint8)
        target[self.inner] = inner
        return target

    @property
    def inner(self) -> tuple[slice, slice]:
        """Rows and columns of the network's input that show the source."""
        x, y = self.offset_xy_px
        return slice(y, y + self.inner_hw[0]), slice(x, x + self.inner_hw[1])

    def boxes_to_source(self, boxes_xyxy_px: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N, 4) float32 in source pixels, clipped to the picture, of boxes in input pixels."""
        offset = np.array(self.offset_xy_px * 2, np.float64)
        scale = np.array(self.scale_xy * 2, np.float64)
        height, width = self.source_hw
        boxes = (np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4) - offset) / scale
        limits = np.array([width, height, width, height], np.float64)
        return np.clip(boxes, 0.0, limits).astype(np.float32)

    def boxes_to_target(self, boxes_xyxy_px: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N, 4) float32 boxes in input pixels of boxes in source pixels."""
        offset = np.array(self.offset_xy_px * 2, np.float64)
        scale = np.array(self.scale_xy * 2, np.float64)
        boxes = np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4)
        return np.asarray(boxes * scale + offset, np.float32)

    def map_to_source(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) of the source for a map (h, w) over the input, nearest pixel, padding cut off."""
        inner = labels[self.inner]
        if self.inner_hw == self.source_hw:
            return np.ascontiguousarray(inner)
        size = (self.source_hw[1], self.source_hw[0])
        return np.asarray(cv2.resize(inner, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def image_tensor(
    image: NDArray[np.uint8], color: Literal["rgb", "bgr"] = "rgb", largest: float = 255.0
) -> NDArray[np.float32]:
    """(1, 3, H, W) float32 of an RGB picture (H, W, 3) uint8.

    Args:
        image: The picture.
        color: Order of the channels that the network expects.
        largest: The value that the network expects for 255.
    """
    channels = cv2.split(image)
    tensor = np.empty((1, 3, *image.shape[:2]), np.float32)
    for target, channel in enumerate(channels if color == "rgb" else channels[::-1]):
        tensor[0, target] = channel
    if largest != 255.0:
        tensor *= np.float32(largest / 255.0)
    return tensor


def _resized(image: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    if image.shape[:2] == size_hw:
        return image
    shrinks_much = image.shape[0] > 2 * size_hw[0]
    method = cv2.INTER_AREA if shrinks_much else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size_hw[::-1], interpolation=method), np.uint8)
