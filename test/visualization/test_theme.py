"""Colours and text."""

import numpy as np

from spatial_perception.visualization.text import draw_tag, text_size_px
from spatial_perception.visualization.theme import filled, height_colors, shaded, text_color_on


def test_text_is_dark_on_light_and_light_on_dark() -> None:
    assert max(text_color_on((255, 230, 60))) < 60
    assert min(text_color_on((20, 30, 120))) > 200


def test_shades_stay_colours() -> None:
    assert shaded((200, 100, 0), 0.5) == (100, 50, 0)
    assert shaded((200, 100, 0), 2.0) == (255, 255, 255)


def test_height_colours_end_at_the_range_and_take_nan() -> None:
    colors = height_colors(np.array([-9.0, -0.5, 3.0, 99.0, np.nan]), -0.5, 3.0)
    assert (colors[0] == colors[1]).all()
    assert (colors[2] == colors[3]).all()
    assert (colors[1] != colors[2]).any()


def test_a_tag_is_kept_inside_the_picture() -> None:
    image = filled(120, 60)
    x0, y0, x1, y1 = draw_tag(image, "car 0.9", (500.0, -80.0), (255, 0, 0))
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 120
    assert y1 <= 60


def test_longer_text_is_wider() -> None:
    assert text_size_px("pedestrian")[0] > text_size_px("car")[0]
