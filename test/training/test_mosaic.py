import numpy as np
import pytest

from spatial_perception.training.augment_images import ColorAugmentation, GeometryAugmentation
from spatial_perception.training.mosaic import BoxSample, SampleMaker

PLAIN = ColorAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
STILL = GeometryAugmentation(scale=(1.0, 1.0), stretch=0.0, rotation_deg=0.0, flip=False)


def sample(value: int = 255) -> BoxSample:
    """A bright rectangle on black, and its box."""
    image = np.zeros((96, 128, 3), np.uint8)
    image[30:60, 40:90] = value
    boxes = np.array([[40, 30, 90, 60]], np.float32)
    return BoxSample(image, boxes, np.array([2], np.int32), np.zeros((0, 4), np.float32))


def bright(image: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(image[..., 0] > 180)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_without_augmentation_a_sample_is_itself():
    maker = SampleMaker((96, 128), STILL, PLAIN, mosaic=0.0)
    made = maker(sample(), lambda g: sample(), np.random.default_rng(0))
    np.testing.assert_array_equal(made.image, sample().image)
    np.testing.assert_allclose(made.boxes, sample().boxes, atol=1e-3)


def test_boxes_follow_their_objects():
    geometry = GeometryAugmentation(scale=(0.6, 1.2), stretch=0.2, rotation_deg=0.0, flip=True)
    maker = SampleMaker((96, 128), geometry, PLAIN, mosaic=0.0)
    compared = 0
    for seed in range(20):
        made = maker(sample(), lambda g: sample(), np.random.default_rng(seed))
        if len(made.boxes):
            np.testing.assert_allclose(made.boxes[0], bright(made.image), atol=2.0)
            assert made.labels.tolist() == [2]
            compared += 1
    assert compared > 10


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_boxes_lie_on_their_objects_to_a_tenth_of_a_pixel(scale):
    geometry = GeometryAugmentation(scale=(scale, scale), stretch=0.0, rotation_deg=0.0, flip=True)
    maker = SampleMaker((200, 260), geometry, PLAIN, mosaic=0.0)
    for seed in range(20):
        made = maker(sample(), lambda g: sample(), np.random.default_rng(seed))
        (box,) = made.boxes
        left, top, right, bottom = np.round(box).astype(int)
        around = made.image[top - 6 : bottom + 6, left - 6 : right + 6, 0].astype(np.float64)
        middle = [
            (light * (np.arange(len(light)) + first - 5.5)).sum() / light.sum()
            for light, first in ((around.sum(0), left), (around.sum(1), top))
        ]
        np.testing.assert_allclose(middle, (box[:2] + box[2:]) / 2, atol=0.1)


def test_a_mosaic_shows_four_pictures_with_their_boxes():
    geometry = GeometryAugmentation(scale=(0.4, 0.4), stretch=0.0, rotation_deg=0.0, flip=False)
    maker = SampleMaker((96, 128), geometry, PLAIN, mosaic=1.0)
    values = iter([210, 220, 230] * 10)
    made = maker(sample(200), lambda g: sample(next(values)), np.random.default_rng(4))
    assert made.image.shape == (96, 128, 3)
    shown = set()
    for left, top, right, bottom in made.boxes:
        middle = made.image[int(top + bottom) // 2, int(left + right) // 2, 0]
        shown.add(int(middle))
    assert len(shown) >= 3


def test_what_is_mostly_cut_off_becomes_ignored():
    geometry = GeometryAugmentation(scale=(1.0, 1.0), stretch=0.0, rotation_deg=0.0, flip=False)
    maker = SampleMaker((96, 50), geometry, PLAIN, mosaic=0.0)
    for seed in range(30):
        made = maker(sample(), lambda g: sample(), np.random.default_rng(seed))
        visible = (made.image[..., 0] > 180).sum() / (50 * 30)
        if visible < 0.3:
            assert len(made.boxes) == 0
            assert len(made.ignored) == (1 if visible > 0.03 else len(made.ignored))
        if visible > 0.4:
            assert len(made.boxes) == 1


def test_the_same_generator_makes_the_same_sample():
    maker = SampleMaker((64, 64), GeometryAugmentation(), ColorAugmentation(), mosaic=0.5)
    first, second = (
        maker(sample(), lambda g: sample(int(g.integers(200, 255))), np.random.default_rng(9))
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.boxes, second.boxes)
