import numpy as np
import pytest

from spatial_perception.evaluation.detection3d import (
    EASY,
    HARD,
    MODERATE,
    NEVER,
    BoxFrame,
    BoxMetrics,
)
from test.evaluation.kitti_reference import Found, Scene, Truth, average_precision

CAR, PEDESTRIAN = 0, 1
NAMES = ("car", "pedestrian")


def frame(truths, found, outside=(), dont_care=()):
    """truths: (box, label, level); found: (box, label, score[, level])."""
    found = [(*f, EASY)[:4] for f in found]
    return BoxFrame(
        truth_boxes=np.array([t[0] for t in truths], float).reshape(-1, 7),
        truth_labels=np.array([t[1] for t in truths], int),
        truth_levels=np.array([t[2] for t in truths], int),
        boxes=np.array([f[0] for f in found], float).reshape(-1, 7),
        scores=np.array([f[2] for f in found], float),
        labels=np.array([f[1] for f in found], int),
        levels=np.array([f[3] for f in found], int),
        outside=np.isin(np.arange(len(found)), outside),
        dont_care=np.isin(np.arange(len(found)), dont_care),
    )


def car(x, y=0.0, yaw=0.0, length=4.0):
    return (x, y, 0.8, length, 1.8, 1.6, yaw)


def random_frames(rng, count=12):
    """Jittered, missed, doubled and invented boxes of two classes with every kind of level."""
    frames = []
    for _ in range(count):
        truths, found = [], []
        for _ in range(rng.integers(4, 12)):
            box = np.array([*rng.uniform(-60, 60, 2), 0.8, 4.2, 1.8, 1.6, rng.uniform(-3, 3)])
            label = int(rng.random() < 0.3)
            truths.append((box, label, int(rng.choice([EASY, MODERATE, HARD, NEVER]))))
            for _ in range(int(rng.choice([0, 1, 1, 1, 2, 3]))):
                noise = rng.normal(0, [0.25, 0.15, 0.1, 0.2, 0.1, 0.1, 0.08])
                level = int(rng.choice([EASY, EASY, EASY, MODERATE, NEVER]))
                found.append((box + noise, label, rng.random(), level))
        for _ in range(rng.integers(0, 6)):
            box = car(*rng.uniform(-60, 60, 2), rng.uniform(-3, 3))
            found.append((box, int(rng.random() < 0.3), 0.7 * rng.random(), EASY))
        frames.append(frame(truths, found))
    return frames


def scenes(frames, label, level, radius=np.inf):
    """The same frames for the reference implementation."""
    result = []
    for f in frames:
        scene = Scene()
        for box, own, own_level in zip(f.truth_boxes, f.truth_labels, f.truth_levels, strict=True):
            counts = own_level <= level and np.hypot(*box[:2]) <= radius
            state = "other" if own != label else "counts" if counts else "neutral"
            scene.truths.append(Truth(tuple(box), state))
        for box, own, own_level, score in zip(f.boxes, f.labels, f.levels, f.scores, strict=True):
            state = "neutral" if own_level > level else "counts" if own == label else "other"
            scene.found.append(Found(tuple(box), score, state))
        result.append(scene)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_equals_an_independent_kitti_evaluation(seed):
    frames = random_frames(np.random.default_rng(seed), count=24)
    values = BoxMetrics(frames, NAMES).compute()
    for plane in ("bev", "3d"):
        for overlap in (0.5, 0.7):
            for level, suffix in ((MODERATE, ""), (HARD, "_hard")):
                expected = average_precision(scenes(frames, CAR, level), plane, overlap)
                assert values[f"car_{plane}_ap_{overlap}{suffix}"] == pytest.approx(expected)
            expected = average_precision(scenes(frames, CAR, MODERATE), plane, overlap, 11)
            assert values[f"car_{plane}_ap_{overlap}_r11"] == pytest.approx(expected)
            assert 5 < expected < 95  # a case that tells implementations apart


def test_devkit_metrics_equal_kitti_with_few_truths_too():
    frames = random_frames(np.random.default_rng(7), count=6)
    values = BoxMetrics(frames, NAMES, devkit=True).compute()
    for label, name in enumerate(NAMES):
        for points, suffix in ((40, ""), (11, "_r11")):
            expected = average_precision(scenes(frames, label, MODERATE), "bev", 0.5, points)
            assert values[f"{name}_bev_ap_0.5{suffix}_devkit"] == pytest.approx(expected)


def test_a_faultless_detector_reaches_100_with_few_truths():
    frames = [frame([(car(10), CAR, EASY)], [(car(10), CAR, 0.9)])] * 3
    values = BoxMetrics(frames, NAMES, devkit=True).compute()
    assert values["car_bev_ap_0.7"] == values["car_3d_ap_0.7_r11"] == pytest.approx(100.0)
    assert values["car_bev_ap_0.7_devkit"] == pytest.approx(100.0 * 2 / 40)


def test_half_the_cars_and_one_false_alarm_by_hand():
    found = [(car(10), CAR, 0.9), (car(50), CAR, 0.8), (car(20), CAR, 0.7)]
    truths = [(car(x), CAR, EASY) for x in (10, 20, 30, 40)]
    values = BoxMetrics([frame(truths, found)], NAMES).compute()
    # recall 1/4 at precision 1, recall 2/4 at precision 2/3
    assert values["car_bev_ap_0.5"] == pytest.approx(100 * (10 * 1 + 10 * 2 / 3) / 40)
    assert values["car_bev_ap_0.5_r11"] == pytest.approx(100 * (3 * 1 + 3 * 2 / 3) / 11)
    assert values["car_recall_at_p80"] == pytest.approx(25.0)


def test_neutral_truths_are_neither_hit_nor_miss():
    truths = [(car(10), CAR, EASY), (car(20), CAR, NEVER), (car(30), CAR, NEVER)]
    found = [(car(20), CAR, 0.95), (car(10), CAR, 0.9)]
    values = BoxMetrics([frame(truths, found)], NAMES).compute()
    assert values["car_bev_ap_0.5"] == pytest.approx(100.0)


@pytest.mark.parametrize("excuse", ["outside", "dont_care"])
def test_an_excused_detection_is_no_false_alarm_but_may_be_a_hit(excuse):
    truths = [(car(10), CAR, EASY)]
    found = [(car(40), CAR, 0.95), (car(10), CAR, 0.9)]
    lenient = BoxMetrics([frame(truths, found, **{excuse: (0, 1)})], NAMES).compute()
    strict = BoxMetrics([frame(truths, found)], NAMES).compute()
    assert lenient["car_bev_ap_0.5"] == pytest.approx(100.0)
    assert strict["car_bev_ap_0.5"] == pytest.approx(50.0)


def test_only_the_devkit_metrics_count_false_alarms_in_dont_care_regions():
    truths = [(car(10), CAR, EASY)] * 1
    found = [(car(40), CAR, 0.95), (car(10), CAR, 0.9)]
    frames = [frame(truths, found, dont_care=(0,))] * 50
    values = BoxMetrics(frames, NAMES, devkit=True).compute()
    assert values["car_bev_ap_0.5"] == pytest.approx(100.0)
    assert values["car_bev_ap_0.5_devkit"] == pytest.approx(50.0)


def test_difficulties_nest():
    truths = [(car(10), CAR, EASY), (car(20), CAR, MODERATE), (car(30), CAR, HARD)]
    values = BoxMetrics([frame(truths, [(car(10), CAR, 0.9)])], NAMES).compute()
    assert values["car_bev_ap_0.5_easy"] == pytest.approx(100.0)
    assert values["car_bev_ap_0.5"] == pytest.approx(50.0)
    assert values["car_bev_ap_0.5_hard"] == pytest.approx(100 * 13 / 40)


def test_beyond_the_range_nothing_is_hit_missed_or_false():
    truths = [(car(29.5), CAR, EASY), (car(45), CAR, EASY)]
    found = [(car(29.8), CAR, 0.9), (car(-60), CAR, 0.95), (car(30.3, 20.0), CAR, 0.99)]
    values = BoxMetrics([frame(truths, found)], NAMES).compute()
    assert values["car_bev_ap_0.5_within_30m"] == pytest.approx(100.0)
    assert values["car_bev_ap_0.5_within_50m"] == pytest.approx(100 * 20 * 0.5 / 40)
    assert values["car_bev_ap_0.5"] == pytest.approx(100 * 20 / 3 / 40)


def test_heading_accuracy_counts_matched_boxes_that_point_the_right_way():
    truths = [(car(x), CAR, EASY) for x in (10, 20, 30, 40)]
    found = [(car(10, yaw=0.1), CAR, 0.9), (car(20, yaw=np.pi), CAR, 0.9), (car(60), CAR, 0.9)]
    values = BoxMetrics([frame(truths, found)], NAMES).compute()
    assert values["car_heading_accuracy"] == pytest.approx(50.0)


def test_calibration_error_compares_scores_with_the_share_of_hits():
    truths = [(car(x), CAR, EASY) for x in (10, 20, 30)]
    found = [(car(x), CAR, 0.8) for x in (10, 20, 30, 40)]
    frames = [frame(truths, found), frame([(car(10), CAR, EASY)], [(car(30), CAR, 0.2)])]
    values = BoxMetrics(frames, NAMES).compute()
    assert values["car_ece"] == pytest.approx(100 * (4 * 0.05 + 0.2) / 5)
    first = BoxMetrics(frames, NAMES).compute(np.array([2, 0]))
    assert first["car_ece"] == pytest.approx(5.0)


def test_height_matters_to_3d_alone():
    high = (10, 0, 1.8, 4.0, 1.8, 1.6, 0.0)
    values = BoxMetrics([frame([(car(10), CAR, EASY)], [(high, CAR, 0.9)])], NAMES).compute()
    assert values["car_bev_ap_0.7"] == pytest.approx(100.0)
    assert values["car_3d_ap_0.5"] == 0.0


def test_a_class_without_truth_gives_no_metric():
    values = BoxMetrics([frame([(car(10), CAR, EASY)], [(car(1), PEDESTRIAN, 1.0)])], NAMES)
    assert not [name for name in values.compute() if name.startswith("pedestrian")]


def test_no_frames_give_no_metrics():
    assert BoxMetrics([], NAMES).compute() == {}


def test_weights_count_like_repeated_frames():
    frames = random_frames(np.random.default_rng(3), count=5)
    weights = np.array([3, 0, 1, 2, 10])
    repeated = [f for f, w in zip(frames, weights, strict=True) for _ in range(w)]
    weighted = BoxMetrics(frames, NAMES, devkit=True).compute(weights)
    assert weighted == pytest.approx(BoxMetrics(repeated, NAMES, devkit=True).compute())


def test_frame_errors_count_misses_and_confident_false_alarms():
    good = frame([(car(10), CAR, EASY)], [(car(10), CAR, 0.9), (car(30), CAR, 0.2)])
    bad = frame([(car(10), CAR, EASY)], [(car(20), CAR, 0.9), (car(10), CAR, 0.4)])
    assert BoxMetrics([good, bad], NAMES).frame_errors().tolist() == [0, 2]


def test_arrays_of_wrong_length_are_refused():
    with pytest.raises(ValueError, match=r"truth_levels: expected \(1,\), got \(0,\)"):
        BoxFrame(
            np.zeros((1, 7)), np.zeros(1, int), np.zeros(0, int), np.zeros((0, 7)), np.zeros(0),
            np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool), np.zeros(0, bool),
        )  # fmt: skip
