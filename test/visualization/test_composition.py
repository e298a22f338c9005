"""Sheets of all pictures of one instant."""

import itertools

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.visualization.composition import Layout, Panel, compose
from spatial_perception.visualization.scene import Scene

SIZES = [None, (1242, 375), (480, 360), (640, 480), (1920, 1080), (4096, 900)]
PARTS = list(itertools.product([False, True], repeat=3))


def layout_of(size_px: tuple[int, int] | None, parts: tuple[bool, bool, bool]) -> Layout:
    has_bev, has_voxels, has_grid = parts
    return Layout.for_recording(size_px, has_bev=has_bev, has_voxels=has_voxels, has_grid=has_grid)


def panels(layout: Layout) -> list[Panel]:
    every = (layout.overlay, layout.bev, layout.grid, layout.voxels)
    return [panel for panel in every if panel is not None]


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("parts", PARTS)
def test_panels_lie_inside_and_do_not_overlap(
    size_px: tuple[int, int] | None, parts: tuple[bool, bool, bool]
) -> None:
    layout = layout_of(size_px, parts)
    covered = np.zeros((layout.height, layout.width), np.uint8)
    for panel in panels(layout):
        assert panel.width > 0
        assert panel.height > 0
        covered[panel.y : panel.y + panel.height, panel.x : panel.x + panel.width] += 1
    assert covered.max(initial=0) <= 1
    assert covered.sum() == sum(panel.width * panel.height for panel in panels(layout))


@pytest.mark.parametrize("size_px", SIZES)
@pytest.mark.parametrize("parts", PARTS)
def test_sizes_are_even_as_codecs_want_them(
    size_px: tuple[int, int] | None, parts: tuple[bool, bool, bool]
) -> None:
    layout = layout_of(size_px, parts)
    assert layout.width % 2 == 0
    assert layout.height % 2 == 0


@pytest.mark.parametrize("size_px", SIZES[1:])
def test_the_picture_keeps_its_proportions(size_px: tuple[int, int]) -> None:
    overlay = layout_of(size_px, (True, True, True)).overlay
    assert overlay is not None
    assert overlay.width / overlay.height == pytest.approx(size_px[0] / size_px[1], rel=0.01)


def test_a_title_that_is_not_utf8_is_written_with_question_marks() -> None:
    layout = layout_of((640, 480), (True, False, False))
    sheets = [compose(Scene(0), layout, f"my{end}", "") for end in ("\udcff", "?")]
    np.testing.assert_array_equal(*sheets)


def test_a_sheet_shows_the_picture_and_leaves_missing_parts_empty() -> None:
    image = CameraImage(Header(0, "camera"), np.full((300, 1000, 3), 200, np.uint8))
    layout = layout_of((1000, 300), (True, True, True))
    sheet = compose(Scene(0, image=image), layout, "a drive", "10 Hz")
    assert layout.overlay is not None
    assert layout.voxels is not None
    inside = sheet[layout.overlay.y + 5 : layout.overlay.y + 290, 5:990]
    assert (inside == 200).all()
    middle = sheet[layout.voxels.y + 40 : layout.voxels.y + 100, layout.voxels.x + 9 :][:, :90]
    assert (middle == middle[0, 0]).all()


def test_a_full_scene_fills_every_panel() -> None:
    scene = Scene(
        0,
        image=examples.example_camera_image(),
        segmentation=examples.example_label_image(),
        detections=examples.example_detections2d(),
        cloud=examples.example_labelled_cloud(),
        tracks=examples.example_tracks(),
        grid=examples.example_occupancy_grid(),
        voxels=examples.example_voxel_grid(),
    )
    layout = layout_of((6, 4), (True, True, True))
    sheet = compose(scene, layout, "a drive", "10 Hz")
    assert sheet.shape == (layout.height, layout.width, 3)
    for panel in panels(layout):
        inner = sheet[panel.y + 30 : panel.y + panel.height - 3, panel.x + 3 :][
            :, : panel.width - 6
        ]
        assert inner.std() > 0
