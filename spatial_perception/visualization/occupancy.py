"""Pictures of occupancy: the flat grid from above, the voxels as coloured blocks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.visualization.bev_view import (
    EGO_OUTLINE_M,
    BevView,
    draw_ego,
    draw_grid,
    draw_legend,
    draw_rings,
    draw_scale_bar,
)
from spatial_perception.visualization.theme import (
    EGO,
    PANEL,
    Rgb,
    RgbImage,
    filled,
    rgb,
    shaded,
)

_GROUND_REACH_M = 100
_GROUND_STEP_M = 10
_LIGHT_TOP, _LIGHT_REAR, _LIGHT_SIDE = 1.0, 0.72, 0.5


def draw_occupancy(grid: OccupancyGrid, view: BevView | None = None) -> RgbImage:
    """Returns the grid from above in (height_px, width_px, 3) uint8; unknown stays dark.

    Args:
        grid: In base_link, turned or shifted as its origin says.
        view: The window; by default 14 m back and 50 m ahead.
    """
    view = view or BevView()
    image = view.blank()
    draw_grid(image, view, grid)
    draw_rings(image, view)
    draw_ego(image, view)
    draw_scale_bar(image, view)
    return image


@dataclass(frozen=True, slots=True)
class VoxelView:
    """A parallel projection from behind and above the vehicle, x (forward) running upwards.

    Attributes:
        width_px: Width of the picture.
        height_px: Height of the picture.
        azimuth_deg: The eye stands this much to the left of straight behind.
        elevation_deg: And looks down by this much.
        center_m: The point of base_link in the middle of the picture.
        across_m: What the width covers.
    """

    width_px: int = 500
    height_px: int = 340
    azimuth_deg: float = 22.0
    elevation_deg: float = 38.0
    center_m: tuple[float, float, float] = (18.0, 0.0, 0.0)
    across_m: float = 56.0

    @property
    def axes_px(self) -> np.ndarray:
        """(3, 2) pixels right and down that one metre of x, y and z takes."""
        azimuth, elevation = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        sin, cos = np.sin(azimuth), np.cos(azimuth)
        tilt = np.sin(elevation)
        axes = np.array([[-sin, -cos * tilt], [-cos, sin * tilt], [0.0, -np.cos(elevation)]])
        return axes * (self.width_px / self.across_m)

    @property
    def forward(self) -> np.ndarray:
        """(3,) unit vector of the direction of view, base_link."""
        azimuth, elevation = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        flat = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0]) * np.cos(elevation)
        return flat + np.array([0.0, 0.0, -np.sin(elevation)])

    def to_px(self, points_m: np.ndarray) -> np.ndarray:
        """Returns pixels (N, 2) of points (N, 3) in base_link, metres."""
        middle_px = (self.width_px / 2, self.height_px / 2)
        pixels: np.ndarray = (points_m - self.center_m) @ self.axes_px + middle_px
        return pixels


def draw_voxels(
    grid: VoxelGrid,
    view: VoxelView | None = None,
    *,
    max_height_m: float = 4.0,
    legend: bool = True,
) -> RgbImage:
    """Returns the occupied voxels as blocks, the colour of their class, near ones in front.

    Args:
        grid: In base_link.
        view: Where the eye stands.
        max_height_m: Voxels whose centre is higher are left out (bridges, crowns of trees).
        legend: List the classes that are in the picture.
    """
    view = view or VoxelView()
    image = filled(view.width_px, view.height_px)
    _draw_ground(image, view)
    coords = grid.occupied()
    centers = grid.centers_m(coords).astype(np.float64)
    low = centers[:, 2] <= max_height_m
    coords, centers = coords[low], centers[low]
    labels = grid.labels[tuple(coords.T)]
    order = np.argsort(-(centers @ view.forward), kind="stable")  # far first
    anchors = np.floor(view.to_px(centers[order])).astype(np.int64)
    offsets, light = _block(view, grid.voxel_size_m)
    _paint(image, anchors, offsets, light, grid.label_set.color_lut[labels[order]])
    _draw_vehicle(image, view)
    if legend:
        entries: list[tuple[str, Rgb]] = [
            (grid.label_set.name(int(label)), rgb(grid.label_set.color_lut[label]))
            for label in np.unique(labels)
            if label != UNLABELED
        ]
        draw_legend(image, entries)
    return image


def _draw_ground(image: RgbImage, view: VoxelView) -> None:
    """Draws lines on the ground every ten metres."""
    reach_m = _GROUND_REACH_M
    steps_m = np.arange(-reach_m, reach_m + 1, _GROUND_STEP_M)
    for along_m in steps_m:
        for ends_m in (
            [[along_m, -reach_m, 0], [along_m, reach_m, 0]],
            [[-reach_m, along_m, 0], [reach_m, along_m, 0]],
        ):
            start, end = np.rint(view.to_px(np.array(ends_m))).astype(int)
            ends = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
            cv2.line(image, *ends, PANEL, 1, cv2.LINE_AA)


def _draw_vehicle(image: RgbImage, view: VoxelView) -> None:
    """Draws the chevron of the vehicle at the height of its roof."""
    body_m = np.append(EGO_OUTLINE_M, np.full((len(EGO_OUTLINE_M), 1), 1.5), axis=1)
    body_px = np.rint(view.to_px(body_m) * 16).astype(np.int32)
    cv2.fillPoly(image, [body_px], EGO, cv2.LINE_AA, 4)
    cv2.polylines(image, [body_px], True, shaded(EGO, 1.5), 1, cv2.LINE_AA, 4)


def _block(view: VoxelView, size_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pixels of one block around its centre, (P, 2) x y, and how lit each is (P,)."""
    x, y, z = (view.axes_px * size_m[:, None]) / 2
    # What is seen is the rear (-x), the top and the side that the eye is on.
    side = y if view.forward[1] < 0 else -y
    faces = (
        (_LIGHT_SIDE, side, x, z),
        (_LIGHT_REAR, -x, y, z),
        (_LIGHT_TOP, z, x, y),
    )
    half = int(np.ceil(np.abs([x, y, z]).sum(axis=0).max())) + 2
    mask = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    for light, middle, along, across in faces:
        corners = [middle + a * along + b * across for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))]
        fixed = np.rint((np.array(corners) + half) * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, fixed, round(light * 255), cv2.LINE_8, 4)
    rows, columns = np.nonzero(mask)
    return np.stack([columns, rows], axis=1) - half, mask[rows, columns] / 255.0


def _paint(
    image: RgbImage,
    anchors: np.ndarray,
    offsets: np.ndarray,
    light: np.ndarray,
    colors: np.ndarray,
) -> None:
    """Stamps the block at every anchor; for blocks of one size the later one is always nearer.

    Equal blocks of a lattice that overlap in a parallel projection differ in depth by the sign of
    their offset along the view, so that sorting by centre is exact.
    """
    height, width = image.shape[:2]
    columns = anchors[:, None, 0] + offsets[None, :, 0]
    rows = anchors[:, None, 1] + offsets[None, :, 1]
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    block, pixel = np.nonzero(inside)
    target = rows[block, pixel] * width + columns[block, pixel]
    last = np.full(height * width, -1, np.int64)
    last[target] = np.arange(len(target))  # where an index repeats, the last one stays
    painted = np.flatnonzero(last >= 0)
    source = last[painted]
    shade = colors[block[source]] * light[pixel[source], None]
    image.reshape(-1, 3)[painted] = shade.astype(np.uint8)
