"""Losses of the voxel network's heads, and of point classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def heatmap_loss(logits: Tensor, target: Tensor, counts: Tensor, weights: Tensor) -> Tensor:
    """Focal loss of CornerNet (Law and Deng, 2018), over the number of centres.

    Args:
        logits: (B, K, Y, X).
        target: (B, K, Y, X), 1 at centres, falling off around them.
        counts: (B, Y, X) bool, False where the truth is not known.
        weights: (K,), how much each class counts.
    """
    share = torch.sigmoid(logits)
    is_center = target >= 1.0
    positive = functional.logsigmoid(logits) * (1.0 - share) ** 2
    negative = functional.logsigmoid(-logits) * share**2 * (1.0 - target) ** 4
    terms = torch.where(is_center, positive, negative) * counts.unsqueeze(1)
    return -(terms.sum(dim=(0, 2, 3)) * weights).sum() / is_center.sum().clamp(min=1)


def regression_loss(values: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """(C,) mean absolute error of each channel where `weight` (B, Y, X) says that a box is."""
    error = (values - target).abs() * weight.unsqueeze(1)
    return error.sum(dim=(0, 2, 3)) / weight.sum().clamp(min=1.0)


def weighted_cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor, ignore: int = 255
) -> Tensor:
    """Cross-entropy in which each class counts by its weight; 0 where nothing is labelled.

    Args:
        logits: (B, K, ...).
        labels: (B, ...) integer class, `ignore` where unknown.
        weights: (K,).
        ignore: The label that does not count.
    """
    total = functional.cross_entropy(
        logits, labels.long(), weights, ignore_index=ignore, reduction="sum"
    )
    known = labels[labels != ignore].long()
    return total / weights[known].sum().clamp(min=1.0)


def overlap_loss(logits: Tensor, labels: Tensor, ignore: int = 255) -> Tensor:
    """1 - mean soft intersection over union of the classes present (Rahman and Wang, 2016).

    Args:
        logits: (N, K).
        labels: (N,) integer class, `ignore` where unknown.
        ignore: The label that does not count.
    """
    known = labels != ignore
    shares = torch.softmax(logits[known], dim=1)
    truth = functional.one_hot(labels[known].long(), logits.shape[1]).to(shares.dtype)
    both = (shares * truth).sum(dim=0)
    present = truth.sum(dim=0)
    union = shares.sum(dim=0) + present - both
    overlap = both / union.clamp(min=1e-6)
    return 1.0 - (overlap * (present > 0)).sum() / (present > 0).sum().clamp(min=1)
