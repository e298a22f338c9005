"""A model's labels told in a data set's labels, by the names of the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.errors import DatasetError


def label_lut(
    model: LabelSet, truth: LabelSet, synonyms: Mapping[str, str] | None = None
) -> NDArray[np.uint8]:
    """(256,) uint8, the truth's label of each of the model's; 255 for a class it does not have.

    Args:
        model: Classes of the model.
        truth: Classes of the data set.
        synonyms: The data set's name of a class by the model's, where they differ.

    Raises:
        DatasetError: If no class is common to both.
    """
    lut = np.full(256, UNLABELED, dtype=np.uint8)
    for label, name in enumerate(model.names):
        plain = name.strip().lower().replace(" ", "_")
        plain = (synonyms or {}).get(plain, plain)
        if plain in truth.names:
            lut[label] = truth.index(plain)
    if np.all(lut == UNLABELED):
        raise DatasetError(
            f"the model knows {_listed(model)}, the data set {_listed(truth)}: no class in common"
        )
    return lut


def _listed(labels: LabelSet) -> str:
    shown = ", ".join(labels.names[:5])
    return f"{shown}, ..." if len(labels) > 5 else shown
