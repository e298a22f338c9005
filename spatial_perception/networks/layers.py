"""Blocks that the two-dimensional networks share, and folding of batch normalization."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Activation = Literal["relu", "silu", "none"]

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


def activation_layer(name: Activation) -> nn.Module:
    """The activation's module; "none" is the identity."""
    if name == "relu":
        return nn.ReLU(inplace=True)
    return nn.SiLU(inplace=True) if name == "silu" else nn.Identity()


class Normalize(nn.Module):
    """(x - mean) / std of each channel, so that a network takes RGB 0..255 as it comes."""

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        scale = 1.0 / torch.tensor(std).view(1, -1, 1, 1)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) * self.scale


class Standardize(nn.Module):
    """(x - mean) / sqrt(variance + floor) over channels and pixels of each picture.

    Args:
        floor: Variance below which a picture counts as noise; 0.02 after `Normalize` is a standard
            deviation of 8 of 255.
    """

    def __init__(self, floor: float = 0.02) -> None:
        super().__init__()
        self.floor = floor

    def forward(self, image: Tensor) -> Tensor:
        centred = image - image.mean((1, 2, 3), keepdim=True)
        return centred * torch.rsqrt((centred * centred).mean((1, 2, 3), keepdim=True) + self.floor)


class ConvBnAct(nn.Sequential):
    """Convolution (same padding), batch normalization, activation."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        activation: Activation = "relu",
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel,
                stride,
                padding=dilation * (kernel // 2),
                dilation=dilation,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out_channels),
            activation_layer(activation),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., 2016), projected where the shape changes."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBnAct(in_channels, out_channels, 3, stride, dilation=dilation),
            ConvBnAct(out_channels, out_channels, 3, dilation=dilation, activation="none"),
        )
        same = stride == 1 and in_channels == out_channels
        self.shortcut = (
            nn.Identity()
            if same
            else ConvBnAct(in_channels, out_channels, 1, stride, activation="none")
        )
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.body(x) + self.shortcut(x))


class DepthwiseBlock(nn.Sequential):
    """A depth-wise convolution, then a 1x1 that mixes channels (Howard et al., 2017)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int = 1,
        activation: Activation = "relu",
    ) -> None:
        super().__init__(
            ConvBnAct(
                in_channels, in_channels, kernel, stride, groups=in_channels, activation=activation
            ),
            ConvBnAct(in_channels, out_channels, 1, activation=activation),
        )


def fold_batch_norm(network: nn.Module) -> None:
    """Folds batch normalization into the convolution before it in each `nn.Sequential`.

    Changes the network in place. It must be in eval mode; its outputs stay the same up to rounding.
    """
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for i in range(len(module) - 1):
            first, second = module[i], module[i + 1]
            if isinstance(first, nn.Conv2d | nn.Conv3d) and isinstance(
                second, nn.BatchNorm2d | nn.BatchNorm3d
            ):
                module[i] = fuse_conv_bn_eval(first, second)
                module[i + 1] = nn.Identity()


def parameter_count(network: nn.Module) -> int:
    """The number of learnt values."""
    return sum(p.numel() for p in network.parameters())
