"""Training pictures for a detector: warped, recoloured, four in one (Bochkovskiy, 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.ops.letterbox import FILL
from spatial_perception.training.augment_images import (
    ColorAugmentation,
    GeometryAugmentation,
    warp_image,
)


@dataclass(frozen=True, slots=True, eq=False)
class BoxSample:
    """A picture and its boxes.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        boxes: (N, 4) float32, with labels (N,) int32.
        labels: (N,) int32.
        ignored: (M, 4) float32, what is there is not known.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int32]
    ignored: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SampleMaker:
    """Makes random samples of one size out of labelled pictures."""

    size_hw: tuple[int, int]
    geometry: GeometryAugmentation
    color: ColorAugmentation
    mosaic: float
    smallest_px: float = 4.0
    visible: float = 0.35

    def __call__(
        self,
        first: BoxSample,
        draw: Callable[[np.random.Generator], BoxSample],
        generator: np.random.Generator,
    ) -> BoxSample:
        """One sample that shows `first`, and with probability `mosaic` three that `draw` gives."""
        height, width = self.size_hw
        if generator.random() >= self.mosaic:
            return self.crop(first, self.size_hw, generator)
        row = int(height * generator.uniform(0.3, 0.7))
        column = int(width * generator.uniform(0.3, 0.7))
        image = np.full((height, width, 3), FILL, np.uint8)
        corners = ((0, 0), (0, column), (row, 0), (row, column))
        sizes = (
            (row, column),
            (row, width - column),
            (height - row, column),
            (height - row, width - column),
        )
        order = generator.permutation(4)
        parts: list[BoxSample] = []
        for number, place in enumerate(order):
            (top, left), size = corners[place], sizes[place]
            part = self.crop(first if number == 0 else draw(generator), size, generator)
            image[top : top + size[0], left : left + size[1]] = part.image
            shift = np.array([left, top] * 2, np.float32)
            parts.append(BoxSample(image, part.boxes + shift, part.labels, part.ignored + shift))
        return _joined(image, parts)

    def crop(
        self, sample: BoxSample, size_hw: tuple[int, int], generator: np.random.Generator
    ) -> BoxSample:
        """`sample` under a random map and colours, with what can still be seen of its boxes."""
        matrix = self.geometry.matrix(generator, sample.image.shape[:2], size_hw)
        image = self.color(warp_image(sample.image, matrix, size_hw, FILL), generator)
        boxes, share = _warped(sample.boxes, matrix, size_hw)
        sizes = (boxes[:, 2:] - boxes[:, :2]).min(1, initial=np.inf)
        kept = (share >= self.visible) & (sizes >= self.smallest_px)
        unclear = ~kept & (share > 0.02)
        ignored, ignored_share = _warped(sample.ignored, matrix, size_hw)
        return BoxSample(
            image,
            boxes[kept],
            sample.labels[kept],
            np.concatenate([boxes[unclear], ignored[ignored_share > 0.0]]),
        )


def _warped(
    boxes: NDArray[np.float32], matrix: NDArray[np.float64], size_hw: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The upright boxes around the warped ones, clipped, and the share of each that is in the crop.

    A turned box's bounding rectangle is larger than the object; the half sizes are the mean of the
    rectangle's and of the turned inscribed ellipse's.
    """
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2.0 @ matrix[:, :2].T + matrix[:, 2]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2.0
    linear = np.abs(matrix[:, :2])
    reach = 0.5 * (half @ linear.T) + 0.5 * np.sqrt((half**2) @ (linear**2).T)
    warped = np.concatenate([middle - reach, middle + reach], 1)
    limits = np.array([size_hw[1], size_hw[0]] * 2)
    clipped = np.clip(warped, 0.0, limits)
    area = np.prod(warped[:, 2:] - warped[:, :2], axis=1)
    share = np.prod(clipped[:, 2:] - clipped[:, :2], axis=1) / np.maximum(area, 1e-6)
    return clipped.astype(np.float32), share


def _joined(image: NDArray[np.uint8], parts: Sequence[BoxSample]) -> BoxSample:
    return BoxSample(
        image,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.ignored for part in parts]),
    )
