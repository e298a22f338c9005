"""Boxes through the encoding of training and the decoding of inference, and back."""

from dataclasses import replace

import numpy as np
import pytest

from spatial_perception.core.boxes import iou_3d
from spatial_perception.ops.calibration import ScoreCalibration
from spatial_perception.ops.centers import (
    CentersConfig,
    CenterTargets,
    decode_centers,
    encode_centers,
)
from spatial_perception.ops.ground import flat_ground

CONFIG = CentersConfig((-20.0, 30.0), (-15.0, 15.0), min_score=0.3)
BOXES = np.array(
    [
        [10.03, 2.71, 0.8, 4.2, 1.8, 1.5, 0.3],
        [-5.51, -3.37, 0.9, 4.6, 1.9, 1.6, -2.9],
        [20.9, -10.2, 1.6, 9.0, 2.5, 3.2, 1.57],
        [3.3, 8.8, 0.9, 0.6, 0.6, 1.8, 3.0],
        [4.5, 8.9, 0.9, 0.6, 0.7, 1.7, -1.0],
    ]
)
LABELS = np.array([0, 0, 1, 2, 2])


def as_outputs(targets: CenterTargets) -> dict[str, np.ndarray]:
    names = ("heatmap", "regression", "heading")
    return {name: getattr(targets, name)[None] for name in names}


def test_boxes_come_back_as_they_went_in() -> None:
    targets = encode_centers(BOXES, LABELS, 4, CONFIG)
    boxes, scores, labels = decode_centers(as_outputs(targets), flat_ground(), CONFIG)
    order = np.argmax(iou_3d(BOXES, boxes), axis=1)
    assert sorted(order) == list(range(len(BOXES)))
    np.testing.assert_allclose(boxes[order], BOXES, atol=1e-4)
    np.testing.assert_array_equal(labels[order], LABELS)
    assert scores == pytest.approx(np.ones(len(BOXES)))


def test_boxes_stand_on_the_ground_they_are_decoded_over() -> None:
    targets = encode_centers(BOXES[:1], LABELS[:1], 4, CONFIG)
    boxes, _, _ = decode_centers(as_outputs(targets), flat_ground(1.25), CONFIG)
    assert boxes[0, 2] == pytest.approx(BOXES[0, 2] + 1.25, abs=1e-4)


def test_without_a_heading_the_axis_is_still_right() -> None:
    targets = encode_centers(BOXES[1:2], LABELS[1:2], 4, CONFIG)
    outputs = as_outputs(targets)
    del outputs["heading"]
    boxes, _, _ = decode_centers(outputs, flat_ground(), CONFIG)
    assert np.sin(boxes[0, 6] - BOXES[1, 6]) == pytest.approx(0.0, abs=1e-4)


def test_a_box_is_the_mean_of_what_the_cells_around_its_peak_say() -> None:
    outputs = as_outputs(encode_centers(BOXES[:1], LABELS[:1], 4, CONFIG))
    generator = np.random.default_rng(0)
    noise = generator.normal(0.0, 0.1, (200, 8, *CONFIG.shape))
    errors = {True: [], False: []}
    for change in noise:
        noisy = {**outputs, "regression": outputs["regression"] + change}
        for average, found in errors.items():
            boxes, _, _ = decode_centers(noisy, flat_ground(), replace(CONFIG, average=average))
            found.append(boxes[0] - BOXES[0])
    averaged, alone = (np.std(errors[average], axis=0) for average in (True, False))
    assert (averaged < 0.6 * alone).all()
    assert alone[:2] == pytest.approx(0.1 * CONFIG.cell_m, rel=0.2)


def test_cells_that_speak_of_another_centre_do_not_enter_the_mean() -> None:
    near = np.array([[3.3, 8.8, 0.9, 0.6, 0.6, 1.8, 0.2], [4.0, 8.9, 0.9, 0.9, 0.9, 1.4, -1.0]])
    targets = encode_centers(near, np.array([2, 2]), 4, CONFIG)
    boxes, _, _ = decode_centers(as_outputs(targets), flat_ground(), CONFIG)
    order = np.argmax(iou_3d(near, boxes), axis=1)
    np.testing.assert_allclose(boxes[order], near, atol=1e-4)


@pytest.mark.parametrize("place", [(-19.9, -14.9), (29.9, 14.9)])
def test_a_peak_in_a_corner_of_the_grid_keeps_its_box(place: tuple[float, float]) -> None:
    box = np.array([[*place, 0.8, 4.2, 1.8, 1.5, 0.3]])
    outputs = as_outputs(encode_centers(box, np.array([0]), 4, CONFIG))
    boxes, _, _ = decode_centers(outputs, flat_ground(), CONFIG)
    np.testing.assert_allclose(boxes, box, atol=1e-4)


def test_boxes_outside_the_grid_and_unlabelled_ones_give_no_target() -> None:
    far = np.array(
        [[40.0, 0, 1, 4, 2, 1.5, 0], [0, -15.2, 1, 4, 2, 1.5, 0], [1, 1, 1, 4, 2, 1.5, 0]]
    )
    targets = encode_centers(far, np.array([0, 0, 255]), 4, CONFIG)
    assert not targets.heatmap.any()
    assert not targets.weight.any()


def test_weaker_boxes_that_overlap_give_way() -> None:
    twice = np.array([[5.0, 0, 1, 4, 2, 1.5, 0], [6.4, 0, 1, 4, 2, 1.5, 0]])
    outputs = as_outputs(encode_centers(twice, np.array([0, 0]), 2, CONFIG))
    outputs["heatmap"] = outputs["heatmap"] * np.array([1.0])
    row, columns = 37, (62, 66)
    outputs["heatmap"][0, 0, row, columns[1]] = 0.6
    _, scores, _ = decode_centers(outputs, flat_ground(), CONFIG)
    assert scores == pytest.approx([1.0])


def test_two_classes_at_one_place_leave_the_surer_one() -> None:
    place = np.array([[5.0, 0, 1, 1.8, 0.7, 1.8, 0], [5.1, 0, 1, 1.7, 0.7, 1.8, 0]])
    outputs = as_outputs(encode_centers(place, np.array([2, 3]), 4, CONFIG))
    outputs["heatmap"][0, 2] *= 0.8
    _, _, labels = decode_centers(outputs, flat_ground(), CONFIG)
    assert labels.tolist() == [3]


def test_a_pedestrian_beside_a_car_stays() -> None:
    place = np.array([[5.0, 0, 1, 4.2, 1.8, 1.5, 0], [5.0, 1.3, 1, 0.7, 0.7, 1.8, 0]])
    outputs = as_outputs(encode_centers(place, np.array([0, 2]), 4, CONFIG))
    assert len(decode_centers(outputs, flat_ground(), CONFIG)[1]) == 2


def test_nothing_above_the_threshold_gives_no_boxes() -> None:
    targets = encode_centers(BOXES, LABELS, 4, CONFIG)
    outputs = as_outputs(targets)
    outputs["heatmap"] = 0.2 * outputs["heatmap"]
    boxes, scores, labels = decode_centers(outputs, flat_ground(), CONFIG)
    assert boxes.shape == (0, 7)
    assert len(scores) == len(labels) == 0


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("average", [True, False])
def test_a_box_that_is_no_number_is_none(average: bool) -> None:
    outputs = as_outputs(encode_centers(BOXES, LABELS, 4, CONFIG))
    middle = CONFIG.shape[0] // 2
    outputs["regression"][:, :, :middle] = np.inf  # right of the vehicle, where two boxes are
    boxes, scores, _ = decode_centers(outputs, flat_ground(), replace(CONFIG, average=average))
    assert len(boxes) == len(scores) == 3
    assert (boxes[:, 1] > 0).all()


def test_a_calibration_maps_scores_and_thresholds_hold_for_the_mapped_ones() -> None:
    outputs = as_outputs(encode_centers(BOXES[[0, 3]], LABELS[[0, 3]], 4, CONFIG))
    outputs["heatmap"] = 0.5 * outputs["heatmap"]
    calibration = ScoreCalibration((2.0,) * 4, (1.0, 0.0, -1.0, 0.0))
    _, scores, labels = decode_centers(outputs, flat_ground(), CONFIG, calibration)
    assert labels.tolist() == [0]  # a pedestrian of 0.5 is one of 0.27
    assert scores == pytest.approx([1 / (1 + np.exp(-1.0))])


def test_of_two_alike_boxes_the_one_of_better_quality_comes_first() -> None:
    outputs = as_outputs(encode_centers(BOXES[:2], LABELS[:2], 4, CONFIG))
    column, row = ((BOXES[1, :2] - (-20.0, -15.0)) / CONFIG.cell_m).astype(int)
    outputs["quality"] = np.full((1, 1, *CONFIG.shape), 0.64)
    outputs["quality"][0, 0, row, column] = 0.81
    boxes, scores, _ = decode_centers(outputs, flat_ground(), CONFIG)
    np.testing.assert_allclose(boxes[0], BOXES[1], atol=1e-4)
    assert scores == pytest.approx([0.9, 0.8])
    _, without, _ = decode_centers(outputs, flat_ground(), replace(CONFIG, quality_share=0.0))
    assert without == pytest.approx([1.0, 1.0])


def test_thresholds_hold_for_scores_with_their_quality() -> None:
    outputs = as_outputs(encode_centers(BOXES[:1], LABELS[:1], 4, CONFIG))
    outputs["heatmap"] = 0.5 * outputs["heatmap"]
    for quality, kept in ((0.2, 1), (0.16, 0)):  # scores of 0.316 and 0.283, the least is 0.3
        outputs["quality"] = np.full((1, 1, *CONFIG.shape), quality)
        assert len(decode_centers(outputs, flat_ground(), CONFIG)[1]) == kept


def test_of_two_classes_at_one_place_the_more_probable_stays() -> None:
    place = np.array([[5.0, 0, 1, 1.8, 0.7, 1.8, 0], [5.1, 0, 1, 1.7, 0.7, 1.8, 0]])
    outputs = as_outputs(encode_centers(place, np.array([2, 3]), 4, CONFIG))
    outputs["heatmap"] *= np.array([1.0, 1.0, 0.6, 0.7])[:, None, None]
    _, _, labels = decode_centers(
        outputs, flat_ground(), CONFIG, ScoreCalibration((1.0,) * 4, (0.0, 0.0, 2.0, 0.0))
    )
    assert labels.tolist() == [2]
