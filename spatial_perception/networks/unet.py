"""U-Net: encoder, decoder and skip connections (Ronneberger et al., 2015)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_perception.networks.efficient_encoder import EfficientEncoder
from spatial_perception.networks.layers import ConvBnAct
from spatial_perception.networks.registry import SpatialNetwork, register


class Context(nn.Module):
    """Each place at several distances: depth-wise convolutions of growing dilation, the mean."""

    def __init__(self, channels: int, dilations: Sequence[int] = (1, 2, 4)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            ConvBnAct(channels, channels, 3, groups=channels, dilation=dilation)
            for dilation in dilations
        )
        self.everywhere = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True)
        )
        self.mix = ConvBnAct(len(dilations) * channels, channels, 1, activation="none")
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        near = self.mix(torch.cat([branch(x) for branch in self.branches], 1))
        return self.activation(x + near + self.everywhere(x))


class UpBlock(nn.Module):
    """Enlarges the deeper features to the skip's size, joins both, and mixes them."""

    def __init__(self, deep_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.reduce = ConvBnAct(deep_channels, out_channels, 1)
        self.mix = nn.Sequential(
            ConvBnAct(out_channels + skip_channels, out_channels, 3),
            ConvBnAct(out_channels, out_channels, 3),
        )

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        return self.mix(torch.cat([enlarge(self.reduce(deep), skip), skip], 1))


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """`x` resampled bilinearly to the height and width of `like`."""
    size = [int(like.shape[-2]), int(like.shape[-1])]
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


@register("unet")
class UNet(SpatialNetwork):
    """Class scores of every pixel.

    The encoder hands on its maps at strides 2, 4, 8, 16 and 32; the decoder comes back to half
    resolution, and the scores are enlarged to the picture.

    Args:
        classes: Number of classes K.
        depth: Blocks of the `EfficientEncoder`.
        decoder_widths: Channels of the decoder's four stages, from fine to coarse.
    """

    input_names = ("image",)
    output_names = ("logits",)

    def __init__(
        self,
        classes: int,
        depth: int = 13,
        decoder_widths: Sequence[int] = (32, 48, 64, 96),
    ) -> None:
        super().__init__()
        if len(decoder_widths) != 4:
            raise ValueError(f"expected 4 decoder widths, got {len(decoder_widths)}")
        self.encoder = EfficientEncoder(depth)
        widths = self.encoder.widths
        self.context = Context(widths[-1])
        deeper = (*decoder_widths[1:], widths[-1])
        self.decoder = nn.ModuleList(
            UpBlock(deeper[i], widths[i], decoder_widths[i]) for i in range(len(decoder_widths))
        )
        self.classify = nn.Conv2d(decoder_widths[0], classes, 1)
        self.auxiliary = nn.Conv2d(decoder_widths[-1], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(B, K, H, W) logits of an RGB picture (B, 3, H, W), 0..255."""
        return enlarge(self.coarse_logits(image)[0], image)

    def coarse_logits(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, K, H/2, W/2) logits, and those of the decoder's coarsest stage, for training."""
        *skips, deepest = self.encoder(image)
        x = self.context(deepest)
        coarsest = len(self.decoder) - 1
        auxiliary = x
        for i in range(coarsest, -1, -1):
            x = self.decoder[i](x, skips[i])
            if i == coarsest:
                auxiliary = x
        return self.classify(x), self.auxiliary(auxiliary)

    @classmethod
    def example_arguments(cls) -> dict[str, object]:
        return {"classes": 3, "depth": 12, "decoder_widths": (8, 8, 8, 8)}

    @classmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        return {"image": 255.0 * torch.rand(1, 3, 36, 48, generator=generator)}
