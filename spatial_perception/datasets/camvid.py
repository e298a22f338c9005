"""CamVid (Brostow et al., 2009) in the layout of SegNet's release: {train,val,test}, {..}annot.

Masks hold 0..10 for the eleven classes and 11 for void.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import CAMVID_LABELS, UNLABELED
from spatial_perception.datasets.images import image_files, read_labels, read_rgb
from spatial_perception.errors import DatasetError

Split = Literal["train", "val", "test"]
VOID = 11


@dataclass(frozen=True, slots=True)
class CamvidFrame:
    """One picture and its mask, read when asked for."""

    name: str
    image_path: Path
    mask_path: Path

    def image(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return read_rgb(self.image_path)

    def labels(self) -> NDArray[np.uint8]:
        """(H, W) uint8, indices in CAMVID_LABELS, void 255.

        Raises:
            DatasetError: If the mask holds another value.
        """
        mask = read_labels(self.mask_path)
        if mask.max() > VOID:
            raise DatasetError(f"{self.mask_path}: expected classes 0 to {VOID}, got {mask.max()}")
        return np.where(mask == VOID, np.uint8(UNLABELED), mask)

    def pair(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """`image` and `labels`, which are of one size.

        Raises:
            DatasetError: If they are not, or the mask holds another value.
        """
        image, labels = self.image(), self.labels()
        if labels.shape != image.shape[:2]:
            raise DatasetError(
                f"{self.mask_path}: is {labels.shape}, its picture {image.shape[:2]}"
            )
        return image, labels


CLASSES = CAMVID_LABELS


def read_camvid(root: Path, split: Split) -> tuple[CamvidFrame, ...]:
    """The frames of a split, by name.

    Raises:
        DatasetError: If a folder or a mask is missing.
    """
    annotations = root / f"{split}annot"
    frames = []
    for image_path in image_files(root / split):
        mask_path = annotations / f"{image_path.stem}.png"
        if not mask_path.is_file():
            raise DatasetError(f"{mask_path}: no such mask for {image_path.name}")
        frames.append(CamvidFrame(image_path.stem, image_path, mask_path))
    return tuple(frames)
