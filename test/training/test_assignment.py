import pytest
import torch
from torch.nn import functional

from spatial_perception.networks.cnn_detector import cell_centers
from spatial_perception.training.assignment import Assignment, assign, detection_loss

CENTERS, STRIDES = cell_centers([(8, 8), (4, 4), (2, 2)], torch.device("cpu"))


def boxes_around(size: float) -> torch.Tensor:
    return torch.cat([CENTERS - size / 2, CENTERS + size / 2], 1)


def run(truth: list[list[float]], labels: list[int], predicted: torch.Tensor) -> Assignment:
    scores = torch.full((len(CENTERS), 3), 0.1)
    boxes = torch.tensor(truth).reshape(-1, 4)
    return assign(scores, predicted, CENTERS, STRIDES, boxes, torch.tensor(labels).long())


def test_cells_answer_for_the_object_they_lie_in():
    found = run([[0, 0, 24, 24], [40, 40, 60, 60]], [0, 2], boxes_around(22.0))
    for number, box in enumerate(([0, 0, 24, 24], [40, 40, 60, 60])):
        cells = (found.objects == number).nonzero()[:, 0]
        assert 1 <= len(cells) <= 10
        reach = STRIDES[cells]
        middle = torch.tensor([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        near = ((CENTERS[cells] - middle).abs() < torch.maximum(reach, torch.tensor(12.0))).all()
        assert near
    assert found.targets[found.objects == 0, 0].min() >= 0.0
    assert found.targets[found.objects == 1, :2].sum() == 0.0
    assert found.targets[found.objects == -1].sum() == 0.0


def test_the_best_cells_target_is_its_overlap():
    truth = [[4.0, 4.0, 20.0, 20.0]]
    found = run(truth, [1], boxes_around(16.0))
    best = found.targets[:, 1].argmax()
    assert CENTERS[best].tolist() == [12.0, 12.0]
    assert found.targets[best, 1].item() == pytest.approx(1.0, abs=1e-4)


def test_an_object_smaller_than_every_cell_has_one():
    found = run([[9.0, 9.0, 10.0, 10.0]], [0], boxes_around(6.0))
    assert (found.objects == 0).any()


def test_without_objects_no_cell_answers():
    found = run([], [], boxes_around(16.0))
    assert (found.objects == -1).all()
    assert found.targets.sum() == 0.0


def test_a_perfect_answer_costs_next_to_nothing():
    truth = torch.tensor([[4.0, 4.0, 20.0, 20.0]])
    predicted = boxes_around(16.0)
    found = run(truth.tolist(), [1], predicted)
    predicted = torch.where(found.objects[:, None] >= 0, truth, predicted)
    targets = (found.objects >= 0).float()
    sure = Assignment(found.objects, functional.one_hot(torch.tensor(1), 3) * targets[:, None])
    logits = torch.where(sure.targets > 0, 20.0, -20.0)
    known = torch.ones(1, len(CENTERS))
    good, _ = detection_loss(logits[None], predicted[None], [sure], [truth], known, 2.0)
    bad, _ = detection_loss(-logits[None], predicted[None] + 8, [sure], [truth], known, 2.0)
    assert good.item() < 1e-3
    assert bad.item() > 1.0


def test_what_is_not_known_is_not_punished():
    nothing = run([], [], boxes_around(16.0))
    logits = torch.zeros(1, len(CENTERS), 3)
    logits[0, 5] = 10.0  # claims an object
    truth = torch.zeros(0, 4)
    known = torch.ones(1, len(CENTERS))
    punished, _ = detection_loss(logits, boxes_around(16.0)[None], [nothing], [truth], known, 2.0)
    known[0, 5] = 0.0
    spared, _ = detection_loss(logits, boxes_around(16.0)[None], [nothing], [truth], known, 2.0)
    assert punished.item() > spared.item() + 10.0
