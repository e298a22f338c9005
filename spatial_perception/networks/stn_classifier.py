"""Image classifier behind spatial transformers.

Jaderberg et al., Spatial Transformer Networks, 2015; on traffic signs Arcos-Garcia et al., 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_perception.networks.layers import ConvBnAct, Normalize, ResidualBlock, Standardize
from spatial_perception.networks.registry import SpatialNetwork, register


class SpatialTransformer(nn.Module):
    """Resamples its input on an affine grid whose six parameters it reads off the input.

    theta = identity + reach * tanh(localization(x)), so that the transform starts as the identity
    and cannot throw the picture away.

    Args:
        channels: Channels of the input.
        width: Channels of the localization network.
        reach: Largest change of each entry of theta (1 is half the picture).
    """

    identity: Tensor

    def __init__(self, channels: int, width: int, reach: float = 0.6) -> None:
        super().__init__()
        self.localization = nn.Sequential(
            ConvBnAct(channels, width, 5, stride=2),
            ConvBnAct(width, width, 3, stride=2),
            ConvBnAct(width, 2 * width, 3),
            nn.AdaptiveAvgPool2d(4),
            nn.Flatten(),
            nn.Linear(2 * width * 16, 2 * width),
            nn.ReLU(inplace=True),
        )
        self.parameters_of = nn.Linear(2 * width, 6)
        nn.init.zeros_(self.parameters_of.weight)
        nn.init.zeros_(self.parameters_of.bias)
        self.reach = reach
        self.register_buffer("identity", torch.eye(2, 3), persistent=False)

    def theta(self, x: Tensor) -> Tensor:
        """(B, 2, 3) output-to-input transform in coordinates of -1..1 over the picture."""
        change = torch.tanh(self.parameters_of(self.localization(x)).float())
        return self.identity + self.reach * change.view(-1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return warp(x, self.theta(x))


def warp(x: Tensor, theta: Tensor) -> Tensor:
    """`x` (B, C, H, W) sampled bilinearly at theta @ (column, row, 1) of each pixel.

    Outside, the border repeats.

    In single precision: a bf16 coordinate is off by up to an eighth of a pixel in a picture of 32.
    """
    height, width = int(x.shape[-2]), int(x.shape[-1])
    with torch.autocast(x.device.type, enabled=False):
        grid = affine_grid(theta.float(), height, width)
        return functional.grid_sample(
            x.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )


def affine_grid(theta: Tensor, height: int, width: int) -> Tensor:
    """(B, H, W, 2) sampling coordinates (column, row) in -1..1, pixel centres, for theta (B, 2, 3).

    The same as `torch.nn.functional.affine_grid(align_corners=False)`, as one matrix product of
    constants that every runtime takes.
    """
    columns = (torch.arange(width, device=theta.device) * 2 + 1) / width - 1
    rows = (torch.arange(height, device=theta.device) * 2 + 1) / height - 1
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    points = torch.stack([x.flatten(), y.flatten(), torch.ones(height * width, device=x.device)])
    grid = theta @ points.to(theta.dtype)  # (B, 2, H * W)
    return grid.transpose(1, 2).reshape(-1, height, width, 2)


@register("stn_classifier")
class StnClassifier(SpatialNetwork):
    """Two spatial transformers, on the picture and on its features, in a residual network.

    Args:
        classes: Number of classes K.
        width: Channels of the first stage; the second and third have two and four times as many.
        transformers: How many of the two places have a transformer, 0 to 2.
        size: Side of the input crops, pixels.
        dropout: Share of features dropped before the last layer while training.
        standardize: Whether each crop's own brightness and contrast are taken out first, so that
            crops at dusk and against the sun look alike.
    """

    input_names = ("crops",)
    output_names = ("logits",)

    def __init__(
        self,
        classes: int,
        width: int = 32,
        transformers: int = 2,
        size: int = 32,
        dropout: float = 0.3,
        standardize: bool = False,
    ) -> None:
        super().__init__()
        if not 0 <= transformers <= 2:
            raise ValueError(f"transformers: expected 0 to 2, got {transformers}")
        self.size = size
        self.normalize = Normalize()
        self.standardize = Standardize() if standardize else nn.Identity()
        self.image_transformer = (
            SpatialTransformer(3, width // 2) if transformers >= 1 else nn.Identity()
        )
        self.stem = nn.Sequential(ConvBnAct(3, width, 5), ResidualBlock(width, width))
        self.feature_transformer = (
            SpatialTransformer(width, width // 2, reach=0.3) if transformers == 2 else nn.Identity()
        )
        self.body = nn.Sequential(
            ResidualBlock(width, 2 * width, stride=2),
            ResidualBlock(2 * width, 2 * width),
            ResidualBlock(2 * width, 4 * width, stride=2),
            ResidualBlock(4 * width, 4 * width),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(4 * width * 4, classes),
        )

    def forward(self, crops: Tensor) -> Tensor:
        """(B, K) logits of (B, 3, size, size) RGB crops, 0..255."""
        picture = self.image_transformer(self.prepared(crops))
        features = self.feature_transformer(self.stem(picture))
        return self.body(features)

    def prepared(self, crops: Tensor) -> Tensor:
        """(B, 3, size, size) what the first transformer takes, of RGB crops, 0..255."""
        prepared: Tensor = self.standardize(self.normalize(crops))
        return prepared

    @classmethod
    def example_arguments(cls) -> dict[str, object]:
        return {"classes": 5, "width": 8, "dropout": 0.0}

    @classmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        return {"crops": 255.0 * torch.rand(2, 3, 32, 32, generator=generator)}
