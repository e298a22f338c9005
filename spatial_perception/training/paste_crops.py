"""Crops of known objects pasted into training pictures (Dwibedi et al., 2017).

Street pictures show few signs and lights large enough to be learnt; labelled crops of them abound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.boxes import iou_2d
from spatial_perception.training.augment_images import ColorAugmentation
from spatial_perception.training.mosaic import BoxSample

_MOST_AT_ONCE = 3
_TRIES = 5
_LOWEST = 0.75
"""Signs and lights hang above this share of the picture's height."""


@dataclass(frozen=True, slots=True, eq=False)
class CropSource:
    """Crops of one class.

    Attributes:
        crops: (h, w, 3) uint8 RGB each, the object in the middle.
        label: The class.
        margin: Share of a crop's side that is background, on each side.
        sizes_px: Smallest and largest width of a pasted object.
    """

    crops: Sequence[NDArray[np.uint8]]
    label: int
    margin: float
    sizes_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CropPaster:
    """Pastes up to three crops into a picture, where no box is.

    Args:
        sources: What is pasted.
        share: Of the pictures that get any.
        color: How a crop's colours vary.
    """

    sources: tuple[CropSource, ...]
    share: float
    color: ColorAugmentation

    def __call__(self, sample: BoxSample, generator: np.random.Generator) -> BoxSample:
        """`sample` with crops in its picture (a copy) and their boxes at the end of its boxes."""
        if not self.sources or generator.random() >= self.share:
            return sample
        image = sample.image.copy()
        boxes, labels = list(sample.boxes), list(sample.labels)
        for _ in range(int(generator.integers(1, _MOST_AT_ONCE + 1))):
            source = self.sources[int(generator.integers(len(self.sources)))]
            crop = self._crop(source, generator)
            place = _free_place(
                crop.shape[:2], image.shape[:2], [*boxes, *sample.ignored], generator
            )
            if place is None:
                continue
            _blend(image, crop, place)
            inset = source.margin * np.array([crop.shape[1], crop.shape[0]])
            top_left = np.array(place[::-1]) + inset
            bottom_right = np.array(place[::-1]) + crop.shape[1::-1] - inset
            boxes.append(np.concatenate([top_left, bottom_right]).astype(np.float32))
            labels.append(source.label)
        return BoxSample(
            image,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(labels, np.int32),
            sample.ignored,
        )

    def _crop(self, source: CropSource, generator: np.random.Generator) -> NDArray[np.uint8]:
        crop = source.crops[int(generator.integers(len(source.crops)))]
        low, high = np.log(source.sizes_px)
        object_px = math.exp(generator.uniform(low, high))
        zoom = object_px / ((1.0 - 2.0 * source.margin) * crop.shape[1])
        stretch = math.exp(generator.uniform(-0.1, 0.1))
        size = (max(4, round(zoom * crop.shape[1])), max(4, round(zoom * stretch * crop.shape[0])))
        shrinks = size[0] < crop.shape[1]
        resized = cv2.resize(
            crop, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return self.color(np.asarray(resized, np.uint8), generator)


def _free_place(
    crop_hw: tuple[int, int],
    image_hw: tuple[int, int],
    taken: Sequence[NDArray[np.float32]],
    generator: np.random.Generator,
) -> tuple[int, int] | None:
    """Row and column of a crop's corner where it covers nothing, None if a few tries find none."""
    lowest = int(_LOWEST * image_hw[0]) - crop_hw[0]
    rightmost = image_hw[1] - crop_hw[1]
    if lowest <= 0 or rightmost <= 0:
        return None
    others = np.array(taken, np.float32).reshape(-1, 4)
    for _ in range(_TRIES):
        top, left = int(generator.integers(lowest)), int(generator.integers(rightmost))
        box = np.array([[left, top, left + crop_hw[1], top + crop_hw[0]]], np.float32)
        if not len(others) or iou_2d(box, others).max() <= 0.0:
            return top, left
    return None


def _blend(image: NDArray[np.uint8], crop: NDArray[np.uint8], place: tuple[int, int]) -> None:
    """Lays the crop over the picture, its corners and rim fading out."""
    height, width = crop.shape[:2]
    y = np.abs(np.linspace(-1.0, 1.0, height))[:, None]
    x = np.abs(np.linspace(-1.0, 1.0, width))[None]
    distance = (x**4 + y**4) ** 0.25
    opacity = np.clip((1.05 - distance) / 0.15, 0.0, 1.0)[..., None]
    part = image[place[0] : place[0] + height, place[1] : place[1] + width]
    part[...] = np.round(opacity * crop + (1.0 - opacity) * part).astype(np.uint8)
