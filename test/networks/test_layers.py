import copy

import pytest
import torch
from torch import nn

from spatial_perception.networks.layers import (
    ConvBnAct,
    DepthwiseBlock,
    Normalize,
    ResidualBlock,
    fold_batch_norm,
    parameter_count,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def blocks() -> list[nn.Module]:
    torch.manual_seed(0)
    made = [ConvBnAct(4, 6), DepthwiseBlock(4, 6), ResidualBlock(4, 6), ResidualBlock(4, 4)]
    for block in made:
        for module in block.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.5, 0.5)
                nn.init.uniform_(module.running_var, 0.5, 2.0)
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.5, 0.5)
        block.eval()
    return made


def test_what_moves_in_the_input_moves_alike_in_the_output(blocks):
    x = random(1, 4, 20, 20)
    moved = torch.roll(x, (3, -2), (2, 3))
    for block in blocks:
        expected = torch.roll(block(x), (3, -2), (2, 3))
        inner = (..., slice(6, -6), slice(6, -6))  # where no border is felt
        torch.testing.assert_close(block(moved)[inner], expected[inner], rtol=1e-4, atol=1e-5)


def test_weights_are_shared_over_positions(blocks):
    small, large = random(1, 4, 8, 8), random(1, 4, 64, 64)
    for block in blocks:
        count = parameter_count(block)
        block(small), block(large)
        assert parameter_count(block) == count
    patch = random(1, 4, 5, 5)
    picture = torch.zeros(1, 4, 16, 16)
    picture[..., 1:6, 1:6] = patch
    picture[..., 9:14, 9:14] = patch
    response = blocks[0](picture)
    torch.testing.assert_close(response[..., 2:5, 2:5], response[..., 10:13, 10:13])


def test_convolution_is_the_sum_over_its_neighbourhood():
    block = ConvBnAct(1, 1, 3, activation="none").eval()
    nn.init.ones_(block[0].weight)
    x = torch.arange(9.0).view(1, 1, 3, 3)
    expected = torch.tensor([[8.0, 15.0, 12.0], [21.0, 36.0, 27.0], [20.0, 33.0, 24.0]])
    torch.testing.assert_close(block(x)[0, 0], expected, rtol=1e-4, atol=1e-4)


def test_adaptive_pooling_takes_the_mean_of_each_part():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    expected = torch.tensor([[2.5, 4.5], [10.5, 12.5]])
    torch.testing.assert_close(nn.AdaptiveAvgPool2d(2)(x)[0, 0], expected)


def test_folding_batch_norm_changes_nothing_but_the_modules(blocks):
    x = random(2, 4, 12, 12)
    for block in blocks:
        folded = copy.deepcopy(block)
        fold_batch_norm(folded)
        torch.testing.assert_close(folded(x), block(x), rtol=1e-4, atol=1e-5)
        assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())


def test_normalize_takes_bytes_to_zero_mean_and_unit_deviation():
    layer = Normalize(mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 5.0))
    image = torch.tensor([12.0, 16.0, 30.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(layer(image).flatten(), torch.tensor([1.0, -1.0, 0.0]))
