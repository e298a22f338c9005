import numpy as np
import pytest
from scipy import ndimage

from spatial_perception.ops.class_map import class_map, regions
from spatial_perception.ops.letterbox import Letterbox


def test_best_class_is_numpys_argmax():
    logits = np.random.default_rng(0).normal(size=(1, 11, 24, 32)).astype(np.float32)
    found = class_map(logits, Letterbox.fit((24, 32), (24, 32)))
    np.testing.assert_array_equal(found, logits[0].argmax(0))
    assert found.dtype == np.uint8


def test_equal_scores_go_to_the_first_class():
    assert class_map(np.zeros((1, 3, 4, 4)), Letterbox.fit((4, 4), (4, 4))).max() == 0


@pytest.mark.parametrize("factor", [1, 2])
def test_map_has_the_size_of_the_source(factor):
    letterbox = Letterbox.fit((50, 100), (48, 64))
    rows, _ = letterbox.inner
    logits = np.zeros((1, 2, 48, 64), np.float32)
    logits[0, 1, rows, : 64 // 2] = 1.0
    found = class_map(logits[..., ::factor, ::factor], letterbox)
    assert found.shape == (50, 100)
    assert (found[:, :49] == 1).all()
    assert (found[:, 51:] == 0).all()


def test_regions_are_scipys_largest_first():
    mask = np.random.default_rng(1).random((60, 80)) > 0.62
    found = regions(mask, min_area_px=5, max_count=10)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    slices = ndimage.find_objects(labels)
    order = np.argsort(-areas, kind="stable")
    expected = [
        [slices[i][1].start, slices[i][0].start, slices[i][1].stop, slices[i][0].stop]
        for i in order[areas[order] >= 5][:10]
    ]
    assert {tuple(row) for row in found.tolist()} == {tuple(map(float, row)) for row in expected}


def test_an_empty_mask_has_no_regions():
    assert regions(np.zeros((5, 5), bool)).shape == (0, 4)
