"""Crops of traffic lights: ROOT/[training/]red, yellow, green/*.jpg, a folder a class."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_perception.core.labels import LabelSet
from spatial_perception.datasets.images import LabelledCrops, image_files
from spatial_perception.errors import DatasetError

Split = Literal["train", "val", "trainval", "test"]

LIGHT_LABELS = LabelSet(
    ("red", "yellow", "green"),
    np.array([(255, 60, 60), (255, 200, 40), (60, 220, 90)], np.uint8),
)
VALIDATION_EVERY = 5
"""A fifth of the training files validates, chosen by the checksum of the name."""


def read_lights(root: Path, split: Split) -> LabelledCrops:
    """The files and classes of a split.

    "train" and "val" part ROOT/training (or ROOT itself); "test" is ROOT/test where that folder
    exists, else every file of ROOT.

    Raises:
        DatasetError: If a class's folder is missing or empty.
    """
    every = _folder_per_class(_split_folder(root, split))
    if split in ("trainval", "test"):
        return every
    validates = np.array(
        [zlib.crc32(path.stem.encode()) % VALIDATION_EVERY == 0 for path in every.paths]
    )
    return every.selected(validates if split == "val" else ~validates)


def _split_folder(root: Path, split: Split) -> Path:
    names = ("test", "testing") if split == "test" else ("training", "train")
    return next((root / name for name in names if (root / name).is_dir()), root)


def _folder_per_class(folder: Path) -> LabelledCrops:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; it must hold red, yellow and green")
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(LIGHT_LABELS.names):
        files = image_files(folder / name)
        paths += files
        labels += [label] * len(files)
    return LabelledCrops(tuple(paths), np.array(labels, np.uint8), LIGHT_LABELS)
