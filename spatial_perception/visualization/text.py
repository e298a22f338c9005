"""Text on pictures: plain lines, and labels on a filled ground."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final, Literal

import cv2
import numpy.typing as npt

from spatial_perception.visualization.theme import TEXT, Rgb, RgbImage, rgb, text_color_on

_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_PADDING_PX: Final = 3


@lru_cache(maxsize=4096)
def text_size_px(text: str, scale: float = 0.45, thickness: int = 1) -> tuple[int, int]:
    """Returns width and height in pixels that `text` takes above its base line."""
    (width, height), _ = cv2.getTextSize(_drawable(text), _FONT, scale, thickness)
    return width, height


def draw_text(
    image: RgbImage,
    text: str,
    at_px: tuple[float, float],
    *,
    color: Rgb = TEXT,
    scale: float = 0.45,
    thickness: int = 1,
    align: Literal["left", "center", "right"] = "left",
) -> None:
    """Writes one line into `image`, its base line at `at_px` (x, y)."""
    width, _ = text_size_px(text, scale, thickness)
    shift = {"left": 0.0, "center": width / 2, "right": float(width)}[align]
    origin = (round(at_px[0] - shift), round(at_px[1]))
    cv2.putText(image, _drawable(text), origin, _FONT, scale, color, thickness, cv2.LINE_AA)


def _drawable(text: str) -> str:
    """Returns the text with ? for what is not UTF-8, as in names of files: OpenCV crashes on it."""
    return text.encode(errors="replace").decode()


def draw_tag(
    image: RgbImage,
    text: str,
    corner_px: tuple[float, float],
    color: npt.ArrayLike,
    *,
    scale: float = 0.42,
    below: bool = False,
) -> tuple[int, int, int, int]:
    """Writes `text` on a filled ground that stands on `corner_px`, kept inside the picture.

    Args:
        image: (H, W, 3) uint8, written in place.
        text: One line.
        corner_px: (x, y) of the ground's lower left corner (upper left when `below`).
        color: RGB of the ground; the text becomes black or white to fit it.
        scale: Font scale.
        below: Hang the tag under the corner rather than above it.

    Returns:
        The ground's box (x0, y0, x1, y1) in pixels.
    """
    height_px, width_px = image.shape[:2]
    if not all(math.isfinite(value) for value in corner_px):
        return 0, 0, 0, 0
    text_width, text_height = text_size_px(text, scale)
    tag_width, tag_height = text_width + 2 * _PADDING_PX, text_height + 2 * _PADDING_PX
    x0 = int(min(max(corner_px[0], 0), max(width_px - tag_width, 0)))
    top = corner_px[1] if below else corner_px[1] - tag_height
    y0 = int(min(max(top, 0), max(height_px - tag_height, 0)))
    cv2.rectangle(image, (x0, y0), (x0 + tag_width, y0 + tag_height), rgb(color), cv2.FILLED)
    draw_text(
        image,
        text,
        (x0 + _PADDING_PX, y0 + tag_height - _PADDING_PX),
        color=text_color_on(color),
        scale=scale,
    )
    return x0, y0, x0 + tag_width, y0 + tag_height
