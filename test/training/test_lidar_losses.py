"""The LiDAR losses against hand calculations and torch's own."""

import math

import pytest
import torch
from torch.nn import functional

from spatial_perception.training.lidar_losses import (
    heatmap_loss,
    overlap_loss,
    regression_loss,
    weighted_cross_entropy,
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
