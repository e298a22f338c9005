"""Dense 3D convolutional network over voxels: boxes in bird's-eye view, semantic occupancy."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from spatial_perception.networks.layers import ConvBnAct
from spatial_perception.networks.registry import SpatialNetwork, register


class Conv3dBnAct(nn.Sequential):
    """3D convolution with a stride along z alone, batch normalization, ReLU.

    Args:
        in_channels: Channels before.
        out_channels: Channels after.
        stride_z: Stride along z.
        whole_depth: With this depth, one 1x1 kernel over all of z in place of 3x3x3.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride_z: int = 1, whole_depth: int = 0
    ) -> None:
        kernel = (whole_depth, 1, 1) if whole_depth else (3, 3, 3)
        padding = 0 if whole_depth else 1
        super().__init__(
            nn.Conv3d(in_channels, out_channels, kernel, (stride_z, 1, 1), padding, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.ReLU(inplace=True),
        )


@register("voxel_network")
class VoxelNetwork(SpatialNetwork):
    """3D stages, then a bird's-eye pyramid of strides 1, 2 and 4, then five heads.

    Args:
        in_channels: Channels of a voxel.
        depth: Voxels along z.
        classes: Classes of boxes.
        stages: (channels, stride along z) of each 3D convolution.
        widths: Channels of the bird's-eye pyramid at strides 1, 2 and 4.
        blocks: Convolutions at each of them.
        occupancy_classes: Classes of the occupancy head, free the last one.
        occupancy_depth: Voxels of the occupancy head along z.
        occupancy_window: First and last (exclusive) row and column of the grid that the occupancy
            output covers; everything where None.
    """

    input_names = ("voxels",)
    output_names = ("heatmap", "regression", "heading", "quality", "occupancy")

    def __init__(
        self,
        in_channels: int = 8,
        depth: int = 8,
        classes: int = 4,
        stages: tuple[tuple[int, int], ...] = ((32, 2), (32, 2)),
        widths: tuple[int, int, int] = (32, 64, 128),
        blocks: tuple[int, int, int] = (1, 3, 4),
        occupancy_classes: int = 10,
        occupancy_depth: int = 12,
        occupancy_window: tuple[int, int, int, int] | None = None,
    ) -> None:
        super().__init__()
        self.occupancy_shape = (occupancy_classes, occupancy_depth)
        self.window = occupancy_window
        volume, channels = [], in_channels
        for out_channels, stride_z in stages:
            volume.append(Conv3dBnAct(channels, out_channels, stride_z))
            channels, depth = out_channels, math.ceil(depth / stride_z)
        self.volume = nn.Sequential(*volume)
        self.flatten = Conv3dBnAct(channels, widths[0], whole_depth=depth)
        self.scales = nn.ModuleList()
        for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            below = widths[max(level - 1, 0)]
            stride = 2 if level else 1
            convolutions = [ConvBnAct(below, width, 3, stride)]
            convolutions += [ConvBnAct(width, width) for _ in range(count - 1)]
            self.scales.append(nn.Sequential(*convolutions))
        self.lateral = nn.ModuleList(
            ConvBnAct(above, below, 1) for below, above in pairwise(widths)
        )
        self.merge = nn.ModuleList(ConvBnAct(width, width) for width in widths[:-1])
        self.heatmap = nn.Conv2d(widths[0], classes, 1)
        self.regression = nn.Conv2d(widths[0], 8, 1)
        self.heading = nn.Conv2d(widths[0], 2, 1)
        self.quality = nn.Conv2d(widths[0], 1, 1)
        self.occupancy = nn.Conv2d(widths[0], occupancy_classes * occupancy_depth, 1)
        nn.init.constant_(self.heatmap.bias, -4.6)  # a share of 1 % of cells are centres

    def forward(self, voxels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Heatmap (B, K, Y, X), regression (B, 8, Y, X), heading (B, 2, Y, X), quality, occupancy.

        Heatmap and quality (B, 1, Y, X) are in 0..1, the occupancy logits (B, classes, Z, Y, X),
        over the window alone where there is one.

        Args:
            voxels: (B, C, Z, Y, X), Y and X multiples of 4.
        """
        features = self.features(voxels)
        seen = features
        if self.window is not None:
            first_row, last_row, first_column, last_column = self.window
            seen = features[:, :, first_row:last_row, first_column:last_column]
        return (
            torch.sigmoid(self.heatmap(features)),
            self.regression(features),
            self.heading(features),
            torch.sigmoid(self.quality(features)),
            self.occupancy_logits(seen),
        )

    def features(self, voxels: Tensor) -> Tensor:
        """(B, C, Y, X) features from which every head reads."""
        x = self.volume(voxels)  # (B, C, Z', Y, X)
        x = self.flatten(x).squeeze(2)  # (B, C, Y, X)
        levels = []
        for scale in self.scales:
            x = scale(x)
            levels.append(x)
        for level in reversed(range(len(levels) - 1)):
            coarse = functional.interpolate(self.lateral[level](x), scale_factor=2.0)
            x = self.merge[level](levels[level] + coarse)
        return x

    def occupancy_logits(self, features: Tensor) -> Tensor:
        """(B, classes, Z, Y, X) logits of the occupancy head."""
        return self.occupancy(features).unflatten(1, self.occupancy_shape)

    @classmethod
    def example_arguments(cls) -> dict[str, object]:
        return {
            "in_channels": 2,
            "depth": 4,
            "stages": ((8, 2), (8, 2)),
            "widths": (8, 8, 16),
            "blocks": (1, 1, 1),
            "occupancy_depth": 3,
            "occupancy_window": (0, 8, 4, 16),
        }

    @classmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        occupied = torch.rand(1, 2, 4, 16, 24, generator=generator) > 0.8
        return {"voxels": occupied.float()}
