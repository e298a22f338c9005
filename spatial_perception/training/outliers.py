"""Outlier exposure: crops of no class teach a classifier when to doubt.

D. Hendrycks, M. Mazeika, T. Dietterich: Deep Anomaly Detection with Outlier Exposure (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spatial_perception.config import option
from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.datasets.outliers import background_crops, crops_in, signsymbol_crops
from spatial_perception.errors import ConfigError
from spatial_perception.training.task import sample_generator

_VALIDATION_CROPS = 10
_TRAINING_SEED, _VALIDATION_SEED = 0, 1


@dataclass(frozen=True, slots=True)
class OutlierConfig:
    """Which crops show nothing of the classes; none are shown where no folder is named."""

    camvid: str = option("", help="root of CamVid: random crops without signs and lights")
    signsymbol: bool = option(
        False, help="its regions of signsymbol, too; not for lights, which are among them"
    )
    crops: tuple[str, ...] = option((), help="folders of other crops, searched through")
    per_picture: int = option(40, help="random crops of a CamVid picture", range=(1, 10000))
    share: float = option(0.25, help="crops a step, over those of the batch", range=(0.0, 10.0))
    weight: float = option(0.5, help="of their loss", range=(0.0, 100.0))
    source: str = option("", help="what they are, for model.yaml")
    licence: str = option("", help="their licence, for model.yaml")


class Outliers:
    """Crops for training, and held-out ones of CamVid's validation pictures.

    Args:
        config: Where they come from.
        size_px: Side of the crops.
        batch_size: Crops of known classes a step.

    Attributes:
        validation: (M, size_px, size_px, 3) uint8 RGB.

    Raises:
        ConfigError: If their source or licence is not named.
        DatasetError: If a folder is missing or holds no pictures.
    """

    def __init__(self, config: OutlierConfig, size_px: int, batch_size: int) -> None:
        self.validation: NDArray[np.uint8] = np.empty((0, size_px, size_px, 3), np.uint8)
        banks = [crops_in(Path(folder), size_px) for folder in config.crops]
        if config.camvid:
            root = Path(config.camvid)
            training, held_out = read_camvid(root, "train"), read_camvid(root, "val")
            banks.append(background_crops(training, size_px, config.per_picture, _TRAINING_SEED))
            self.validation = background_crops(
                held_out, size_px, _VALIDATION_CROPS, _VALIDATION_SEED
            )
            if config.signsymbol:
                banks.append(signsymbol_crops(training, size_px))
        self._banks = [bank for bank in banks if len(bank)]
        self._count = round(config.share * batch_size) if self._banks else 0
        if self._count and not (config.source and config.licence):
            raise ConfigError("outliers: name their source and licence, which go into model.yaml")

    def batch(self, seed: int, step: int) -> NDArray[np.uint8]:
        """(O, size_px, size_px, 3) uint8 RGB, each source as often as any other."""
        if not self._count:
            return self.validation[:0]
        generator = sample_generator(seed, step)
        sources = generator.integers(0, len(self._banks), self._count)
        banks = [self._banks[source] for source in sources]
        return np.stack([bank[generator.integers(0, len(bank))] for bank in banks])


def evenness_loss(logits: Tensor) -> Tensor:
    """Cross entropy of (O, K) logits against the even distribution, a scalar."""
    return (logits.logsumexp(1) - logits.mean(1)).mean()
