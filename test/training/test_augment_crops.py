from dataclasses import replace

import pytest
import torch

from spatial_perception.training.augment_crops import CropAugmentation

NOTHING = CropAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def crops() -> torch.Tensor:
    return 255.0 * torch.rand(64, 3, 16, 16, generator=generator(1))


def test_nothing_asked_for_changes_nothing(crops):
    torch.testing.assert_close(NOTHING(crops, generator()), crops, rtol=1e-4, atol=1e-2)


def test_results_are_bytes_in_float(crops):
    changed = CropAugmentation(gain=2.0, noise=60.0)(crops, generator())
    assert changed.shape == crops.shape
    assert changed.min() >= 0.0
    assert changed.max() <= 255.0


def test_the_generator_decides(crops):
    augmentation = CropAugmentation()
    first, second = augmentation(crops, generator(7)), augmentation(crops, generator(7))
    torch.testing.assert_close(first, second)
    assert not torch.allclose(first, augmentation(crops, generator(8)))


def test_a_mirror_image_is_exact_and_for_half_of_the_crops(crops):
    changed = replace(NOTHING, flip=True)(crops, generator())
    mirrored = torch.isclose(changed, crops.flip(3), atol=1e-2).all((1, 2, 3))
    same = torch.isclose(changed, crops, atol=1e-2).all((1, 2, 3))
    assert (mirrored ^ same).all()
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_the_picture_by_no_more_than_asked():
    crops = torch.zeros(50, 3, 32, 32)
    crops[:, :, 14:18, 14:18] = 255.0
    changed = replace(NOTHING, shift=0.25)(crops, generator())
    rows = torch.arange(32.0).view(1, 1, 32, 1)
    mass = changed.sum((1, 2, 3))
    middle = (changed * rows).sum((1, 2, 3)) / mass
    moved = (middle - 15.5).abs()
    assert moved.max() <= 8.1
    assert moved.max() > 4.0


def test_gain_and_tint_keep_the_ratio_of_neighbours(crops):
    changed = replace(NOTHING, gain=0.3)(0.5 * crops + 10.0, generator())
    ratio = changed / (0.5 * crops + 10.0)
    spread = ratio.flatten(1).std(1)
    assert spread.max() < 1e-3
    assert ratio.min() > 0.7


def test_sharpening_raises_edges_and_leaves_flat_parts():
    crops = torch.full((40, 3, 16, 16), 100.0)
    crops[:, :, :, 8:] = 150.0
    changed = replace(NOTHING, sharpen=1.0)(crops, generator())
    torch.testing.assert_close(changed[..., :6], crops[..., :6])
    assert (changed[..., 8] >= 149.9).all()
    assert changed[..., 8].max() > 160.0


def test_a_rectangle_of_one_colour_hides_a_part_of_some_crops(crops):
    changed = replace(NOTHING, erase=0.5)(crops, generator())
    hidden = ~torch.isclose(changed, crops, atol=1e-2).all(1)  # (B, H, W)
    share = hidden.float().mean((1, 2))
    assert 16 < (share > 0).sum() < 48
    assert share.max() <= 0.3
    one = int(share.argmax())
    colors = changed[one, :, hidden[one]]
    torch.testing.assert_close(colors, colors[:, :1].expand_as(colors))
