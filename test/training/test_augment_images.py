import numpy as np
import pytest

from spatial_perception.errors import ConfigError
from spatial_perception.training.augment_images import (
    ColorAugmentation,
    GeometryAugmentation,
    warp_image,
    warp_labels,
)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def matrices(geometry: GeometryAugmentation, count: int = 200) -> np.ndarray:
    generator = np.random.default_rng(0)
    return np.stack([geometry.matrix(generator, (60, 80), (40, 50)) for _ in range(count)])


def test_scale_and_rotation_stay_in_their_ranges():
    geometry = GeometryAugmentation(scale=(0.5, 2.0), stretch=0.0, rotation_deg=10.0, flip=False)
    linear = matrices(geometry)[:, :, :2]
    zoom = np.sqrt(np.linalg.det(linear))
    angle = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    assert zoom.min() >= 0.5
    assert zoom.max() <= 2.0
    assert zoom.max() / zoom.min() > 3.0
    assert np.abs(angle).max() <= 10.0
    assert np.ptp(angle) > 15.0


@pytest.mark.parametrize("scale", [(0.0, 2.0), (2.0, 0.5), (-1.0, 1.0)])
def test_zooms_that_are_none_are_refused(scale):
    with pytest.raises(ConfigError, match="scale: expected two zooms above 0"):
        GeometryAugmentation(scale=scale)


def test_half_of_the_maps_mirror():
    linear = matrices(GeometryAugmentation(flip=True))[:, :, :2]
    assert 60 < (np.linalg.det(linear) < 0).sum() < 140


def test_the_crop_is_never_beside_a_picture_that_is_larger():
    geometry = GeometryAugmentation(scale=(1.0, 2.0), stretch=0.0, rotation_deg=0.0)
    picture = np.full((60, 80, 3), 255, np.uint8)
    for matrix in matrices(geometry, 50):
        assert (warp_image(picture, matrix, (40, 50), fill=0)[2:-2, 2:-2] > 250).all()


def test_image_and_mask_move_together(picture):
    picture[:] = 0
    picture[20:35, 30:60] = 255
    mask = (picture[..., 0] > 0).astype(np.uint8)
    for matrix in matrices(GeometryAugmentation(scale=(0.8, 2.0)), 30):
        image = warp_image(picture, matrix, (40, 50), fill=0)[..., 0]
        labels = warp_labels(mask, matrix, (40, 50), 255)
        inside = labels != 255
        agree = ((image > 127) == (labels == 1))[inside]
        assert agree.mean() > 0.95


def test_a_mirrored_picture_and_mask_lose_no_column(picture):
    geometry = GeometryAugmentation(scale=(1.0, 1.0), stretch=0.0, rotation_deg=0.0, flip=True)
    mask = picture[..., 0] % 11
    mirrored = 0
    for seed in range(10):
        matrix = geometry.matrix(np.random.default_rng(seed), (60, 80), (60, 80))
        step = -1 if matrix[0, 0] < 0 else 1
        np.testing.assert_array_equal(warp_image(picture, matrix, (60, 80)), picture[:, ::step])
        np.testing.assert_array_equal(warp_labels(mask, matrix, (60, 80), 255), mask[:, ::step])
        mirrored += step < 0
    assert 0 < mirrored < 10


def test_mask_beyond_the_picture_is_unlabeled():
    matrix = np.array([[1.0, 0.0, 30.0], [0.0, 1.0, 0.0]])
    labels = warp_labels(np.zeros((60, 80), np.uint8), matrix, (60, 80), 255)
    assert (labels[:, :29] == 255).all()
    assert (labels[:, 31:] == 0).all()


def test_no_colour_change_asked_for_is_none(picture):
    plain = ColorAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    np.testing.assert_allclose(
        plain(picture, np.random.default_rng(0)).astype(int), picture.astype(int), atol=1
    )


def test_gray_takes_the_colour_away(picture):
    gray = ColorAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, gray=1.0)
    changed = gray(picture, np.random.default_rng(0)).astype(int)
    expected = np.round(picture @ np.array([0.299, 0.587, 0.114]))
    np.testing.assert_allclose(changed, np.repeat(expected[..., None], 3, 2), atol=1)
