import numpy as np
import pytest

from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.voxels import VoxelGrid
from spatial_perception.datasets.shards import FREE, VoxelTruth
from spatial_perception.evaluation.occupancy import OccupancyMetrics, voxels_compared

NAMES = ("road", "car")


def cells(*values):
    return np.array(values, np.uint8).reshape(1, 1, -1)


def everywhere(labels):
    return np.ones(labels.shape, bool)


def test_by_hand():
    metrics = OccupancyMetrics(NAMES)
    labels = cells(0, 0, 1, 255, 255, 1)
    truth = cells(0, 1, 1, 1, FREE, FREE)
    metrics.add(labels, truth, everywhere(labels))
    # occupied: 4 predicted, 4 true, 3 of them common -> 3 / 5
    # road: 1 / (1 + 1); car: 1 / (1 + 2 missed + 1 in free space)
    assert metrics.compute() == pytest.approx(
        {"iou": 60.0, "miou": 37.5, "iou_road": 50.0, "iou_car": 25.0}
    )


def test_unseen_and_unknown_voxels_do_not_count():
    metrics = OccupancyMetrics(NAMES)
    labels, truth = cells(0, 1, 1), cells(0, 255, FREE)
    metrics.add(labels, truth, np.array([[[True, True, False]]]))
    assert metrics.compute()["iou"] == 100.0


def test_iou_equals_set_arithmetic_on_random_grids():
    rng = np.random.default_rng(0)
    metrics = OccupancyMetrics(NAMES)
    common = either = 0
    for _ in range(3):
        labels = rng.choice([0, 1, 255], size=(4, 5, 6)).astype(np.uint8)
        truth = rng.choice([0, 1, FREE, 255], size=(4, 5, 6)).astype(np.uint8)
        visible = rng.random((4, 5, 6)) < 0.7
        metrics.add(labels, truth, visible)
        known = visible & (truth != 255)
        predicted, actual = set(np.flatnonzero(known & (labels < 2))), set()
        actual.update(np.flatnonzero(known & (truth < 2)))
        common, either = common + len(predicted & actual), either + len(predicted | actual)
    assert metrics.compute()["iou"] == pytest.approx(100 * common / either)


def test_weights_count_like_repeated_frames():
    one, two = OccupancyMetrics(NAMES), OccupancyMetrics(NAMES)
    good, bad = (cells(0, 1), cells(0, 1)), (cells(0, 0), cells(1, FREE))
    for frame in (good, bad):
        one.add(*frame, everywhere(frame[0]))
    for frame in (good, good, bad):
        two.add(*frame, everywhere(frame[0]))
    assert one.compute(np.array([2, 1])) == pytest.approx(two.compute())


def test_no_frames_give_no_metrics():
    assert OccupancyMetrics(NAMES).compute() == {}


def test_predictions_are_looked_up_at_the_centres_of_the_truth():
    labels = np.full((2, 3, 4), 255, np.uint8)
    labels[1, 2, 3] = 1
    grid = VoxelGrid(
        Header(0, "base_link"),
        labels,
        np.zeros(labels.shape, np.float32),
        np.array([-1.0, 10.0, 0.0]),
        np.array([0.5, 1.0, 2.0]),
        LabelSet(NAMES),
    )
    # along x, y and z centres at 0.5, 0.7, .. 1.3, at 12.3 and 13.3, and at 1 and 3
    truth = VoxelTruth(
        np.zeros((2, 2, 5), np.uint8),
        np.ones((2, 2, 5), bool),
        np.array([0.4, 11.8, 0.0]),
        np.array([0.2, 1.0, 2.0]),
    )
    found, same, counts = voxels_compared(grid, truth)
    assert same is truth.labels
    assert found[1, 0].tolist() == [1, 1, 1, 255, 255]
    assert (found == 1).sum() == 3
    assert counts[:, 0].tolist() == [[True] * 3 + [False] * 2] * 2, "x up to 1.0"
    assert not counts[:, 1].any(), "y up to 13"
