import numpy as np
import pytest
from scipy.special import softmax

from spatial_perception.ops.crops import classify, crop_batches


def ramp(height: int = 60, width: int = 80) -> np.ndarray:
    """Column in red, row in green."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns, rows, np.zeros_like(rows)], 2).astype(np.uint8)


def test_a_crop_shows_its_box():
    crop = crop_batches(ramp(), np.array([[10, 20, 42, 52]]), 32, margin=0.0)[0, 0]
    assert crop.shape == (3, 32, 32)
    np.testing.assert_array_equal(crop[0, 0], np.arange(10, 42))
    np.testing.assert_array_equal(crop[1, :, 0], np.arange(20, 52))


def test_the_margin_is_added_on_each_side():
    crop = crop_batches(ramp(), np.array([[20, 20, 40, 40]]), 30, margin=0.25)[0, 0]
    assert (crop[0, 0, 0], crop[0, 0, -1]) == (15, 44)


def test_the_last_batch_is_filled_with_zeros():
    boxes = np.tile([[5, 5, 20, 20]], (11, 1))
    batches = crop_batches(ramp(), boxes, 16, batch=8)
    assert batches.shape == (2, 8, 3, 16, 16)
    assert batches.dtype == np.float32
    assert batches[1, 2].any()
    assert not batches[1, 3:].any()


def test_no_boxes_are_no_batches():
    assert crop_batches(ramp(), np.zeros((0, 4)), 32).shape == (0, 8, 3, 32, 32)


@pytest.mark.parametrize(
    "box", [[-30, -30, 10, 10], [70, 50, 120, 90], [-50, -50, -10, -10], [3, 3, 3, 3]]
)
def test_a_box_beyond_the_border_repeats_it(box):
    crop = crop_batches(ramp(), np.array([box]), 8)[0, 0]
    assert crop[0].max() <= 79
    assert crop[1].max() <= 59
    if box[2] < 0:
        assert not crop.any()


def test_probabilities_are_the_softmax_at_the_temperature():
    logits = np.random.default_rng(0).normal(0, 5, (6, 4)).astype(np.float32)
    labels, best = classify(logits, temperature=2.5)
    expected = softmax(logits / 2.5, axis=1)
    np.testing.assert_array_equal(labels, expected.argmax(1))
    np.testing.assert_allclose(best, expected.max(1), rtol=1e-6)
