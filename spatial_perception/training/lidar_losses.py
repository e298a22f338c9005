"""Losses of the voxel network's heads, and of point classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_ROUNDED = 1e-4
"""Under the root of the distance of boxes, whose slope is infinite at 0."""
_OVERLAP_SLOPE = 1.6
"""A box that is moved a little along one side loses so much overlap for its distance."""


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


def weighted_mean(terms: Tensor, weight: Tensor) -> Tensor:
    """Mean of terms (N,) by their weights (N,); 0 where there are none."""
    return (terms * weight).sum() / weight.sum().clamp(min=1.0)


def box_distances(found: Tensor, true: Tensor, cell_m: float) -> Tensor:
    """(N,) Hellinger distances of boxes as normal distributions (ProbIoU, Llerena et al., 2021).

    Unlike errors of single numbers they grow as the overlap shrinks: an offset counts by the size
    of the box, an angle by how long and narrow the box is.

    Args:
        found: (N, 8), see `ops.centers.REGRESSION`.
        true: (N, 8) likewise.
        cell_m: Side of a cell, metres.
    """
    flat_found, flat_true = _flat_covariance(found), _flat_covariance(true)  # (N, 3)
    both = 0.5 * (flat_found + flat_true)
    x, y = (cell_m * (found[:, :2] - true[:, :2])).unbind(1)
    across = both[:, 1] * x**2 - 2.0 * both[:, 2] * x * y + both[:, 0] * y**2
    area = _determinant(both)
    distance = 0.125 * across / area + 0.5 * area.log()
    distance = distance - 0.25 * (_determinant(flat_found) * _determinant(flat_true)).log()
    tall_found, tall_true = (_variance(boxes[:, 5]) for boxes in (found, true))
    tall = 0.5 * (tall_found + tall_true)
    distance = distance + 0.125 * (found[:, 2] - true[:, 2]) ** 2 / tall
    distance = distance + 0.5 * tall.log() - 0.25 * (tall_found * tall_true).log()
    return torch.sqrt((1.0 - torch.exp(-distance)).clamp(min=0.0) + _ROUNDED)


def quality_loss(logits: Tensor, distances: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy of how good boxes were said to be with about their overlap with the truth.

    Args:
        logits: (N,).
        distances: (N,) of the same boxes, see `box_distances`.
        weight: (N,), how much each counts.
    """
    overlap = (1.0 - _OVERLAP_SLOPE * distances.detach()).clamp(min=0.0)
    terms = functional.binary_cross_entropy_with_logits(logits, overlap, reduction="none")
    return weighted_mean(terms, weight)


def _variance(log_side: Tensor) -> Tensor:
    """Variance of what is spread evenly along a side whose logarithm is given."""
    return torch.exp(2.0 * log_side.clamp(-3.0, 4.0)) / 12.0


def _flat_covariance(boxes: Tensor) -> Tensor:
    """(N, 3) of x with x, y with y and x with y, for (N, 8) boxes of unit or other sin and cos."""
    axis = functional.normalize(boxes[:, 6:8], dim=1)
    along, across = _variance(boxes[:, 3]), _variance(boxes[:, 4])
    middle, half = 0.5 * (along + across), 0.5 * (along - across)
    return torch.stack(
        [middle + half * axis[:, 1], middle - half * axis[:, 1], half * axis[:, 0]], dim=1
    )


def _determinant(covariance: Tensor) -> Tensor:
    return covariance[:, 0] * covariance[:, 1] - covariance[:, 2] ** 2


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
