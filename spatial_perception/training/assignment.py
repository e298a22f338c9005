"""Which cells answer for which object (task-aligned, Feng et al., 2021), and the loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou, generalized_box_iou_loss

_SCORE_POWER, _IOU_POWER = 0.5, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """For A cells of one picture: the object of each, and how well it fits.

    Attributes:
        objects: (A,) int64, index of the object, -1 for none.
        targets: (A, K) float32, the class score each cell should give.
    """

    objects: Tensor
    targets: Tensor


@torch.no_grad()
def assign(
    class_scores: Tensor,
    boxes: Tensor,
    centers: Tensor,
    strides: Tensor,
    truth_boxes: Tensor,
    truth_labels: Tensor,
    cells_per_object: int = 10,
) -> Assignment:
    """Gives each object the cells whose score^0.5 * IoU^6 is highest.

    A cell may answer if its centre lies in the object, or within a stride of the object's centre,
    so that objects smaller than a cell have one. A cell claimed twice answers for the object that
    it fits best.

    Args:
        class_scores: (A, K) in 0..1.
        boxes: (A, 4) predicted.
        centers: (A, 2) of the cells, with strides (A, 1), pixels.
        strides: (A, 1).
        truth_boxes: (G, 4).
        truth_labels: (G,) int64.
        cells_per_object: At most so many cells an object.
    """
    targets = torch.zeros_like(class_scores)
    objects = torch.full(class_scores.shape[:1], -1, dtype=torch.int64, device=boxes.device)
    if not len(truth_boxes):
        return Assignment(objects, targets)
    allowed = _near(centers, strides, truth_boxes)  # (G, A)
    overlap = box_iou(truth_boxes, boxes).nan_to_num(0.0) * allowed
    fit = class_scores.T[truth_labels] ** _SCORE_POWER * overlap**_IOU_POWER * allowed
    distance = torch.cdist(_middle(truth_boxes), centers) / strides.T
    rank = torch.where(allowed, fit + 1e-9 / (1.0 + distance), torch.zeros_like(fit))
    best = rank.topk(min(cells_per_object, rank.shape[1]), dim=1).indices
    claimed = torch.zeros_like(allowed).scatter_(1, best, True) & allowed
    claims = torch.where(claimed, overlap + 1e-6 * rank + 1e-9, torch.zeros_like(fit))
    strongest, owner = claims.max(0)
    positive = strongest > 0
    objects[positive] = owner[positive]
    mine = torch.zeros_like(fit).scatter_(0, owner[None], 1.0) * positive
    peak_fit = (fit * mine).amax(1, keepdim=True).clamp(min=1e-9)
    peak_iou = (overlap * mine).amax(1, keepdim=True)
    quality = (fit / peak_fit * peak_iou * mine).amax(0)
    cells = positive.nonzero()[:, 0]
    targets[cells, truth_labels[objects[cells]]] = quality[cells]
    return Assignment(objects, targets)


def detection_loss(
    logits: Tensor,
    boxes: Tensor,
    found: list[Assignment],
    truth_boxes: list[Tensor],
    weights: Tensor,
    box_weight: float,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Binary cross entropy of the scores plus GIoU loss of the boxes, over the sum of the targets.

    Args:
        logits: (B, A, K).
        boxes: (B, A, 4).
        found: One assignment a picture.
        truth_boxes: (G, 4) of each picture.
        weights: (B, A), 0 where the truth is not known.
        box_weight: Weight of the boxes against the scores.
    """
    targets = torch.stack([one.targets for one in found])
    total = targets.sum().clamp(min=1.0)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    easy = (torch.sigmoid(logits.detach()) - targets).abs().clamp(min=1e-4)
    focus = torch.where(targets > 0, torch.ones_like(easy), easy**1.5)
    score_loss = (entropy * focus * weights[..., None]).sum() / total
    box_loss = logits.new_zeros(())
    for one, predicted, truth in zip(found, boxes, truth_boxes, strict=True):
        cells = (one.objects >= 0).nonzero()[:, 0]
        if len(cells):
            quality = one.targets[cells].sum(1)
            wanted = truth[one.objects[cells]]
            loss = generalized_box_iou_loss(predicted[cells], wanted)
            box_loss = box_loss + (loss * quality).sum()
    box_loss = box_loss / total
    return score_loss + box_weight * box_loss, {
        "score": score_loss.detach(),
        "box": box_loss.detach(),
    }


def _near(centers: Tensor, strides: Tensor, boxes: Tensor) -> Tensor:
    """(G, A) bool: the cell's centre lies in the box, or within a stride of its middle."""
    low = centers[None] - boxes[:, None, :2]
    high = boxes[:, None, 2:] - centers[None]
    inside = torch.cat([low, high], 2).amin(2) > 0
    reach = (centers[None] - _middle(boxes)[:, None]).abs().amax(2) < strides.T
    return inside | reach


def _middle(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2.0
