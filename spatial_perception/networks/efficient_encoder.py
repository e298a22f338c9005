"""EfficientNet-Lite0 as an encoder: inverted residual blocks without squeeze-and-excitation.

Tan and Le, 2019, in the variant for edge devices (ReLU6, fixed stem) that Google published in 2020
with weights under Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from spatial_perception.networks.layers import Normalize

_EPSILON, _MOMENTUM = 1e-3, 0.01  # of batch normalization, as published
_STEM_WIDTH = 32
# expansion, kernel, stride, channels of each block
_BLOCKS = (
    (1, 3, 1, 16),
    (6, 3, 2, 24),
    (6, 3, 1, 24),
    (6, 5, 2, 40),
    (6, 5, 1, 40),
    (6, 3, 2, 80),
    (6, 3, 1, 80),
    (6, 3, 1, 80),
    (6, 5, 1, 112),
    (6, 5, 1, 112),
    (6, 5, 1, 112),
    (6, 5, 2, 192),
    (6, 5, 1, 192),
    (6, 5, 1, 192),
    (6, 5, 1, 192),
    (6, 3, 1, 320),
)
_LEVEL_ENDS = (0, 2, 4, 10)  # the last block of strides 2, 4, 8 and 16; the rest is stride 32
MOST_BLOCKS = len(_BLOCKS)


class EfficientEncoder(nn.Module):
    """Features of a picture at strides 2, 4, 8, 16 and 32.

    Args:
        depth: How many of the sixteen blocks there are, 12 to 16; later ones are all at stride 32.
    """

    def __init__(self, depth: int = 13) -> None:
        super().__init__()
        if not 12 <= depth <= MOST_BLOCKS:
            raise ValueError(f"expected a depth of 12 to {MOST_BLOCKS} blocks, got {depth}")
        self.normalize = Normalize(mean=(127.0,) * 3, std=(128.0,) * 3)
        self.stem = _conv(3, _STEM_WIDTH, 3, stride=2)
        blocks, width = [], _STEM_WIDTH
        for expansion, kernel, stride, channels in _BLOCKS[:depth]:
            blocks.append(InvertedResidual(width, channels, expansion, kernel, stride))
            width = channels
        self.blocks = nn.ModuleList(blocks)
        self.widths: Sequence[int] = (*(_BLOCKS[end][3] for end in _LEVEL_ENDS), width)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Five maps, from fine to coarse, of an RGB picture (B, 3, H, W), 0..255."""
        x = self.stem(self.normalize(image))
        levels = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in _LEVEL_ENDS:
                levels.append(x)
        return [*levels, x]


class InvertedResidual(nn.Module):
    """1x1 that widens, depth-wise convolution, 1x1 that narrows (Sandler et al., 2018)."""

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        inner = expansion * in_channels
        self.expand = _conv(in_channels, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _conv(inner, inner, kernel, stride=stride, groups=inner)
        self.project = _conv(inner, out_channels, 1, activation=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def _conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: bool = True,
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels, eps=_EPSILON, momentum=_MOMENTUM),
        *([nn.ReLU6(inplace=True)] if activation else []),
    )
