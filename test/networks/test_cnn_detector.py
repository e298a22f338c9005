import math

import numpy as np
import pytest
import torch

from spatial_perception.networks.cnn_detector import CnnDetector, cell_centers, decode
from spatial_perception.ops.boxes import grid_centers


def test_decode_grows_a_box_around_the_cells_centre():
    sides = torch.log(torch.tensor([[[1.0, 2.0, 3.0, 0.5]]]))
    boxes = decode(sides, torch.tensor([[20.0, 12.0]]), torch.tensor([[8.0]]))
    torch.testing.assert_close(boxes, torch.tensor([[[12.0, -4.0, 44.0, 16.0]]]))


def test_decode_stays_finite():
    boxes = decode(torch.full((1, 1, 4), 1e4), torch.zeros(1, 2), torch.full((1, 1), 32.0))
    assert boxes.abs().max() <= 32.0 * math.exp(5.0) + 1.0


def test_cells_come_level_by_level_row_by_row():
    sizes = [(8, 12), (4, 6), (2, 3)]
    centers, strides = cell_centers(sizes, torch.device("cpu"))
    cells, expected = grid_centers((64, 96), (8, 16, 32))
    np.testing.assert_array_equal(strides[:, 0].numpy(), expected)
    np.testing.assert_array_equal(centers.numpy(), (cells + 0.5) * expected[:, None])


@pytest.mark.parametrize("size", [(64, 96), (96, 224)])
def test_boxes_and_scores_have_a_row_a_cell(size):
    network = CnnDetector(3, 12, 16).eval()
    with torch.inference_mode():
        boxes, scores = network(torch.zeros(1, 3, *size))
    cells = sum((size[0] // s) * (size[1] // s) for s in (8, 16, 32))
    assert boxes.shape == (1, cells, 4)
    assert scores.shape == (1, cells, 3)
    assert ((scores > 0.0) & (scores < 0.2)).all(), "an untrained network must claim nothing"


def test_boxes_move_with_the_picture():
    torch.manual_seed(0)
    network = CnnDetector(3, 12, 16).eval()
    network.context.everywhere[1].weight.data.zero_()
    network.context.everywhere[1].bias.data.zero_()
    picture = torch.zeros(1, 3, 512, 512)
    picture[..., 224:256, 224:256] = 255.0
    with torch.inference_mode():
        before, _ = network(picture)
        after, _ = network(torch.roll(picture, (32, 64), (2, 3)))
    stride, width = 8, 64
    row, column = 240 // stride, 240 // stride
    cell = row * width + column
    moved = (row + 32 // stride) * width + column + 64 // stride
    expected = before[0, cell] + torch.tensor([64.0, 32.0, 64.0, 32.0])
    torch.testing.assert_close(after[0, moved], expected, rtol=1e-3, atol=0.05)
