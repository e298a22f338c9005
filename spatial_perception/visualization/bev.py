"""The bird's-eye picture of a LiDAR frame: points, boxes, tracks, occupancy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from spatial_perception.core.boxes import bev_corners
from spatial_perception.core.detections import Detections3D
from spatial_perception.core.labels import UNLABELED
from spatial_perception.core.occupancy import OccupancyGrid
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.core.tracks import Tracks
from spatial_perception.visualization.bev_view import (
    BevView,
    draw_ego,
    draw_grid,
    draw_legend,
    draw_rings,
    draw_scale_bar,
)
from spatial_perception.visualization.text import draw_tag
from spatial_perception.visualization.theme import (
    ARROW,
    Rgb,
    RgbImage,
    height_colors,
    rgb,
    shaded,
)

_SUBPIXEL_BITS = 4
_REACH_PX = 1 << 14
_MIN_ARROW_PX = 6
_ARROW_TIP_PX = 7
_UNLABELED_COLOR: Rgb = (92, 100, 110)


@dataclass(frozen=True, slots=True)
class BevStyle:
    """What a bird's-eye picture shows and how.

    Attributes:
        color_by: Points take the colour of their class or of their height. Clouds without
            labels fall back to height.
        height_range_m: Heights over base_link at the ends of the colour scale.
        min_score: Objects below this score are left out.
        grid_opacity: Of the occupancy underlay, 0 .. 1.
        velocity_seconds: A velocity arrow is as long as the way of this many seconds.
        legend: List the classes that are in the picture.
    """

    color_by: Literal["class", "height"] = "class"
    height_range_m: tuple[float, float] = (-0.5, 3.0)
    min_score: float = 0.0
    grid_opacity: float = 0.55
    velocity_seconds: float = 1.0
    legend: bool = True


def draw_bev(
    cloud: PointCloud | LabelledCloud | None = None,
    *,
    objects: Detections3D | None = None,
    tracks: Tracks | None = None,
    trails: Mapping[int, np.ndarray] | None = None,
    grid: OccupancyGrid | None = None,
    view: BevView | None = None,
    style: BevStyle | None = None,
) -> RgbImage:
    """Returns a bird's-eye picture; everything must be given in base_link.

    Args:
        cloud: Points, coloured by class when they carry labels.
        objects: Boxes, drawn with heading, class and score.
        tracks: Boxes with ids and velocity arrows. What is given as both is drawn as track.
        trails: Where a track was, by id: (T, 2) metres, oldest first.
        grid: Laid under everything else.
        view: The window; by default 14 m back and 50 m ahead.
        style: What is shown and how.

    Returns:
        (height_px, width_px, 3) uint8 RGB.
    """
    view = view or BevView()
    style = style or BevStyle()
    image = view.blank()
    if grid is not None:
        draw_grid(image, view, grid, style.grid_opacity)
    draw_rings(image, view)
    legend: dict[str, Rgb] = {}
    if cloud is not None:
        legend |= _draw_points(image, view, cloud, style)
    draw_ego(image, view)
    if trails:
        _draw_trails(image, view, trails, tracks)
    if tracks is not None:
        legend |= _draw_tracks(image, view, tracks, style)
    elif objects is not None:
        legend |= _draw_objects(image, view, objects, style)
    draw_scale_bar(image, view)
    if style.legend:
        draw_legend(image, sorted(legend.items()))
    return image


def _draw_points(
    image: RgbImage, view: BevView, cloud: PointCloud | LabelledCloud, style: BevStyle
) -> dict[str, Rgb]:
    points = cloud.cloud.points if isinstance(cloud, LabelledCloud) else cloud.points
    pixels = np.floor(view.to_px(points)).astype(np.int32)
    inside = (
        (pixels[:, 0] >= 0)
        & (pixels[:, 0] < view.width_px - 1)
        & (pixels[:, 1] >= 0)
        & (pixels[:, 1] < view.height_px - 1)
    )
    heights_m = points[inside, 2]
    order = np.argsort(heights_m, kind="stable")  # what is higher covers what is lower
    columns, rows = pixels[inside][order].T
    shade = height_colors(heights_m[order], *style.height_range_m)
    legend: dict[str, Rgb] = {}
    if isinstance(cloud, LabelledCloud) and style.color_by == "class":
        labels = cloud.labels[inside][order]
        lut = cloud.label_set.color_lut.copy()
        lut[UNLABELED] = _UNLABELED_COLOR
        shade = lut[labels]
        present = np.unique(labels)
        legend = {
            cloud.label_set.name(int(label)): rgb(lut[label])
            for label in present
            if label != UNLABELED
        }
    distant = np.hypot(rows - view.ahead_m * view.px_per_m, columns - view.width_px / 2)
    sparse = distant > 18 * view.px_per_m  # far points are few: two pixels each
    for row_step, column_step in ((0, 1), (1, 0), (1, 1)):
        image[rows[sparse] + row_step, columns[sparse] + column_step] = shade[sparse]
    image[rows, columns] = shade
    return legend


def _draw_objects(
    image: RgbImage, view: BevView, objects: Detections3D, style: BevStyle
) -> dict[str, Rgb]:
    shown = objects.selected(objects.scores >= style.min_score)
    corners_px = view.to_px(_footprints(shown))
    legend: dict[str, Rgb] = {}
    for index in np.argsort(shown.scores):
        name = shown.label_set.name(int(shown.labels[index]))
        color = rgb(shown.label_set.color_lut[int(shown.labels[index])])
        legend[name] = color
        _draw_box(image, corners_px[index], color)
        _tag_box(image, corners_px[index], f"{shown.scores[index]:.2f}", color)
    return legend


def _draw_tracks(image: RgbImage, view: BevView, tracks: Tracks, style: BevStyle) -> dict[str, Rgb]:
    corners_px = view.to_px(_footprints(tracks.detections()))
    starts_px = view.to_px(tracks.centers_m)
    ends_px = view.to_px(tracks.centers_m[:, :2] + tracks.velocities_mps * style.velocity_seconds)
    legend: dict[str, Rgb] = {}
    for index in np.argsort(tracks.scores):
        if tracks.scores[index] < style.min_score:
            continue
        color = rgb(tracks.label_set.color_lut[int(tracks.labels[index])])
        legend[tracks.label_set.name(int(tracks.labels[index]))] = color
        _draw_box(image, corners_px[index], color)
        way_px = float(np.hypot(*(ends_px[index] - starts_px[index])))
        if _MIN_ARROW_PX < way_px < _REACH_PX and _is_visible(image, corners_px[index]):
            start, end = (_fixed_point(point) for point in (starts_px[index], ends_px[index]))
            tip = _ARROW_TIP_PX / way_px
            cv2.arrowedLine(image, start, end, ARROW, 1, cv2.LINE_AA, _SUBPIXEL_BITS, tipLength=tip)
        _tag_box(image, corners_px[index], f"#{tracks.ids[index]}", color)
    return legend


def _draw_trails(
    image: RgbImage,
    view: BevView,
    trails: Mapping[int, np.ndarray],
    tracks: Tracks | None,
) -> None:
    colors: dict[int, Rgb] = {}
    if tracks is not None:
        lut = tracks.label_set.color_lut
        colors = {
            int(track): rgb(lut[int(label)])
            for track, label in zip(tracks.ids, tracks.labels, strict=True)
        }
    for track, points_m in trails.items():
        if len(points_m) < 2:
            continue
        line = np.rint(view.to_px(points_m) * (1 << _SUBPIXEL_BITS)).astype(np.int32)
        color = shaded(colors.get(track, _UNLABELED_COLOR), 0.7)
        cv2.polylines(image, [line], False, color, 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _footprints(objects: Detections3D) -> np.ndarray:
    """Returns (N, 4, 2) ground corners, metres: front left, rear left, rear right, front right."""
    return bev_corners(objects.boxes()[:, [0, 1, 3, 4, 6]].astype(np.float64))


def _draw_box(image: RgbImage, corners_px: np.ndarray, color: Rgb) -> None:
    """Draws a translucent footprint, its outline, a thick front edge and a heading tick."""
    if not _is_visible(image, corners_px):
        return
    fixed = np.rint(corners_px * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    low = np.clip(np.floor(corners_px.min(axis=0)).astype(int) - 1, 0, None)
    high = np.ceil(corners_px.max(axis=0)).astype(int) + 2
    patch = image[low[1] : high[1], low[0] : high[0]]
    if patch.size:
        filled = patch.copy()
        local = fixed - (low << _SUBPIXEL_BITS)
        cv2.fillPoly(filled, [local.astype(np.int32)], color, cv2.LINE_AA, _SUBPIXEL_BITS)
        patch[:] = cv2.addWeighted(filled, 0.28, patch, 0.72, 0)
    cv2.polylines(image, [fixed], True, color, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    front = (fixed[0] + fixed[3]) // 2
    tip = front + (front - fixed.mean(axis=0).astype(np.int32)) // 3
    bright = shaded(color, 1.45)
    for start, end in ((fixed[0], fixed[3]), (front, tip)):
        ends = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
        cv2.line(image, *ends, bright, 2, cv2.LINE_AA, _SUBPIXEL_BITS)


def _is_visible(image: RgbImage, corners_px: np.ndarray) -> bool:
    low, high = corners_px.min(axis=0), corners_px.max(axis=0)
    height_px, width_px = image.shape[:2]
    inside = bool(high[0] >= 0 and high[1] >= 0 and low[0] < width_px and low[1] < height_px)
    return inside and bool((np.abs(corners_px) < _REACH_PX).all())


def _tag_box(image: RgbImage, corners_px: np.ndarray, text: str, color: Rgb) -> None:
    if not _is_visible(image, corners_px):
        return
    right, middle = corners_px[:, 0].max() + 3, corners_px[:, 1].mean() + 7
    inside = 0 <= right < image.shape[1] and 0 <= middle < image.shape[0]
    if inside:
        draw_tag(image, text, (float(right), float(middle)), shaded(color, 0.75), scale=0.36)


def _fixed_point(point_px: np.ndarray) -> tuple[int, int]:
    scaled = np.rint(point_px * (1 << _SUBPIXEL_BITS))
    return int(scaled[0]), int(scaled[1])
