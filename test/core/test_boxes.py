"""Box overlap against Monte-Carlo areas, hand calculations and torchvision."""

import numpy as np
import pytest

from spatial_perception.core.boxes import (
    bev_corners,
    box_corners,
    iou_2d,
    iou_3d,
    iou_bev,
    nms_2d,
    nms_bev,
    points_in_boxes,
)


def random_bev(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.stack(
        [
            rng.uniform(-2, 2, count),
            rng.uniform(-2, 2, count),
            rng.uniform(1, 5, count),
            rng.uniform(0.5, 2.5, count),
            rng.uniform(-4, 4, count),
        ],
        axis=1,
    )


def sampled_iou(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    points = np.concatenate([rng.uniform(-6, 6, (400_000, 2)), np.zeros((400_000, 1))], axis=1)
    boxes = np.array([[x, y, 0, length, width, 1, yaw] for x, y, length, width, yaw in (a, b)])
    inside = points_in_boxes(points, boxes)
    return float((inside[:, 0] & inside[:, 1]).sum() / (inside[:, 0] | inside[:, 1]).sum())


def test_rotated_iou_equals_sampled_area() -> None:
    rng = np.random.default_rng(0)
    a, b = random_bev(rng, 6), random_bev(rng, 6)
    iou = iou_bev(a, b)
    for i in range(6):
        assert iou[i, i] == pytest.approx(sampled_iou(a[i], b[i], rng), abs=0.01)


def test_a_box_overlaps_itself_wholly_even_far_from_the_origin() -> None:
    boxes = random_bev(np.random.default_rng(1), 20)
    boxes[:, :2] += 5000
    np.testing.assert_allclose(np.diag(iou_bev(boxes, boxes)), 1.0, atol=1e-9)


def test_turning_by_half_a_turn_changes_nothing() -> None:
    boxes = random_bev(np.random.default_rng(2), 20)
    turned = boxes + [0, 0, 0, 0, np.pi]
    np.testing.assert_allclose(np.diag(iou_bev(boxes, turned)), 1.0, atol=1e-9)


def test_crossed_bars_overlap_in_a_square() -> None:
    bars = np.array([[0, 0, 4, 1, 0.0], [0, 0, 4, 1, np.pi / 2]])
    assert iou_bev(bars, bars)[0, 1] == pytest.approx(1 / 7)


def test_touching_and_separate_boxes_do_not_overlap() -> None:
    a = np.array([[0, 0, 2, 2, 0.0]])
    b = np.array([[2, 0, 2, 2, 0.0], [9, 9, 2, 2, 0.3]])
    np.testing.assert_allclose(iou_bev(a, b), 0.0, atol=1e-12)


def test_iou_3d_is_the_volume_ratio() -> None:
    a = np.array([[0, 0, 0, 2, 2, 2, 0.0]])
    b = np.array([[1, 0, 1, 2, 2, 2, 0.0]])
    assert iou_3d(a, b)[0, 0] == pytest.approx(2 / (8 + 8 - 2))


def test_iou_2d_equals_torchvision() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(3)
    corner, size = rng.uniform(0, 50, (12, 2)), rng.uniform(1, 40, (12, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    expected = ops.box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).numpy()
    np.testing.assert_allclose(iou_2d(boxes, boxes), expected, atol=1e-6)


def test_nms_2d_equals_torchvision_batched_nms() -> None:
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision.ops")
    rng = np.random.default_rng(4)
    corner, size = rng.uniform(0, 60, (80, 2)), rng.uniform(10, 40, (80, 2))
    boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
    scores, labels = rng.random(80).astype(np.float32), rng.integers(0, 3, 80)
    expected = ops.batched_nms(
        torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(labels), 0.5
    )
    np.testing.assert_array_equal(nms_2d(boxes, scores, labels, 0.5), expected.numpy())


def test_nms_bev_keeps_the_better_of_two_and_the_other_class() -> None:
    boxes = np.array([[0, 0, 4, 2, 0.0], [0.2, 0, 4, 2, 0.0], [0, 0, 4, 2, 0.0], [9, 0, 4, 2, 0]])
    kept = nms_bev(boxes, np.array([0.5, 0.9, 0.4, 0.3]), np.array([0, 0, 1, 0]), 0.3)
    assert kept.tolist() == [1, 2, 3]


def test_nms_of_nothing_is_nothing() -> None:
    assert nms_bev(np.zeros((0, 5)), np.zeros(0), np.zeros(0, int), 0.5).tolist() == []


def test_corners_of_a_turned_box() -> None:
    corners = bev_corners(np.array([[1.0, 2.0, 4.0, 2.0, np.pi / 2]]))[0]
    np.testing.assert_allclose(corners, [[0, 4], [0, 0], [2, 0], [2, 4]], atol=1e-12)
    solid = box_corners(np.array([[1.0, 2.0, 3.0, 4.0, 2.0, 1.0, 0.0]]))[0]
    np.testing.assert_allclose(solid[:4, 2], 2.5)
    np.testing.assert_allclose(solid[4:, 2], 3.5)
