import numpy as np

from spatial_perception.evaluation.matching import match_frame


def match(overlaps, scores, truth=None, found=None, excused=None, min_overlap=0.5):
    overlaps = np.array(overlaps, float)
    truths, detections = overlaps.shape
    return match_frame(
        overlaps,
        np.array(scores, float),
        np.ones(truths, bool) if truth is None else np.array(truth, bool),
        np.ones(detections, bool) if found is None else np.array(found, bool),
        np.zeros(detections, bool) if excused is None else np.array(excused, bool),
        min_overlap,
    )


def test_overlap_has_to_exceed_the_minimum():
    result = match([[0.5, 0.51]], [0.9, 0.8])
    assert result.hits.tolist() == [0, 1]
    assert result.false_alarms.tolist() == [1, 1]


def test_two_detections_of_one_truth_are_one_hit_and_one_false_alarm():
    result = match([[0.8, 0.6]], [0.3, 0.9])
    assert result.scores.tolist() == [0.9, 0.3]
    assert result.hits.tolist() == [1, 1]
    assert result.false_alarms.tolist() == [0, 1]
    assert result.pairs.tolist() == [[0, 0]]  # the larger overlap wins once it takes part


def test_hit_scores_are_those_of_the_best_scoring_candidates():
    assert match([[0.8, 0.6]], [0.3, 0.9]).hit_scores.tolist() == [0.9]


def test_an_earlier_truth_may_take_the_detection_of_a_later_one():
    result = match([[0.9], [0.95]], [0.9])
    assert result.pairs.tolist() == [[0, 0]]


def test_detections_of_equal_score_enter_together():
    result = match([[0.8, 0.0]], [0.7, 0.7])
    assert result.scores.tolist() == [0.7]
    assert (result.hits.tolist(), result.false_alarms.tolist()) == ([1], [1])


def test_a_neutral_truth_absorbs_a_detection():
    result = match([[0.9]], [0.9], truth=[False])
    assert (result.truths, result.hits.tolist(), result.false_alarms.tolist()) == (0, [0], [0])


def test_a_counting_detection_goes_before_a_neutral_one_of_larger_overlap():
    result = match([[0.9, 0.6]], [0.9, 0.9], found=[False, True])
    assert result.pairs.tolist() == [[0, 1]]
    assert result.false_alarms.tolist() == [0]


def test_an_excused_detection_is_a_false_alarm_never():
    result = match([[0.0, 0.0]], [0.9, 0.8], excused=[True, False])
    assert result.false_alarms.tolist() == [0, 1]


def test_no_detections_and_no_truths_leave_an_empty_curve():
    assert match(np.zeros((3, 0)), []).truths == 3
    assert match(np.zeros((0, 2)), [0.1, 0.2]).false_alarms.tolist() == [1, 2]


def test_errors_are_misses_and_false_alarms_above_the_score():
    result = match([[0.8, 0.0, 0.0], [0.0, 0.0, 0.8]], [0.9, 0.6, 0.2])
    assert result.errors(0.5) == 2  # one miss, one false alarm
    assert result.errors(0.95) == 2  # two misses
    assert result.errors(0.1) == 1  # one false alarm


def test_answers_are_hits_and_false_alarms_but_nothing_neutral():
    result = match(
        [[0.8, 0.0, 0.0, 0.0], [0.0, 0.7, 0.0, 0.0]],
        [0.9, 0.8, 0.4, 0.3],
        truth=[True, False],
        excused=[False, False, True, False],
    )
    assert result.answers.tolist() == [[0.9, 1.0], [0.3, 0.0]]


def test_a_frame_without_detections_answers_nothing():
    assert match(np.zeros((2, 0)), []).answers.shape == (0, 2)
