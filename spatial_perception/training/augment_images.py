"""Random geometry and colour for pictures with masks or boxes, on numpy arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.config import option
from spatial_perception.errors import ConfigError


@dataclass(frozen=True, slots=True)
class GeometryAugmentation:
    """Random flip, turn, scale, stretch and crop, as one affine map from picture to crop."""

    scale: tuple[float, float] = option((0.5, 2.0), help="smallest and largest zoom")
    stretch: float = option(0.1, help="largest log change of width over height", range=(0.0, 1.0))
    rotation_deg: float = option(8.0, help="largest turn", unit="deg", range=(0.0, 180.0))
    flip: bool = option(True, help="mirror half of the pictures left to right")

    def __post_init__(self) -> None:
        low, high = self.scale
        if not 0.0 < low <= high:
            raise ConfigError(
                f"scale: expected two zooms above 0, the smaller first, got {low}, {high}"
            )

    def matrix(
        self,
        generator: np.random.Generator,
        source_hw: tuple[int, int],
        crop_hw: tuple[int, int],
    ) -> NDArray[np.float64]:
        """(2, 3) map of places in the source to places in the crop, in pixels.

        The corner of the first pixel is (0, 0), as for boxes. The crop lies anywhere on the scaled
        picture.
        """
        low, high = self.scale
        zoom = math.exp(generator.uniform(math.log(low), math.log(high)))
        stretch = math.exp(0.5 * generator.uniform(-self.stretch, self.stretch))
        angle = math.radians(generator.uniform(-self.rotation_deg, self.rotation_deg))
        sign = -1.0 if self.flip and generator.random() < 0.5 else 1.0
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        linear = turn @ np.diag([sign * zoom * stretch, zoom / stretch])
        center = np.array([source_hw[1], source_hw[0]]) / 2.0
        free = (np.abs(np.diag(linear)) * 2.0 * center - crop_hw[::-1]) / 2.0
        offset = generator.uniform(-1.0, 1.0, 2) * np.abs(free)
        shift = np.array(crop_hw[::-1]) / 2.0 + offset - linear @ center
        return np.column_stack([linear, shift])


@dataclass(frozen=True, slots=True)
class ColorAugmentation:
    """Random brightness, contrast, saturation, hue and gamma."""

    brightness: float = option(0.35, help="largest log gain", range=(0.0, 3.0))
    contrast: float = option(0.35, help="largest log contrast", range=(0.0, 3.0))
    saturation: float = option(0.5, help="largest log saturation", range=(0.0, 3.0))
    tint: float = option(0.1, help="largest log gain of each channel", range=(0.0, 3.0))
    gamma: float = option(0.3, help="largest log gamma", range=(0.0, 3.0))
    gray: float = option(0.03, help="share of pictures without colour", range=(0.0, 1.0))

    def __call__(
        self, image: NDArray[np.uint8], generator: np.random.Generator
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, recoloured: a matrix on the channels, then a curve on each."""
        brightness, contrast, saturation, gamma = (
            math.exp(generator.uniform(-reach, reach))
            for reach in (self.brightness, self.contrast, self.saturation, self.gamma)
        )
        if generator.random() < self.gray:
            saturation = 0.0
        tint = np.exp(generator.uniform(-self.tint, self.tint, 3))
        luma = np.array([0.299, 0.587, 0.114])
        matrix = (1.0 - saturation) * np.tile(luma, (3, 1)) + saturation * np.eye(3)
        matrix = brightness * contrast * tint[:, None] * matrix
        middle = float(image[::4, ::4].mean()) * brightness
        constant = np.full((3, 1), (1.0 - contrast) * middle)
        mixed = cv2.transform(image, np.hstack([matrix, constant]))
        curve = 255.0 * (np.arange(256) / 255.0) ** gamma
        return np.asarray(cv2.LUT(mixed, np.round(curve).astype(np.uint8)), np.uint8)


def warp_image(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], crop_hw: tuple[int, int], fill: int = 114
) -> NDArray[np.uint8]:
    """The crop (h, w, 3) of a picture under a source-to-crop map, bilinear; outside: `fill`."""
    if abs(np.linalg.det(matrix[:, :2])) < 0.35:
        image = cv2.GaussianBlur(image, (3, 3), 0)  # against aliasing
    centers = _between_centers(matrix)
    return np.asarray(
        cv2.warpAffine(image, centers, crop_hw[::-1], borderValue=(fill, fill, fill)), np.uint8
    )


def warp_labels(
    labels: NDArray[np.uint8], matrix: NDArray[np.float64], crop_hw: tuple[int, int], fill: int
) -> NDArray[np.uint8]:
    """The crop (h, w) of a mask under a source-to-crop map, nearest pixel; outside: `fill`."""
    centers = _between_centers(matrix)
    return np.asarray(
        cv2.warpAffine(labels, centers, crop_hw[::-1], flags=cv2.INTER_NEAREST, borderValue=fill),
        np.uint8,
    )


def _between_centers(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map for OpenCV, to which the middle of the first pixel is (0, 0)."""
    middle = np.array([0.5, 0.5])
    return np.column_stack([matrix[:, :2], matrix @ [*middle, 1.0] - middle])
