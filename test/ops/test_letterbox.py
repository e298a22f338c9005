import numpy as np
import pytest

from spatial_perception.ops.letterbox import FILL, Letterbox, image_tensor


def test_a_wide_picture_gets_bars_above_and_below():
    letterbox = Letterbox.fit((100, 300), (200, 200))
    assert letterbox.inner_hw == (67, 200)
    assert letterbox.offset_xy_px == (0, 66)
    placed = letterbox.apply(np.full((100, 300, 3), 200, np.uint8))
    assert placed.shape == (200, 200, 3)
    assert (placed[:66] == FILL).all()
    assert (placed[66:133] == 200).all()
    assert (placed[133:] == FILL).all()


def test_corner_alignment_puts_the_picture_at_the_origin():
    assert Letterbox.fit((100, 300), (200, 200), "corner").offset_xy_px == (0, 0)


def test_a_picture_of_the_right_size_passes_untouched():
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Letterbox.fit((40, 60), (40, 60)).apply(image), image)


@pytest.mark.parametrize("source", [(375, 1242), (360, 480), (1216, 1936), (33, 17)])
@pytest.mark.parametrize("align", ["center", "corner"])
def test_boxes_come_back_to_the_source(source, align):
    letterbox = Letterbox.fit(source, (288, 960), align)
    height, width = source
    boxes = np.array([[0, 0, width, height], [1, 2, 10, 12]], np.float32)
    placed = letterbox.boxes_to_target(boxes)
    np.testing.assert_allclose(letterbox.boxes_to_source(placed), boxes, atol=1e-3)


def test_boxes_are_clipped_to_the_source():
    letterbox = Letterbox.fit((100, 300), (200, 200))
    found = letterbox.boxes_to_source(np.array([[-50.0, 0.0, 500.0, 200.0]]))
    np.testing.assert_array_equal(found, [[0, 0, 300, 100]])


def test_an_object_is_where_its_box_says():
    image = np.zeros((120, 400, 3), np.uint8)
    image[30:60, 100:180] = 255
    letterbox = Letterbox.fit((120, 400), (96, 320))
    left, top, right, bottom = letterbox.boxes_to_target(np.array([[100, 30, 180, 60]]))[0]
    rows, columns = np.nonzero(letterbox.apply(image)[..., 0] > 127)
    assert (columns.min(), rows.min()) == (round(left), round(top))
    assert (columns.max() + 1, rows.max() + 1) == (round(right), round(bottom))


def test_a_map_comes_back_without_the_bars():
    letterbox = Letterbox.fit((50, 150), (200, 200))
    labels = np.full((200, 200), 9, np.uint8)
    labels[letterbox.inner] = np.repeat([1, 2], 100)[None]
    back = letterbox.map_to_source(labels)
    assert back.shape == (50, 150)
    assert (back[:, :75] == 1).all()
    assert (back[:, 75:] == 2).all()


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"expected a picture of \(10, 20\), got \(11, 20\)"):
        Letterbox.fit((10, 20), (32, 32)).apply(np.zeros((11, 20, 3), np.uint8))


def test_tensor_honours_order_and_range():
    image = np.array([[[10, 20, 30]]], np.uint8)
    rgb = image_tensor(image)
    assert rgb.shape == (1, 3, 1, 1)
    assert rgb.dtype == np.float32
    np.testing.assert_array_equal(rgb.ravel(), [10, 20, 30])
    np.testing.assert_array_equal(image_tensor(image, "bgr").ravel(), [30, 20, 10])
    np.testing.assert_allclose(
        image_tensor(image, "rgb", 1.0).ravel(), [10 / 255, 20 / 255, 30 / 255]
    )
