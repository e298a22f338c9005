"""Real labelled scans that a LiDAR training may use beside simulated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spatial_perception.config import option
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.point_scans import (
    PointScanSource,
    kitti_point_scans,
    range_image_scans,
)

_READERS: dict[str, Callable[[Path, str], list[PointScanSource]]] = {
    "semantickitti": kitti_point_scans,
    "range_images": range_image_scans,
}


@dataclass(frozen=True, slots=True)
class RealScanConfig:
    """One source of real labelled scans; layouts, splits and names as of `evaluate`."""

    dataset: Literal["semantickitti", "range_images"] = option(help="which layout")
    root: str = option(help="folder or file, relative to the root of the simulated shards")
    licence: str = option(help="licence of the data, for model.yaml")
    split: str = option("all", help="part of the data set")
    held: tuple[str, ...] = option((), help="names of scans that validate and do not train")


@dataclass(frozen=True, slots=True, eq=False)
class RealScans:
    """The scans of all sources.

    Attributes:
        train: What trains.
        held: What validates.
        description: One entry a source, for model.yaml.
    """

    train: list[PointScanSource]
    held: list[PointScanSource]
    description: tuple[str, ...]


def find_real_scans(configs: tuple[RealScanConfig, ...], data_root: Path) -> RealScans:
    """The scans of each source, in the order of the configuration.

    Args:
        configs: The sources.
        data_root: What their roots are relative to.

    Raises:
        DatasetError: If a source or a scan that is to be held back is not there.
    """
    train: list[PointScanSource] = []
    held: list[PointScanSource] = []
    description = []
    for config in configs:
        root = data_root / config.root
        scans = _READERS[config.dataset](root, config.split)
        missing = sorted({*config.held} - {scan.name for scan in scans})
        if missing:
            raise DatasetError(f"{root}: no scan {', '.join(missing)} to hold back")
        held += [scan for scan in scans if scan.name in config.held]
        kept = [scan for scan in scans if scan.name not in config.held]
        train += kept
        description.append(f"{len(kept)} real scans of {config.dataset} ({config.split})")
    return RealScans(train, held, tuple(description))
