"""Anchor-free multi-scale detector: encoder, feature pyramid, decoupled heads, one pass.

Each cell of three levels gives the distances to the four sides of one box (Tian et al., 2019) and a
score a class; the boxes are decoded in the graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_perception.networks.efficient_encoder import EfficientEncoder
from spatial_perception.networks.layers import ConvBnAct, DepthwiseBlock
from spatial_perception.networks.registry import SpatialNetwork, register
from spatial_perception.networks.unet import Context

STRIDES = (8, 16, 32)
_RARE = 0.01
_LARGEST_LOG = 5.0


class Pyramid(nn.Module):
    """Passes what coarse levels know down to the fine ones (Lin et al., 2017), and back up."""

    def __init__(self, in_channels: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(ConvBnAct(channels, width, 1) for channels in in_channels)
        levels = range(len(in_channels) - 1)
        self.down = nn.ModuleList(DepthwiseBlock(width, width, 5) for _ in levels)
        self.shrink = nn.ModuleList(DepthwiseBlock(width, width, 3, stride=2) for _ in levels)
        self.up = nn.ModuleList(DepthwiseBlock(width, width, 5) for _ in levels)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """One map of `width` channels for each map, from fine to coarse."""
        levels = [lateral(x) for lateral, x in zip(self.lateral, features, strict=True)]
        for i in range(len(levels) - 2, -1, -1):
            size = [int(levels[i].shape[-2]), int(levels[i].shape[-1])]
            coarse = functional.interpolate(levels[i + 1], size=size, mode="nearest")
            levels[i] = self.down[i](levels[i] + coarse)
        for i in range(len(levels) - 1):
            levels[i + 1] = self.up[i](levels[i + 1] + self.shrink[i](levels[i]))
        return levels


class Head(nn.Module):
    """Class scores and side distances of each cell of one level."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.class_features = nn.Sequential(
            DepthwiseBlock(width, width, 5), DepthwiseBlock(width, width, 5)
        )
        self.box_features = nn.Sequential(
            DepthwiseBlock(width, width, 5), DepthwiseBlock(width, width, 5)
        )
        self.scores = nn.Conv2d(width, classes, 1)
        self.sides = nn.Conv2d(width, 4, 1)
        nn.init.constant_(self.scores.bias, math.log(_RARE / (1.0 - _RARE)))  # type: ignore[arg-type]
        nn.init.constant_(self.sides.bias, 0.5)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, H * W, K) class logits and (B, H * W, 4) log distances in strides."""
        scores = self.scores(self.class_features(x)).flatten(2).transpose(1, 2)
        sides = self.sides(self.box_features(x)).flatten(2).transpose(1, 2)
        return scores, sides


@register("cnn_detector")
class CnnDetector(SpatialNetwork):
    """Boxes of objects in a picture.

    Args:
        classes: Number of classes K.
        depth: Blocks of the `EfficientEncoder`.
        neck_width: Channels of the pyramid and the heads.
    """

    input_names = ("image",)
    output_names = ("boxes", "scores")

    def __init__(
        self,
        classes: int,
        depth: int = 13,
        neck_width: int = 80,
    ) -> None:
        super().__init__()
        self.encoder = EfficientEncoder(depth)
        widths = self.encoder.widths
        self.context = Context(widths[-1])
        self.pyramid = Pyramid(widths[2:], neck_width)
        self.heads = nn.ModuleList(Head(neck_width, classes) for _ in STRIDES)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (B, A, 4) left top right bottom in input pixels, and scores (B, A, K) in 0..1.

        A is the number of cells of all levels, from fine to coarse, row by row.
        """
        logits, boxes = self.raw(image)
        return boxes, torch.sigmoid(logits.float())

    def raw(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits (B, A, K) and boxes (B, A, 4) of an RGB picture (B, 3, H, W), 0..255."""
        features = self.encoder(image)[2:]
        features[-1] = self.context(features[-1])
        levels = self.pyramid(features)
        outputs = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        sizes = [(int(level.shape[-2]), int(level.shape[-1])) for level in levels]
        centers, strides = cell_centers(sizes, image.device)
        logits = torch.cat([scores for scores, _ in outputs], 1)
        sides = torch.cat([sides for _, sides in outputs], 1)
        return logits, decode(sides, centers, strides)

    @classmethod
    def example_arguments(cls) -> dict[str, object]:
        return {"classes": 3, "depth": 12, "neck_width": 16}

    @classmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        return {"image": 255.0 * torch.rand(1, 3, 64, 96, generator=generator)}


def cell_centers(
    sizes_hw: Sequence[tuple[int, int]], device: torch.device
) -> tuple[Tensor, Tensor]:
    """(A, 2) centres (x, y) in input pixels and (A, 1) strides of the cells of all levels."""
    centers, strides = [], []
    for (height, width), stride in zip(sizes_hw, STRIDES, strict=True):
        y, x = torch.meshgrid(
            torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
        )
        centers.append((torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((height * width, 1), float(stride), device=device))
    return torch.cat(centers), torch.cat(strides)


def decode(sides: Tensor, centers: Tensor, strides: Tensor) -> Tensor:
    """(B, A, 4) boxes, in single precision: centre -+ exp(log distance) strides."""
    distances = torch.exp(sides.float().clamp(max=_LARGEST_LOG)) * strides
    return torch.cat([centers - distances[..., :2], centers + distances[..., 2:]], -1)
