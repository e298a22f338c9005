import numpy as np
import pytest

from spatial_perception.evaluation.matching import FrameMatch
from spatial_perception.evaluation.precision_recall import PrecisionRecall, sample_thresholds


def separated(truths, hit_scores, alarm_scores):
    """A frame in which no detection competes with another."""
    scores = np.unique(np.array([*hit_scores, *alarm_scores], float))[::-1]
    return FrameMatch(
        truths,
        np.array(hit_scores, float),
        scores,
        np.array([np.sum(np.array(hit_scores) >= s) for s in scores], np.int64),
        np.array([np.sum(np.array(alarm_scores) >= s) for s in scores], np.int64),
        np.zeros((0, 2), np.int64),
        np.zeros((0, 2)),
    )


def test_curve_joins_frames_by_score():
    frames = [separated(2, [0.9, 0.4], [0.5]), separated(2, [0.7], [0.7])]
    curve = PrecisionRecall(frames).curve()
    assert curve.scores.tolist() == [0.9, 0.7, 0.5, 0.4]
    assert curve.recall.tolist() == [0.25, 0.5, 0.5, 0.75]
    assert curve.precision == pytest.approx([1, 2 / 3, 1 / 2, 3 / 5])


def test_interpolation_takes_the_best_precision_at_higher_recall():
    result = PrecisionRecall([separated(4, [0.8, 0.7], [0.9])])
    # precisions 0, 1/2, 2/3: recall up to 1/2 is reached with 2/3
    assert result.average_precision() == pytest.approx(100 * 20 * (2 / 3) / 40)
    assert result.average_precision(11) == pytest.approx(100 * 6 * (2 / 3) / 11)


@pytest.mark.parametrize("truths", [1, 7, 39, 40, 41, 100])
def test_all_found_without_false_alarm_is_100_whatever_the_number(truths):
    frame = separated(truths, np.linspace(0.1, 0.9, truths), [])
    assert PrecisionRecall([frame]).average_precision() == pytest.approx(100.0)


def test_the_devkit_gives_one_recall_point_a_hit_at_most():
    frame = separated(30, np.linspace(0.1, 0.9, 30), [])
    assert PrecisionRecall([frame]).average_precision(devkit=True) == pytest.approx(72.5)


@pytest.mark.parametrize(("truths", "hits"), [(41, 41), (50, 37), (97, 60), (400, 333), (30, 12)])
def test_sampled_thresholds_equal_the_literal_procedure(truths, hits):
    scores = np.sort(np.random.default_rng(truths).random(hits))[::-1]
    expected, recall = [], 0.0
    for i in range(hits):
        last = i == hits - 1
        left, right = (i + 1) / truths, (i + 1 if last else i + 2) / truths
        if right - recall < recall - left and not last:
            continue
        expected.append(scores[i])
        recall += 1 / 40.0
    assert sample_thresholds(scores, truths).tolist() == expected


def test_sampling_and_definition_agree_with_many_truths():
    rng = np.random.default_rng(0)
    frame = separated(2000, rng.normal(0.6, 0.2, 1500), rng.normal(0.3, 0.2, 800))
    result = PrecisionRecall([frame])
    levels = np.arange(1, 41) / 40
    curve = result.curve()
    exact = [curve.precision[curve.recall >= r].max(initial=0.0) for r in levels]
    assert result.average_precision() == pytest.approx(100 * np.mean(exact), abs=0.3)


def test_recall_at_precision_is_the_highest_of_any_threshold():
    result = PrecisionRecall([separated(10, [0.9, 0.8, 0.5, 0.4, 0.3], [0.7, 0.6])])
    # precision: 1, 1, 2/3, 1/2, 3/5, 4/6, 5/7
    assert result.recall_at_precision(0.7) == pytest.approx(50.0)
    assert result.recall_at_precision(0.8) == pytest.approx(20.0)
    assert result.recall_at_precision(1.1) == 0.0


def test_without_truths_there_is_no_precision_to_average():
    result = PrecisionRecall([separated(0, [], [0.5])])
    assert np.isnan(result.average_precision())
    assert np.isnan(result.recall_at_precision(0.8))
    assert np.isnan(PrecisionRecall([]).average_precision())


def test_truths_without_detections_give_zero():
    assert PrecisionRecall([separated(3, [], [])]).average_precision() == 0.0
    assert PrecisionRecall([separated(300, [], [])]).average_precision() == 0.0


def test_other_numbers_of_recall_points_are_refused():
    with pytest.raises(ValueError, match="points: expected 11 or 40, got 101"):
        PrecisionRecall([]).average_precision(101)
