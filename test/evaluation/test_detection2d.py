import numpy as np
import pytest

from spatial_perception.evaluation.detection2d import PictureFrame, PictureMetrics, covered

NAMES = ("car", "person")


def frame(truths, found, regions=()):
    """truths: (box, label, counts); found: (box, label, score, counts)."""
    return PictureFrame(
        np.array([t[0] for t in truths], float).reshape(-1, 4),
        np.array([t[1] for t in truths], int),
        np.array([t[2] for t in truths], bool),
        np.array([f[0] for f in found], float).reshape(-1, 4),
        np.array([f[2] for f in found], float),
        np.array([f[1] for f in found], int),
        np.array([f[3] for f in found], bool),
        np.array(regions, float).reshape(-1, 4),
    )


def box(x, y=0.0, size=40.0):
    return (x, y, x + size, y + size)


def test_average_precision_and_mean_by_hand():
    truths = [(box(0), 0, True), (box(100), 0, True), (box(200), 1, True)]
    found = [(box(2), 0, 0.9, True), (box(300), 0, 0.8, True), (box(200), 1, 0.7, True)]
    values = PictureMetrics([frame(truths, found)], NAMES).compute()
    assert values == pytest.approx({"car_ap_0.5": 50.0, "person_ap_0.5": 100.0, "map_0.5": 75.0})


def test_a_detection_in_an_ignore_region_is_no_false_alarm():
    truths, found = [(box(0), 0, True)], [(box(300), 0, 0.95, True), (box(0), 0, 0.9, True)]
    inside = PictureMetrics([frame(truths, found, [(290, 0, 400, 25)])], NAMES).compute()
    outside = PictureMetrics([frame(truths, found, [(290, 0, 400, 15)])], NAMES).compute()
    assert inside["car_ap_0.5"] == pytest.approx(100.0)
    assert outside["car_ap_0.5"] == pytest.approx(50.0)


def test_small_detections_and_neutral_truths_do_not_count():
    truths = [(box(0), 0, True), (box(100), 0, False)]
    found = [(box(100), 0, 0.99, True), (box(200, size=5), 0, 0.95, False), (box(0), 0, 0.9, True)]
    values = PictureMetrics([frame(truths, found)], NAMES).compute()
    assert values == pytest.approx({"car_ap_0.5": 100.0, "map_0.5": 100.0})


def test_covered_is_more_than_half_of_the_box():
    boxes = np.array([box(0), box(0, size=10), box(500)])
    assert covered(boxes, np.array([[0.0, 0, 40, 20]])).tolist() == [False, True, False]
    assert covered(boxes, np.zeros((0, 4))).tolist() == [False, False, False]


def test_weights_count_like_repeated_pictures():
    one = frame([(box(0), 0, True)], [(box(0), 0, 0.5, True)])
    two = frame([(box(0), 0, True)], [(box(50), 0, 0.7, True)])
    weighted = PictureMetrics([one, two], NAMES).compute(np.array([3, 1]))
    assert weighted == pytest.approx(PictureMetrics([one, one, one, two], NAMES).compute())


def test_frame_errors_count_misses_and_confident_false_alarms():
    good = frame([(box(0), 0, True)], [(box(0), 0, 0.9, True)])
    bad = frame([(box(0), 0, True)], [(box(90), 1, 0.9, True)])
    assert PictureMetrics([good, bad], NAMES).frame_errors().tolist() == [0, 2]


def test_boxes_of_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"ignore_regions: expected \(N, 4\), got \(0,\)"):
        PictureFrame(
            np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, bool), np.zeros((0, 4)), np.zeros(0),
            np.zeros(0, int), np.zeros(0, bool), np.zeros(0),
        )  # fmt: skip
