"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch

from spatial_perception.networks.registry import SpatialNetwork


class AveragedNetwork:
    """Keeps `network`, a copy whose weights follow the trained ones slowly.

    The decay grows as (1 + n) / (10 + n) up to its value, so that the first random weights are soon
    forgotten. Running statistics of batch normalization are averaged alike, counters are copied.
    """

    def __init__(self, network: SpatialNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: SpatialNetwork, step: int) -> None:
        """Moves the average towards the weights after step `step` (0 is the first)."""
        decay = min(self._decay, (1.0 + step) / (10.0 + step))
        averaged, current = list(self.network.parameters()), list(network.parameters())
        torch._foreach_lerp_(averaged, current, 1.0 - decay)
        for kept, new in zip(self.network.buffers(), network.buffers(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1.0 - decay)
            else:
                kept.copy_(new)
