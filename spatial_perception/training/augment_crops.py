"""Random geometry and colour for batches of small crops, in tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from spatial_perception.config import option


@dataclass(frozen=True, slots=True)
class CropAugmentation:
    """How far a crop may be changed."""

    rotation_deg: float = option(15.0, help="largest turn", unit="deg", range=(0.0, 180.0))
    scale: float = option(0.2, help="largest relative change of size", range=(0.0, 0.9))
    shift: float = option(0.12, help="largest shift over the side", range=(0.0, 1.0))
    shear: float = option(0.15, help="largest shear", range=(0.0, 1.0))
    gain: float = option(0.6, help="largest change of log brightness", range=(0.0, 3.0))
    contrast: float = option(0.4, help="largest change of log contrast", range=(0.0, 3.0))
    tint: float = option(0.1, help="largest change of log gain of each channel", range=(0.0, 3.0))
    noise: float = option(8.0, help="largest standard deviation of noise, of 255", range=(0, 255))
    blur: float = option(0.3, help="share of crops that are blurred", range=(0.0, 1.0))
    sharpen: float = option(0.0, help="largest gain of edges, as cameras have it", range=(0.0, 3.0))
    erase: float = option(0.0, help="share of crops of which a rectangle is hidden", range=(0, 1))
    flip: bool = option(False, help="mirror half of the crops left to right")

    def __call__(self, crops: Tensor, generator: torch.Generator) -> Tensor:
        """(B, 3, H, W) float 0..255, changed; the same generator state gives the same result."""
        draw = _Draw(len(crops), generator)
        crops = functional.grid_sample(
            crops,
            functional.affine_grid(self._theta(draw), list(crops.shape), align_corners=False),
            padding_mode="reflection",
            align_corners=False,
        )
        soft = functional.avg_pool2d(functional.pad(crops, (1, 1, 1, 1), mode="replicate"), 3, 1)
        sharp = crops + draw.uniform(0.0, self.sharpen) * (crops - soft)
        crops = torch.where(draw.uniform(0, 1) < self.blur, soft, sharp)
        mean = crops.mean((1, 2, 3), keepdim=True)
        crops = mean + (crops - mean) * draw.symmetric(self.contrast).exp()
        crops = crops * draw.symmetric(self.gain).exp()
        crops = crops * draw.symmetric(self.tint, channels=3).exp()
        spread = draw.uniform(0.0, self.noise)
        crops = crops + spread * torch.randn(crops.shape, generator=generator)
        return self._hide(crops, draw).clamp(0.0, 255.0)

    def _hide(self, crops: Tensor, draw: _Draw) -> Tensor:
        """A rectangle of up to half the side in one colour (Zhong et al., Random Erasing, 2020)."""
        if self.erase == 0.0:
            return crops
        height, width = crops.shape[-2:]
        rows = torch.arange(height).view(1, 1, -1, 1)
        columns = torch.arange(width).view(1, 1, 1, -1)
        hidden = draw.uniform(0, 1) < self.erase
        for places, side in ((rows, height), (columns, width)):
            half = side * draw.uniform(0.05, 0.25)
            hidden = hidden & ((places - draw.uniform(0, side)).abs() < half)
        return torch.where(hidden, 255.0 * draw.uniform(0, 1, channels=3), crops)

    def _theta(self, draw: _Draw) -> Tensor:
        angle = draw.symmetric(math.radians(self.rotation_deg)).flatten()
        zoom = draw.symmetric(self.scale).exp().flatten()
        shear = draw.symmetric(self.shear).flatten()
        stretch = draw.symmetric(0.5 * self.scale).exp().flatten()
        mirror = torch.ones_like(angle)
        if self.flip:
            mirror = torch.where(draw.uniform(0, 1).flatten() < 0.5, -mirror, mirror)
        cos, sin = zoom * torch.cos(angle), zoom * torch.sin(angle)
        shift_x, shift_y = (2.0 * draw.symmetric(self.shift).flatten() for _ in range(2))
        rows = [
            torch.stack([mirror * stretch * cos, shear - sin, shift_x], 1),
            torch.stack([mirror * stretch * sin, cos, shift_y], 1),
        ]
        return torch.stack(rows, 1)  # (B, 2, 3)


class _Draw:
    def __init__(self, count: int, generator: torch.Generator) -> None:
        self._count, self._generator = count, generator

    def uniform(self, low: float, high: float, channels: int = 1) -> Tensor:
        """(B, channels, 1, 1) in [low, high)."""
        values = torch.rand(self._count, channels, 1, 1, generator=self._generator)
        return low + (high - low) * values

    def symmetric(self, largest: float, channels: int = 1) -> Tensor:
        """(B, channels, 1, 1) in [-largest, largest)."""
        return self.uniform(-largest, largest, channels)
