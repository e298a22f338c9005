import pytest
import torch

from spatial_perception.networks.efficient_encoder import EfficientEncoder


def test_maps_come_at_five_strides_with_the_widths_that_are_told():
    encoder = EfficientEncoder().eval()
    maps = encoder(torch.zeros(1, 3, 64, 96))
    assert [tuple(m.shape[2:]) for m in maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
    assert [m.shape[1] for m in maps] == list(encoder.widths) == [16, 24, 40, 112, 192]


def test_the_whole_encoder_has_the_published_number_of_weights():
    encoder = EfficientEncoder(16)
    head = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    total = sum(p.numel() for p in encoder.parameters()) + head
    assert total == 4_652_008  # EfficientNet-Lite0, 4.7 M in its publication


def test_too_few_blocks_are_refused():
    with pytest.raises(ValueError, match="depth of 12 to 16 blocks, got 11"):
        EfficientEncoder(11)
