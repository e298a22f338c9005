"""The colours that all pictures share: a dark ground, quiet lines, saturated objects."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

RgbImage: TypeAlias = np.ndarray
"""(H, W, 3) uint8 picture, red first."""

Rgb: TypeAlias = tuple[int, int, int]

BACKGROUND: Final[Rgb] = (13, 17, 23)
PANEL: Final[Rgb] = (22, 27, 34)
LINE: Final[Rgb] = (48, 56, 66)
LINE_STRONG: Final[Rgb] = (72, 82, 94)
TEXT: Final[Rgb] = (230, 237, 243)
TEXT_DIM: Final[Rgb] = (139, 148, 158)
ARROW: Final[Rgb] = (240, 246, 252)
EGO: Final[Rgb] = (88, 166, 255)
GRID_FREE: Final[Rgb] = (38, 52, 66)
GRID_OCCUPIED: Final[Rgb] = (255, 166, 87)

_HEIGHT_STOPS: Final = np.array(
    [[36, 60, 122], [38, 132, 170], [74, 190, 160], [196, 214, 120], [250, 214, 140]],
    dtype=np.float64,
)


def rgb(color: npt.ArrayLike) -> Rgb:
    """Returns plain integers of one colour, as OpenCV wants them."""
    red, green, blue = (int(part) for part in np.asarray(color).reshape(-1)[:3])
    return red, green, blue


def shaded(color: npt.ArrayLike, factor: float) -> Rgb:
    """Returns the colour made darker (factor below 1) or moved towards white (above 1)."""
    values = np.asarray(color, dtype=np.float64).reshape(-1)[:3]
    values = values * factor if factor <= 1 else values + (255 - values) * (factor - 1)
    return rgb(np.clip(np.rint(values), 0, 255))


def text_color_on(color: npt.ArrayLike) -> Rgb:
    """Returns black or white, whichever reads better on the colour (luma of ITU-R BT.601)."""
    luma = float(np.asarray(color, dtype=np.float64).reshape(-1)[:3] @ (0.299, 0.587, 0.114))
    return (10, 12, 16) if luma > 130 else (255, 255, 255)


def height_colors(heights_m: np.ndarray, low_m: float, high_m: float) -> RgbImage:
    """Returns colours (N, 3) uint8 that run from blue at `low_m` to sand at `high_m`."""
    position = np.clip((heights_m - low_m) / (high_m - low_m), 0, 1)
    scaled = np.nan_to_num(position) * (len(_HEIGHT_STOPS) - 1)
    stops = np.arange(len(_HEIGHT_STOPS))
    channels = [np.interp(scaled, stops, _HEIGHT_STOPS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def filled(width_px: int, height_px: int, color: Rgb = BACKGROUND) -> RgbImage:
    """Returns a picture of one colour."""
    return np.full((height_px, width_px, 3), color, dtype=np.uint8)
