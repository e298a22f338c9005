"""What a network costs: operations of one forward pass."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.utils.flop_counter import FlopCounterMode

from spatial_perception.networks.registry import SpatialNetwork


def giga_flops(
    network: SpatialNetwork,
    shapes: Mapping[str, tuple[int, ...]],
    dtypes: Mapping[str, str] | None = None,
) -> float:
    """Operations of one pass over inputs of these shapes, in 1e9, a multiply-add counted as two.

    Convolutions and matrix products are counted; the rest is small beside them.
    """
    named = dtypes or {}
    inputs = {
        name: torch.zeros(shapes[name], dtype=getattr(torch, named.get(name, "float32")))
        for name in network.input_names
    }
    network.eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network.outputs(inputs)
    return counter.get_total_flops() / 1e9
