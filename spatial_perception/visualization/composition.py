"""All pictures of one instant on one sheet, of one size for a whole recording."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from spatial_perception.visualization.bev_view import BevView
from spatial_perception.visualization.occupancy import VoxelView
from spatial_perception.visualization.scene import Scene
from spatial_perception.visualization.text import draw_text
from spatial_perception.visualization.theme import LINE, TEXT, TEXT_DIM, RgbImage, filled

_TITLE_PX = 34
_GAP_PX = 4
_WIDE_ASPECT = 1.9
_MIN_WIDTH_PX, _MAX_WIDTH_PX = 960, 1280
_LOWER_PX = 600
_BEV_SHARE = 0.58


@dataclass(frozen=True, slots=True)
class Panel:
    """A rectangle of the sheet, pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each picture stands; panels that a recording has no data for are None."""

    width: int
    height: int
    overlay: Panel | None = None
    bev: Panel | None = None
    grid: Panel | None = None
    voxels: Panel | None = None

    @classmethod
    def for_recording(
        cls,
        image_size_px: tuple[int, int] | None,
        *,
        has_bev: bool,
        has_voxels: bool,
        has_grid: bool,
    ) -> Layout:
        """Returns a layout that has a place for everything that a recording holds.

        A wide camera picture runs over the whole top with the view from above under it; a picture
        of usual shape stands at the left with the view from above beside it.

        Args:
            image_size_px: Width and height of the camera's pictures, None without a camera.
            has_bev: There is something to show from above.
            has_voxels: There is semantic occupancy.
            has_grid: There is an occupancy grid.
        """
        extras = [name for name, has in (("voxels", has_voxels), ("grid", has_grid)) if has]
        if image_size_px is None:
            return cls._wide(_MIN_WIDTH_PX, 0, has_bev, extras)
        aspect = image_size_px[0] / image_size_px[1]
        width = _even(min(max(image_size_px[0], _MIN_WIDTH_PX), _MAX_WIDTH_PX))
        if aspect >= _WIDE_ASPECT or not has_bev:
            return cls._wide(width, round(width / aspect), has_bev, extras)
        return cls._narrow(_MAX_WIDTH_PX, aspect, extras)

    @classmethod
    def _wide(cls, width: int, overlay_px: int, has_bev: bool, extras: list[str]) -> Layout:
        overlay = Panel(0, _TITLE_PX, width, overlay_px) if overlay_px else None
        top = _TITLE_PX + (overlay_px + _GAP_PX if overlay_px else 0)
        if not has_bev and not extras:
            return cls(width, _even(max(top, _TITLE_PX + 2)), overlay)
        bev_width = (round(width * _BEV_SHARE) if extras else width) if has_bev else 0
        bev = Panel(0, top, bev_width, _LOWER_PX) if has_bev else None
        left = bev_width + (_GAP_PX if has_bev else 0)
        column = _stacked(Panel(left, top, width - left, _LOWER_PX), extras)
        return cls(width, _even(top + _LOWER_PX), overlay, bev, **column)

    @classmethod
    def _narrow(cls, width: int, aspect: float, extras: list[str]) -> Layout:
        left_width = width // 2
        overlay_px = round(left_width / aspect)
        overlay = Panel(0, _TITLE_PX, left_width, overlay_px)
        extra_px = 300 if extras else 0
        lower = _TITLE_PX + overlay_px + _GAP_PX
        height = _even(lower + extra_px)
        right = left_width + _GAP_PX
        bev = Panel(right, _TITLE_PX, width - right, height - _TITLE_PX)
        row = _side_by_side(Panel(0, lower, left_width, height - lower), extras)
        return cls(width, height, overlay, bev, **row)


def compose(scene: Scene, layout: Layout, title: str, note: str) -> RgbImage:
    """Returns one sheet (layout.height, layout.width, 3) with every picture of the scene.

    Args:
        scene: What to show; a panel that it has nothing for stays empty.
        layout: Where.
        title: Stands at the left of the title line.
        note: Stands at its right: stamp and rate.
    """
    sheet = filled(layout.width, layout.height)
    draw_text(sheet, title, (12, _TITLE_PX - 11), color=TEXT, scale=0.55)
    draw_text(
        sheet, note, (layout.width - 12, _TITLE_PX - 11), color=TEXT_DIM, scale=0.48, align="right"
    )
    if layout.overlay is not None:
        _place(sheet, layout.overlay, scene.overlay_picture(), "")
    if layout.bev is not None:
        view = BevView(layout.bev.width, layout.bev.height)
        _place(sheet, layout.bev, scene.bev_picture(view), "")
    if layout.voxels is not None:
        look = VoxelView(layout.voxels.width, layout.voxels.height)
        _place(sheet, layout.voxels, scene.voxel_picture(look), "semantic occupancy")
    if layout.grid is not None:
        ahead = BevView(layout.grid.width, layout.grid.height, back_m=10.0, ahead_m=40.0)
        _place(sheet, layout.grid, scene.grid_picture(ahead), "occupancy grid")
    return sheet


def _place(sheet: RgbImage, panel: Panel, picture: RgbImage | None, caption: str) -> None:
    if picture is not None:
        size = panel.width, panel.height
        if picture.shape[1::-1] != size:
            shrinks = picture.shape[1] > panel.width
            how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            picture = cv2.resize(picture, size, interpolation=how)
        sheet[panel.y : panel.y + panel.height, panel.x : panel.x + panel.width] = picture
    corner = (panel.x + panel.width - 1, panel.y + panel.height - 1)
    cv2.rectangle(sheet, (panel.x, panel.y), corner, LINE, 1)
    if caption:
        draw_text(sheet, caption, (panel.x + 10, panel.y + 18), color=TEXT_DIM, scale=0.4)


def _stacked(area: Panel, names: list[str]) -> dict[str, Panel]:
    """Returns panels one above the other that share the area."""
    count = max(len(names), 1)
    height = (area.height - _GAP_PX * (count - 1)) // count
    return {
        name: Panel(area.x, area.y + index * (height + _GAP_PX), area.width, height)
        for index, name in enumerate(names)
    }


def _side_by_side(area: Panel, names: list[str]) -> dict[str, Panel]:
    """Returns panels side by side that share the area."""
    count = max(len(names), 1)
    width = (area.width - _GAP_PX * (count - 1)) // count
    return {
        name: Panel(area.x + index * (width + _GAP_PX), area.y, width, area.height)
        for index, name in enumerate(names)
    }


def _even(value: int) -> int:
    """Returns the next even number: video codecs halve the colour planes."""
    return value + value % 2
