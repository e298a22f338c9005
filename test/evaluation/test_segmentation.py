import numpy as np
import pytest

from spatial_perception.evaluation.segmentation import ConfusionMatrix

NAMES = ("road", "car", "sky")


def brute_force_ious(labels, truth, classes):
    """Sets of positions, as the formula is written."""
    counted = {i for i, t in enumerate(truth) if t != 255}
    result = []
    for c in range(classes):
        predicted = {i for i in counted if labels[i] == c}
        actual = {i for i in counted if truth[i] == c}
        result.append(100 * len(predicted & actual) / len(predicted | actual) if actual else None)
    return result


def test_ious_equal_set_arithmetic():
    rng = np.random.default_rng(0)
    truth = rng.choice([0, 1, 2, 255], size=500)
    labels = np.where(rng.random(500) < 0.6, truth, rng.choice([0, 1, 2, 255], size=500))
    matrix = ConfusionMatrix(NAMES)
    for part in np.split(np.arange(500), 5):
        matrix.add(labels[part], truth[part])
    expected = brute_force_ious(labels.tolist(), truth.tolist(), 3)
    assert matrix.iou.tolist() == pytest.approx(expected)
    assert matrix.miou == pytest.approx(np.mean(expected))
    counted = truth != 255
    assert matrix.accuracy == pytest.approx(100 * np.mean(labels[counted] == truth[counted]))


def test_by_hand():
    matrix = ConfusionMatrix(NAMES)
    matrix.add([[0, 0], [1, 0]], [[0, 0], [1, 1]])
    assert matrix.iou[:2].tolist() == pytest.approx([200 / 3, 50.0])
    assert matrix.metrics() == pytest.approx(
        {"miou": 350 / 6, "accuracy": 75.0, "iou_road": 200 / 3, "iou_car": 50.0}
    )


def test_a_class_absent_from_the_truth_does_not_enter_the_mean():
    matrix = ConfusionMatrix(NAMES)
    matrix.add([0, 0, 2], [0, 0, 1])
    assert matrix.miou == pytest.approx(50.0)  # road 100, car 0; sky only predicted
    assert matrix.present.tolist() == [True, True, False]
    assert "iou_sky" not in matrix.metrics()


def test_no_answer_is_a_miss_and_nobodys_false_alarm():
    matrix = ConfusionMatrix(NAMES)
    matrix.add([0, 255], [0, 0])
    matrix.add([1], [1])
    assert matrix.iou[:2].tolist() == pytest.approx([50.0, 100.0])
    assert matrix.accuracy == pytest.approx(200 / 3)


def test_ignored_truth_does_not_count():
    matrix = ConfusionMatrix(NAMES)
    matrix.add([1, 0], [11, 0], ignore=11)
    assert matrix.accuracy == 100.0


def test_uint8_labels_do_not_overflow_the_pair_index():
    matrix = ConfusionMatrix([str(i) for i in range(43)])
    labels = np.full(4, 42, np.uint8)
    matrix.add(labels, labels)
    assert matrix.counts[42, 42] == 4


def test_merge_adds_counts_and_refuses_other_classes():
    one, two = ConfusionMatrix(NAMES), ConfusionMatrix(NAMES)
    one.add([0], [0])
    two.add([1], [0])
    one.merge(two)
    assert one.accuracy == 50.0
    with pytest.raises(ValueError, match="classes differ"):
        one.merge(ConfusionMatrix(("a",)))


@pytest.mark.parametrize(
    ("labels", "truth", "message"),
    [
        ([0, 1], [0], r"expected one shape, got \(2,\) and \(1,\)"),
        ([0], [3], "expected classes 0..2 or 255, got 3"),
    ],
)
def test_bad_input_is_refused(labels, truth, message):
    with pytest.raises(ValueError, match=message):
        ConfusionMatrix(NAMES).add(labels, truth)


def test_nothing_counted_is_nan_not_zero():
    matrix = ConfusionMatrix(NAMES)
    assert np.isnan(matrix.miou)
    assert np.isnan(matrix.accuracy)
