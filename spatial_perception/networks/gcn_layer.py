"""Graph convolution with a normalized adjacency (Kipf and Welling, 2017), by gathering."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GraphConvolution(nn.Module):
    """D^-1/2 (A + I) D^-1/2 X W + b over padded tables of neighbours.

    The sum over a node's neighbours is a gather and a product of a row with a matrix, so that
    exported it needs no scatter. Equal to torch_geometric.nn.GCNConv on the same graph.

    Args:
        in_channels: Features of a node before.
        out_channels: Features of a node after.
        bias: Add a bias.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        nn.init.xavier_uniform_(self.weight.weight)

    def forward(self, x: Tensor, neighbours: Tensor, weights: Tensor) -> Tensor:
        """(N, out) features.

        Args:
            x: (N, in).
            neighbours: (N, k + 1) int, rows of `x`; the node itself is one of them.
            weights: (N, k + 1), entries of the normalized adjacency, 0 for unused places.
        """
        gathered = gather_rows(self.weight(x), neighbours)  # (N, k + 1, out)
        summed = torch.matmul(weights.unsqueeze(1).to(gathered.dtype), gathered).squeeze(1)
        return summed if self.bias is None else summed + self.bias


def gather_rows(x: Tensor, table: Tensor) -> Tensor:
    """(N, k, C) rows of `x` (M, C) that `table` (N, k) names."""
    rows = torch.index_select(x, 0, table.reshape(-1))
    return rows.view(table.shape[0], table.shape[1], x.shape[1])
