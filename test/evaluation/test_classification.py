import numpy as np
import pytest

from spatial_perception.evaluation.classification import (
    accuracy,
    calibration_error,
    confusion,
    ece,
)


def test_accuracy_by_hand():
    probabilities = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    assert accuracy(probabilities, [0, 1, 1]) == pytest.approx(200 / 3)


def test_ece_by_hand_with_two_bins():
    # bin (0, 0.5] empty; bin (0.5, 1]: confidence 0.9 0.6 0.7, two of three right
    probabilities = [[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]
    expected = abs(2 / 3 - (0.9 + 0.6 + 0.7) / 3)
    assert ece(probabilities, [0, 1, 1], bins=2) == pytest.approx(100 * expected)


def test_ece_weighs_bins_by_their_samples():
    # 15 bins: 0.95 in bin 14 (three samples, one wrong), 0.55 in bin 8 (one sample, right)
    probabilities = [[0.95, 0.05]] * 3 + [[0.55, 0.45]]
    expected = 3 / 4 * abs(2 / 3 - 0.95) + 1 / 4 * abs(1 - 0.55)
    assert ece(probabilities, [0, 0, 1, 0]) == pytest.approx(100 * expected)


def test_a_calibrated_classifier_has_little_ece_and_an_overconfident_one_much():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, 20000)
    truth = (rng.random(20000) > confidence).astype(int)
    calibrated = np.stack([confidence, 1 - confidence], axis=1)
    assert ece(calibrated, truth) < 1.5
    overconfident = np.tile([0.99, 0.01], (20000, 1))
    assert ece(overconfident, truth) == pytest.approx(24.0, abs=1.0)


def test_a_bin_holds_its_upper_edge_and_not_its_lower_one():
    # 0.5 lies in (0, 0.5], 0.6 in (0.5, 1]
    error = calibration_error(np.array([0.5, 0.6]), np.array([True, False]), bins=2)
    assert error == pytest.approx(100 * (0.5 + 0.6) / 2)


def test_certainty_falls_into_the_last_bin():
    assert ece([[1.0, 0.0]], [0]) == 0.0


def test_confusion_has_the_truth_in_rows():
    counts = confusion([[0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]], [0, 2, 1])
    assert counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]


def test_no_samples_are_nan():
    assert np.isnan(accuracy(np.zeros((0, 3)), []))
    assert np.isnan(ece(np.zeros((0, 3)), []))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(1,\)"):
        accuracy(np.zeros((2, 3)), [0])
    with pytest.raises(ValueError, match="expected classes 0..2, got 3"):
        ece(np.zeros((1, 3)), [3])
