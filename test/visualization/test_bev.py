"""The bird's-eye picture."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import examples
from spatial_perception.core.header import Header
from spatial_perception.core.labels import OBJECT_LABELS, POINT_LABELS
from spatial_perception.core.point_cloud import LabelledCloud, PointCloud
from spatial_perception.visualization.bev import BevStyle, draw_bev
from spatial_perception.visualization.bev_view import BevView

VIEW = BevView(width_px=400, height_px=200, back_m=5.0, ahead_m=15.0)  # 10 pixels a metre
BARE = BevStyle(legend=False)


def cloud_at(*points: tuple[float, float, float]) -> PointCloud:
    return PointCloud(Header(0, "base_link"), np.array(points, np.float32).reshape(-1, 3))


def test_a_point_takes_the_colour_of_its_class() -> None:
    cloud = cloud_at((5.05, 8.05, 0.0))
    labelled = LabelledCloud(cloud, np.array([4], np.uint8), POINT_LABELS)
    image = draw_bev(labelled, view=VIEW, style=BARE)
    assert image[99, 119].tolist() == POINT_LABELS.colors[4].tolist()


def test_unlabeled_points_are_visible() -> None:
    labelled = LabelledCloud(cloud_at((5.05, 8.05, 0.0)), np.array([255], np.uint8), POINT_LABELS)
    image = draw_bev(labelled, view=VIEW, style=BARE)
    assert image[99, 119].min() > 60


def test_the_higher_of_two_points_in_a_pixel_shows() -> None:
    low_high = draw_bev(cloud_at((5.05, 8.05, 0.0), (5.05, 8.05, 3.0)), view=VIEW, style=BARE)
    high_low = draw_bev(cloud_at((5.05, 8.05, 3.0), (5.05, 8.05, 0.0)), view=VIEW, style=BARE)
    high = draw_bev(cloud_at((5.05, 8.05, 3.0)), view=VIEW, style=BARE)
    assert low_high[99, 119].tolist() == high_low[99, 119].tolist() == high[99, 119].tolist()


def test_points_outside_the_window_are_left_out() -> None:
    empty = draw_bev(view=VIEW, style=BARE)
    outside = cloud_at((500.0, 0.0, 0.0), (0.0, 500.0, 0.0), (-500.0, 0.0, 0.0))
    assert (draw_bev(outside, view=VIEW, style=BARE) == empty).all()


def test_a_box_is_drawn_at_its_place_with_its_heading_ahead() -> None:
    objects = dataclasses.replace(
        examples.example_detections3d().selected(np.array([0])),
        centers_m=np.array([[5.0, 10.0, 0.8]], np.float32),
        sizes_lwh_m=np.array([[4.0, 2.0, 1.6]], np.float32),
        yaws_rad=np.zeros(1, np.float32),
    )
    changed = draw_bev(objects=objects, view=VIEW, style=BARE) != draw_bev(view=VIEW, style=BARE)
    rows, columns = np.nonzero(changed.any(axis=2)[:, :112])  # left of the score tag
    assert columns.min() == pytest.approx(90, abs=2)
    assert rows.max() == pytest.approx(120, abs=2)
    assert rows.min() == pytest.approx(80 - 20 / 3, abs=2)  # the tick looks out ahead


def test_low_scores_are_left_out() -> None:
    objects = examples.example_detections3d()
    style = BevStyle(min_score=0.99)
    assert (
        draw_bev(objects=objects, view=VIEW, style=style) == draw_bev(view=VIEW, style=style)
    ).all()


def test_velocity_arrow_points_where_the_track_goes() -> None:
    tracks = examples.example_tracks()
    still = dataclasses.replace(tracks, velocities_mps=np.zeros((2, 2), np.float32))
    moving = draw_bev(tracks=tracks, view=VIEW, style=BARE)
    arrow = (moving != draw_bev(tracks=still, view=VIEW, style=BARE)).any(axis=2)
    rows, _ = np.nonzero(arrow[:, 100:])
    assert rows.min() < VIEW.to_px(tracks.centers_m[:1])[0, 1] - 15


def test_objects_that_are_far_away_or_broken_do_no_harm() -> None:
    objects = dataclasses.replace(
        examples.example_detections3d(),
        centers_m=np.array([[1e9, 0, 0], [np.nan, 0, 0]], np.float32),
    )
    assert (
        draw_bev(objects=objects, view=VIEW, style=BARE) == draw_bev(view=VIEW, style=BARE)
    ).all()


def test_everything_at_once_has_the_size_of_the_view() -> None:
    image = draw_bev(
        examples.example_labelled_cloud(),
        tracks=examples.example_tracks(),
        trails={7: np.array([[5.0, 0.0, 0.0], [8.0, 0.5, 0.0]]), 12: np.zeros((1, 3))},
        grid=examples.example_occupancy_grid(),
        view=VIEW,
    )
    assert image.shape == (200, 400, 3)
    assert image.dtype == np.uint8


def test_legend_names_the_classes_in_colour() -> None:
    objects = examples.example_detections3d()
    with_legend = draw_bev(objects=objects, view=VIEW)
    car = OBJECT_LABELS.colors[0]
    assert (with_legend[12:60, 8:40] == car).all(axis=2).sum() > 50
