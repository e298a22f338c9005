"""Graph convolutional network that names a class for every node of a pyramid of graphs."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from spatial_perception.networks.gcn_layer import GraphConvolution, gather_rows
from spatial_perception.networks.registry import SpatialNetwork, register


class GraphBlock(nn.Module):
    """relu(norm(GCN(x) + x W)), added to x where the number of features stays.

    GCN alone averages over a neighbourhood; beside a node's own features it can form differences
    to it, and so keep edges between classes.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.around = GraphConvolution(in_channels, out_channels, bias=False)
        self.own = nn.Linear(in_channels, out_channels, bias=False)
        self.norm = nn.BatchNorm1d(out_channels)
        self.keeps = in_channels == out_channels

    def forward(self, x: Tensor, neighbours: Tensor, weights: Tensor) -> Tensor:
        y = torch.relu(self.norm(self.around(x, neighbours, weights) + self.own(x)))
        return x + y if self.keeps else y


class _Dense(nn.Sequential):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Linear(in_channels, out_channels, bias=False),
            nn.BatchNorm1d(out_channels),
            nn.ReLU(),
        )


@register("gcn_segmenter")
class GcnSegmenter(SpatialNetwork):
    """A U-shaped network: graph convolutions on each level, max pooling up the pyramid, and back.

    Args:
        features: Features F of a node.
        classes: Number of classes K.
        channels: Width of each level; its length is the number of levels.
        blocks: Graph blocks a level on the way up; the way down has one.
    """

    output_names = ("logits",)

    def __init__(
        self,
        features: int,
        classes: int,
        channels: tuple[int, ...] = (48, 64, 96, 128, 128),
        blocks: int = 2,
    ) -> None:
        super().__init__()
        channels = tuple(channels)
        self.levels = len(channels)
        names = ["features"]
        for level in range(self.levels):
            names += [f"neighbours_{level}", f"weights_{level}"]
        for level in range(self.levels - 1):
            names += [f"children_{level}", f"parents_{level}"]
        self.input_names = tuple(names)  # type: ignore[misc]
        self.scale = nn.BatchNorm1d(features)
        self.embed = _Dense(features, channels[0])
        self.up = nn.ModuleList(
            nn.ModuleList(
                GraphBlock(channels[max(level - 1, 0)] if block == 0 else width, width)
                for block in range(blocks)
            )
            for level, width in enumerate(channels)
        )
        self.lateral = nn.ModuleList(
            nn.Linear(upper, lower, bias=False) for lower, upper in pairwise(channels)
        )
        self.down = nn.ModuleList(GraphBlock(width, width) for width in channels[:-1])
        self.head = nn.Sequential(_Dense(channels[0], channels[0]), nn.Linear(channels[0], classes))

    def forward(self, features: Tensor, *tables: Tensor) -> Tensor:
        """(N_0, K) logits.

        Args:
            features: (N_0, F).
            tables: as `input_names`: neighbours and weights of each level, then children and
                parents between levels (see `ops.graph.PointGraph`).
        """
        edges = [tables[2 * level : 2 * level + 2] for level in range(self.levels)]
        links = tables[2 * self.levels :]
        x, lower = self.embed(self.scale(features)), []
        for level, blocks in enumerate(self.up):
            for block in blocks:
                x = block(x, *edges[level])
            if level < self.levels - 1:
                lower.append(x)
                x = gather_rows(x, links[2 * level]).amax(dim=1)  # (N_{l+1}, C)
        for level in reversed(range(self.levels - 1)):
            spread = torch.index_select(self.lateral[level](x), 0, links[2 * level + 1])
            x = self.down[level](lower[level] + spread, *edges[level])
        return self.head(x)

    @classmethod
    def example_arguments(cls) -> dict[str, object]:
        return {"features": 6, "classes": 4, "channels": (8, 12, 16), "blocks": 1}

    @classmethod
    def example_inputs(cls, generator: torch.Generator) -> dict[str, Tensor]:
        sizes, neighbours = (64, 24, 8), 5
        inputs = {"features": torch.randn(sizes[0], 6, generator=generator)}
        for level, count in enumerate(sizes):
            table = torch.randint(0, count, (count, neighbours), generator=generator)
            inputs[f"neighbours_{level}"] = table.int()
            inputs[f"weights_{level}"] = torch.full((count, neighbours), 1.0 / neighbours)
        for level, (count, upper) in enumerate(pairwise(sizes)):
            parents = torch.arange(count) % upper
            inputs[f"children_{level}"] = torch.stack(
                [torch.nonzero(parents == u).flatten()[:2] for u in range(upper)]
            ).int()
            inputs[f"parents_{level}"] = parents.int()
        return inputs
