import pytest
import torch

from spatial_perception.networks.unet import UNet


@pytest.fixture
def network() -> UNet:
    torch.manual_seed(0)
    return UNet(3, depth=12, decoder_widths=(8, 8, 8, 8)).eval()


@pytest.mark.parametrize("size", [(32, 48), (36, 50), (45, 61)])
def test_logits_have_the_pictures_size_whatever_it_is(network, size):
    assert network(torch.zeros(1, 3, *size)).shape == (1, 3, *size)


def test_the_skips_carry_detail_that_the_bottleneck_cannot(network):
    picture = 255.0 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    whole = network(picture)
    for block in network.decoder:
        kernel = block.mix[0][0].weight
        own = kernel.shape[0]
        kernel.data[:, own:] = 0.0  # what comes over the skip
    without = network(picture)
    fine = (whole - without)[..., ::2, ::2] - (whole - without)[..., 1::2, 1::2]
    assert fine.abs().max() > 1e-3


def test_every_pixel_sees_the_whole_picture(network):
    picture = torch.zeros(1, 3, 96, 96, requires_grad=True)
    network(picture)[0, :, 48, 48].sum().backward()
    assert (picture.grad[0].abs().sum(0) > 0).float().mean() > 0.99


def test_the_decoder_has_a_width_for_each_stage():
    with pytest.raises(ValueError, match="expected 4 decoder widths, got 2"):
        UNet(3, decoder_widths=(8, 8))
