"""The mapping from metres around the vehicle to pixels of a bird's-eye picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.visualization.text import draw_text
from spatial_perception.visualization.theme import (
    EGO,
    GRID_FREE,
    GRID_OCCUPIED,
    LINE,
    LINE_STRONG,
    PANEL,
    TEXT_DIM,
    RgbImage,
    filled,
    shaded,
)

EGO_OUTLINE_M = np.array([[2.3, 0.0], [-1.9, 0.9], [-1.0, 0.0], [-1.9, -0.9]])


@dataclass(frozen=True, slots=True)
class BevView:
    """A window onto the ground plane: x (forward) points up, y (left) points left.

    The vehicle stands in the middle of the width; one scale serves both axes.

    Attributes:
        width_px: Width of the picture.
        height_px: Height of the picture.
        back_m: What is seen behind the vehicle.
        ahead_m: What is seen ahead of it.
    """

    width_px: int = 760
    height_px: int = 620
    back_m: float = 14.0
    ahead_m: float = 50.0

    def __post_init__(self) -> None:
        if self.width_px < 16 or self.height_px < 16:
            raise ValueError(
                f"a view needs 16 x 16 pixels or more, got {self.width_px} x {self.height_px}"
            )
        if self.back_m + self.ahead_m <= 0:
            raise ValueError(f"back_m + ahead_m must be positive, got {self.back_m + self.ahead_m}")

    @property
    def px_per_m(self) -> float:
        """Pixels that one metre takes."""
        return self.height_px / (self.back_m + self.ahead_m)

    def to_px(self, points_m: np.ndarray) -> np.ndarray:
        """Returns pixel coordinates (N, 2) of ground points (N, 2 or more), x and y in metres."""
        points = np.asarray(points_m, dtype=np.float64)
        column = self.width_px / 2 - points[..., 1] * self.px_per_m
        row = (self.ahead_m - points[..., 0]) * self.px_per_m
        return np.stack([column, row], axis=-1)

    def blank(self) -> RgbImage:
        """Returns an empty picture in the background's colour."""
        return filled(self.width_px, self.height_px)


def draw_grid(image: RgbImage, view: BevView, grid: OccupancyGrid, opacity: float = 1.0) -> None:
    """Lays an occupancy grid under the picture: free quiet, occupied bright, unknown untouched."""
    if not grid.cells.size:
        return
    corners_m = np.array(
        [[0, 0, 0], [grid.resolution_m, 0, 0], [0, grid.resolution_m, 0]], dtype=np.float64
    )
    corners_px = view.to_px(grid.origin.apply(corners_m))
    axes_px = np.stack([corners_px[1] - corners_px[0], corners_px[2] - corners_px[0]], axis=-1)
    # warpAffine maps cell centres (0.5 inside a cell), pixels count from their centres too.
    offset_px = corners_px[0] + axes_px @ (0.5, 0.5) - 0.5
    px_from_cell = np.concatenate([axes_px, offset_px[:, None]], axis=1)
    cells = cv2.warpAffine(
        grid.cells.astype(np.int16),
        px_from_cell,
        (view.width_px, view.height_px),
        flags=cv2.INTER_NEAREST,
        borderValue=(-1.0,),
    )
    known = cells >= 0
    colors = grid_colors()[np.clip(cells, 0, 100)[known]].astype(np.float32)
    image[known] = (image[known] * (1 - opacity) + colors * opacity).astype(np.uint8)


def grid_colors() -> RgbImage:
    """Returns the (101, 3) uint8 colours of occupancy 0 .. 100."""
    share = (np.arange(101) / 100)[:, None] ** 1.5
    return np.rint(np.array(GRID_FREE) * (1 - share) + np.array(GRID_OCCUPIED) * share).astype(
        np.uint8
    )


def draw_rings(image: RgbImage, view: BevView, step_m: float = 10.0) -> None:
    """Draws circles of equal range around the vehicle, each with its distance."""
    center = view.to_px(np.zeros((1, 2)))[0]
    middle = (round(center[0]), round(center[1]))
    reach_m = float(np.hypot(max(view.ahead_m, view.back_m), view.width_px / 2 / view.px_per_m))
    for index in range(1, int(reach_m / step_m) + 1):
        radius_px = round(index * step_m * view.px_per_m)
        cv2.circle(image, middle, radius_px, LINE, 1, cv2.LINE_AA)
    for index in range(1, int(view.ahead_m / step_m) + 1):
        row = center[1] - index * step_m * view.px_per_m
        draw_text(
            image, f"{index * step_m:.0f}", (center[0] + 4, row - 3), color=TEXT_DIM, scale=0.36
        )


def draw_ego(image: RgbImage, view: BevView) -> None:
    """Draws the vehicle itself at the origin, a chevron that points ahead."""
    body_px = np.rint(view.to_px(EGO_OUTLINE_M) * 16).astype(np.int32)
    cv2.fillPoly(image, [body_px], EGO, cv2.LINE_AA, 4)
    cv2.polylines(image, [body_px], True, shaded(EGO, 1.5), 1, cv2.LINE_AA, 4)


def draw_scale_bar(image: RgbImage, view: BevView, length_m: float = 10.0) -> None:
    """Draws a bar of known length into the lower right corner."""
    length_px = round(length_m * view.px_per_m)
    right, bottom = view.width_px - 14, view.height_px - 14
    left = right - length_px
    cv2.line(image, (left, bottom), (right, bottom), LINE_STRONG, 2)
    for column in (left, right):
        cv2.line(image, (column, bottom - 4), (column, bottom + 4), LINE_STRONG, 2)
    draw_text(
        image, f"{length_m:g} m", ((left + right) / 2, bottom - 8), color=TEXT_DIM, align="center"
    )


def draw_legend(
    image: RgbImage, entries: list[tuple[str, tuple[int, int, int]]], top_px: int = 12
) -> None:
    """Lists names with their colours in the upper left corner."""
    if not entries:
        return
    line_px = 17
    width_px = 34 + max(8 * len(name) for name, _ in entries)
    bottom_px = top_px + line_px * len(entries) + 6
    region = image[top_px:bottom_px, 8 : 8 + width_px]
    region[:] = (region * 0.25 + np.array(PANEL) * 0.75).astype(np.uint8)
    for row, (name, color) in enumerate(entries):
        base = top_px + line_px * (row + 1)
        cv2.rectangle(image, (15, base - 9), (24, base), color, cv2.FILLED)
        draw_text(image, name.replace("_", " "), (31, base), color=TEXT_DIM, scale=0.4)
