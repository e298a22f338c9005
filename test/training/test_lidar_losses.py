"""The LiDAR losses against hand calculations and torch's own."""

import math

import pytest
import torch
from torch.nn import functional

from spatial_perception.training.lidar_losses import (
    box_distances,
    heatmap_loss,
    overlap_loss,
    quality_loss,
    regression_loss,
    weighted_cross_entropy,
    weighted_mean,
)

ALIKE = torch.ones(1)
EVERYWHERE = torch.ones(1, 1, 3, dtype=torch.bool)


def test_heatmap_loss_of_one_centre_and_one_false_alarm_by_hand() -> None:
    target = torch.tensor([[[[1.0, 0.5, 0.0]]]])
    share = torch.tensor([0.6, 0.3, 0.2])
    logits = torch.logit(share)[None, None, None]
    expected = -(0.4**2 * math.log(0.6) + 0.3**2 * 0.5**4 * math.log(0.7) + 0.2**2 * math.log(0.8))
    assert heatmap_loss(logits, target, EVERYWHERE, ALIKE).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_cells_of_unknown_truth_do_not_count() -> None:
    logits = torch.tensor([[[[5.0, 5.0, -9.0]]]])
    target = torch.tensor([[[[1.0, 0.0, 0.0]]]])
    counts = torch.tensor([[[True, False, True]]])
    assert heatmap_loss(logits, target, counts, ALIKE).item() < 1e-3
    assert heatmap_loss(logits, target, EVERYWHERE, ALIKE).item() > 1.0


def test_classes_count_by_their_weight() -> None:
    logits, target = torch.zeros(1, 2, 1, 3), torch.zeros(1, 2, 1, 3)
    one, two = (
        heatmap_loss(logits, target, EVERYWHERE, torch.tensor([1.0, w])) for w in (1.0, 3.0)
    )
    assert two.item() == pytest.approx(2.0 * one.item())


def test_regression_counts_only_where_boxes_are() -> None:
    values = torch.tensor([[[[1.0, 100.0]], [[2.0, 100.0]]]])
    weight = torch.tensor([[[2.0, 0.0]]])
    loss = regression_loss(values, torch.zeros_like(values), weight)
    torch.testing.assert_close(loss, torch.tensor([1.0, 2.0]))


def _cell(
    dx: float = 0.0, z: float = 0.8, length: float = 4.0, width: float = 2.0, yaw: float = 0.0
) -> torch.Tensor:
    """(1, 8): one box in the encoding of the regression."""
    sides = [math.log(length), math.log(width), math.log(1.6)]
    encoded = [dx, 0.0, z, *sides, math.sin(2 * yaw), math.cos(2 * yaw)]
    return torch.tensor(encoded)[None]


def _hellinger(mean: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> float:
    """Of two normal distributions, by the textbook's formula with matrices."""
    both = 0.5 * (one + other)
    distance = mean @ torch.linalg.inv(both) @ mean / 8.0
    distance += 0.5 * torch.log(
        torch.linalg.det(both) / torch.sqrt(torch.linalg.det(one) * torch.linalg.det(other))
    )
    return math.sqrt(1.0 - math.exp(-distance))


def test_distance_of_boxes_is_the_hellinger_distance_of_normal_distributions() -> None:
    turn = torch.tensor([[math.cos(0.5), -math.sin(0.5)], [math.sin(0.5), math.cos(0.5)]])
    flat = turn @ torch.diag(torch.tensor([16.0, 4.0]) / 12.0) @ turn.T
    one, other = torch.eye(3) * 1.6**2 / 12.0, torch.eye(3) * 1.6**2 / 12.0
    one[:2, :2], other[:2, :2] = flat, torch.diag(torch.tensor([25.0, 4.0]) / 12.0)
    expected = _hellinger(torch.tensor([0.4, 0.0, 0.1]), one, other)
    found, true = _cell(dx=1.0, z=0.9, yaw=0.5), _cell(length=5.0)
    assert box_distances(found, true, cell_m=0.4).item() == pytest.approx(expected, abs=1e-3)


def test_an_angle_counts_more_for_a_narrow_box() -> None:
    square, narrow = (
        box_distances(_cell(width=w, yaw=0.3), _cell(width=w), 0.4).item() for w in (3.9, 1.0)
    )
    assert narrow > 10.0 * square


def test_distance_of_boxes_has_finite_slopes_at_the_truth() -> None:
    values = _cell().requires_grad_()
    distance = box_distances(values, _cell(), 0.4)
    distance.sum().backward()
    assert distance.item() <= 0.011
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()


def test_weighted_mean_by_hand_and_of_nothing() -> None:
    terms, weight = torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])
    assert weighted_mean(terms, weight).item() == pytest.approx(2.0)
    assert weighted_mean(torch.zeros(0), torch.zeros(0)).item() == 0.0


def test_the_best_answer_to_quality_is_about_the_overlap() -> None:
    true, moved = _cell(), _cell(dx=1.0)  # 0.4 of 4 m: they share 3.6 of 4.4 m
    distances = box_distances(torch.cat([true, moved]), torch.cat([true, true]), 0.4)
    logits = torch.zeros(2, requires_grad=True)
    descent = torch.optim.LBFGS([logits], max_iter=100)

    def loss() -> torch.Tensor:
        descent.zero_grad()
        value = quality_loss(logits, distances, torch.ones(2))
        value.backward()
        return value

    descent.step(loss)
    assert torch.sigmoid(logits)[0].item() > 0.97
    assert torch.sigmoid(logits)[1].item() == pytest.approx(3.6 / 4.4, abs=0.03)


def test_quality_does_not_move_the_boxes() -> None:
    values, logits = _cell(dx=1.0).requires_grad_(), torch.zeros(1, requires_grad=True)
    distances = box_distances(values, _cell(), 0.4)
    quality_loss(logits, distances, torch.ones(1)).backward()
    assert values.grad is None
    assert logits.grad is not None


def test_weighted_cross_entropy_equals_torchs_mean() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=generator)
    labels = torch.randint(0, 4, (50,), generator=generator).byte()
    labels[::7] = 255
    weights = torch.tensor([1.0, 2.0, 0.5, 4.0])
    expected = functional.cross_entropy(logits, labels.long(), weights, ignore_index=255)
    torch.testing.assert_close(weighted_cross_entropy(logits, labels, weights), expected)
    nothing = torch.full((50,), 255, dtype=torch.uint8)
    assert weighted_cross_entropy(logits, nothing, weights).item() == 0.0


def test_overlap_loss_is_one_minus_the_mean_iou_of_sure_answers() -> None:
    labels = torch.tensor([0, 0, 0, 1, 255], dtype=torch.uint8)
    answers = torch.tensor([0, 0, 1, 1, 2])
    logits = 50.0 * functional.one_hot(answers, 3).float()
    expected = 1.0 - (2 / 3 + 1 / 2) / 2  # class 2 is in no truth that counts
    assert overlap_loss(logits, labels).item() == pytest.approx(expected, abs=1e-5)
