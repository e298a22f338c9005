import math

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from spatial_perception.networks.stn_classifier import (
    SpatialTransformer,
    StnClassifier,
    affine_grid,
    warp,
)


def pattern(size: int = 32) -> torch.Tensor:
    """(1, 1, size, size): smooth, without symmetry."""
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    blobs = ((9, 12, 3.0, 1.0), (20, 22, 5.0, 0.7), (23, 9, 2.5, -0.8))
    picture = sum(
        h * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * s * s)) for y, x, s, h in blobs
    )
    return torch.from_numpy(np.asarray(picture, np.float32))[None, None]


def turn(angle_deg: float, shift: float) -> torch.Tensor:
    angle = math.radians(angle_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[[cos, -sin, shift], [sin, cos, -shift]]])


def test_affine_grid_is_torchs():
    theta = torch.randn(3, 2, 3, generator=torch.Generator().manual_seed(0))
    expected = functional.affine_grid(theta, [3, 1, 5, 7], align_corners=False)
    torch.testing.assert_close(affine_grid(theta, 5, 7), expected)


def test_warp_is_the_affine_map_of_opencv():
    x, theta = pattern(), turn(25.0, 0.1)
    size = x.shape[-1]
    # -1..1 over the picture -> pixel indices: p = ((n + 1) * size - 1) / 2
    to_pixels = np.array([[size / 2, 0, (size - 1) / 2], [0, size / 2, (size - 1) / 2], [0, 0, 1]])
    theta_square = np.vstack([theta[0].numpy(), [0.0, 0.0, 1.0]])
    source_from_output = to_pixels @ theta_square @ np.linalg.inv(to_pixels)
    expected = cv2.warpAffine(
        x[0, 0].numpy(),
        source_from_output[:2],
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # OpenCV rounds coordinates to 1/32 pixel.
    np.testing.assert_allclose(warp(x, theta)[0, 0].numpy(), expected, atol=0.02)


def test_a_transformer_starts_as_the_identity():
    transformer = SpatialTransformer(3, 8).eval()
    x = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(transformer(x), x, rtol=1e-4, atol=1e-4)


def test_a_transformer_learns_to_undo_a_known_warp():
    torch.manual_seed(0)
    target, true = pattern(), turn(15.0, 0.1)
    warped = warp(target, true)
    transformer = SpatialTransformer(1, 8).train()
    optimizer = torch.optim.Adam(transformer.parameters(), 3e-3)
    batch = warped.repeat(4, 1, 1, 1)
    for _ in range(120):
        loss = functional.mse_loss(transformer(batch), target.expand_as(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = transformer.theta(batch)[0].detach()
    square = torch.cat([true[0], torch.tensor([[0.0, 0.0, 1.0]])])
    expected = torch.linalg.inv(square)[:2]
    torch.testing.assert_close(found, expected, rtol=0.0, atol=0.05)


def test_no_entry_of_theta_leaves_its_reach():
    transformer = SpatialTransformer(3, 8, reach=0.3).eval()
    torch.nn.init.normal_(transformer.parameters_of.weight, std=100.0)
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    change = transformer.theta(x) - torch.eye(2, 3)
    assert change.abs().max() <= 0.3 + 1e-6


@pytest.mark.parametrize("transformers", [0, 1, 2])
def test_the_number_of_transformers_is_an_argument(transformers):
    network = StnClassifier(5, width=8, transformers=transformers)
    found = sum(isinstance(m, SpatialTransformer) for m in network.modules())
    assert found == transformers


def test_standardized_crops_look_alike_at_dusk_and_against_the_sun():
    torch.manual_seed(0)
    crops = 60.0 + 60.0 * torch.rand(3, 3, 32, 32)
    dusk, glare = 0.5 * crops, 1.5 * crops + 20.0
    for standardize, apart in ((True, False), (False, True)):
        network = StnClassifier(5, width=8, standardize=standardize).eval()
        expected = network(crops)
        for other in (network(dusk), network(glare)):
            change = (other - expected).abs().max() / expected.std()
            assert (change > 0.2) == apart, change
