import numpy as np
import pytest

from spatial_perception.evaluation.classification import calibration_error
from spatial_perception.ops.calibration import ScoreCalibration
from spatial_perception.training.score_calibration import fit_scores


def drawn(scale: float, bias: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose answers are right with probability sigmoid(scale * logit + bias)."""
    rng = np.random.default_rng(0)
    logits = rng.normal(-0.5, 1.5, count)
    right = rng.random(count) < 1 / (1 + np.exp(-(scale * logits + bias)))
    return 1 / (1 + np.exp(-logits)), right


@pytest.mark.parametrize(("scale", "bias"), [(1.0, 0.0), (2.0, -1.0), (0.6, 0.8)])
def test_scale_and_bias_of_the_answers_are_found(scale: float, bias: float) -> None:
    assert fit_scores(*drawn(scale, bias)) == pytest.approx((scale, bias), abs=0.08)


def test_calibrated_scores_are_the_share_of_right_answers() -> None:
    scores, right = drawn(2.0, -1.0)
    scale, bias = fit_scores(scores, right)
    logits = np.log(scores / (1 - scores))
    calibrated = 1 / (1 + np.exp(-(scale * logits + bias)))

    assert calibration_error(calibrated, right) < 2.0 < 8.0 < calibration_error(scores, right)


def test_too_few_or_one_sided_answers_leave_the_scores_alone() -> None:
    scores, right = drawn(2.0, -1.0, 40)
    assert fit_scores(scores, right) == (1.0, 0.0)
    scores, right = drawn(1.0, 0.0, 200)
    assert fit_scores(scores, np.ones(200, bool)) == (1.0, 0.0)
    assert fit_scores(scores, np.zeros(200, bool)) == (1.0, 0.0)
    assert fit_scores(np.zeros(0), np.zeros(0, bool)) == (1.0, 0.0)


def test_scores_that_say_nothing_or_the_contrary_give_a_map_all_the_same() -> None:
    scores = np.linspace(0.05, 0.9, 100)
    scale, bias = np.round(fit_scores(scores, scores < 0.1), 3)
    labels = np.zeros(100, np.int64)
    calibrated = ScoreCalibration((scale,), (bias,)).probabilities(scores, labels)
    np.testing.assert_allclose(calibrated, 0.06, atol=0.002)


def test_scores_of_zero_and_one_do_not_break_it() -> None:
    scores, right = drawn(1.0, 0.0, 200)
    scores[:2] = 0.0, 1.0
    assert np.isfinite(fit_scores(scores, right)).all()
