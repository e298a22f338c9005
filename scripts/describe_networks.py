#!/usr/bin/env python3
"""Prints parameters, operations and receptive field of every model in models/, as a Markdown table.

python scripts/describe_networks.py
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spatial_perception import networks
from spatial_perception.networks.cnn_detector import CnnDetector
from spatial_perception.networks.layers import parameter_count
from spatial_perception.networks.registry import SpatialNetwork
from spatial_perception.runtime.models import find_models_dir, model_names
from spatial_perception.runtime.spec import ModelSpec
from spatial_perception.training.cost import giga_flops

_PICTURES = ("unet", "cnn_detector")


def main() -> None:
    """Prints one row a variant."""
    print("| model | network | parameters | input | GFLOP | receptive field |")
    print("|---|---|---|---|---|---|")
    for name in model_names():
        spec = ModelSpec.load(find_models_dir() / name, check_files=False)
        if spec.network is None:
            continue
        network = networks.build(spec.network.name, **spec.network.arguments).eval()
        field = receptive_field(network) if spec.network.name in _PICTURES else "see text"
        for variant in spec.variants:
            shapes = {key: tensor.shape for key, tensor in variant.inputs.items()}
            dtypes = {key: tensor.dtype for key, tensor in variant.inputs.items()}
            first = "x".join(map(str, next(iter(shapes.values()))))
            size = f"{parameter_count(network) / 1e6:.2f} M"
            cost = f"{giga_flops(network, shapes, dtypes):.2f}"
            print(f"| {name} | {spec.network.name} | {size} | {first} | {cost} | {field} |")


def receptive_field(network: SpatialNetwork, side: int = 1024) -> str:
    """Rows of the picture that the middle output depends on, without the global mean.

    All weights are made positive, so that no path cancels another or dies in a ReLU; the gradient
    of the output then is positive exactly where the picture matters.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1.0 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.ReLU6):
            module.max_val = 1e9  # saturated it would hide what lies behind
    nn.init.zeros_(network.context.everywhere[1].weight)  # type: ignore[union-attr,index]
    picture = torch.full((1, 3, side, side), 255.0, requires_grad=True)
    _middle(network, picture, side).backward()
    assert picture.grad is not None
    rows = (picture.grad[0].abs().amax((0, 2)) > 0).nonzero()
    return f"{int(rows.max() - rows.min()) + 1} px"


def _middle(network: SpatialNetwork, picture: Tensor, side: int) -> Tensor:
    """The scores of the middle pixel, or of the middle cell of a detector's coarsest level."""
    if isinstance(network, CnnDetector):
        cells = side // 32
        return network.raw(picture)[0][0, -cells * cells + (cells // 2) * (cells + 1)].sum()
    return network(picture)[0, :, side // 2, side // 2].sum()


if __name__ == "__main__":
    main()
