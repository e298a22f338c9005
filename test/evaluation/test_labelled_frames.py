import numpy as np
import pytest

from spatial_perception.evaluation.labelled_frames import LabelledFrames

NAMES = ("road", "car")


@pytest.fixture
def frames():
    counted = LabelledFrames(NAMES)
    counted.add([0, 0, 1], [0, 0, 1])
    counted.add([0, 1], [1, 0])
    counted.add([0], [255])
    return counted


def test_counts_are_summed_over_frames_before_dividing(frames):
    # road: 2 hits of 2 + 1 missed + 1 false; car: 1 hit of 1 + 1 + 1
    expected = {"miou": 100 * (2 / 4 + 1 / 3) / 2, "iou_road": 50.0, "iou_car": 100 / 3}
    assert frames.compute() == pytest.approx({**expected, "accuracy": 60.0})


def test_weights_count_like_repeated_frames(frames):
    assert frames.compute(np.array([1, 0, 5]))["miou"] == 100.0
    assert frames.compute(np.array([0, 0, 1])) == {}


def test_errors_rank_frames_by_their_own_mean_iou(frames):
    assert frames.errors.tolist() == [0.0, 100.0, 0.0]
