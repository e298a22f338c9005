"""Classifiers of signs and lights on what is none: how often they say `unknown`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.datasets.lights import LIGHT_LABELS
from spatial_perception.datasets.outliers import background_crops, signsymbol_crops
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.classification import unknown_share
from spatial_perception.evaluation.crop_evaluators import (
    EXAMPLES,
    classified,
    crop_size_px,
    enlarged,
)
from spatial_perception.evaluation.mask_evaluators import camvid_split
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import ModelSpec

_PER_PICTURE = 10
_SEED = 1


def evaluate_camvid_outliers(request: Request, progress: Progress) -> Measurement:
    """A classifier on random crops of CamVid without signs, and on its regions of `signsymbol`.

    Those regions are lights, shop signs and a few British traffic signs; light classifiers, whose
    lights are among them, are not asked about them.
    Without a split: the test where it is there, else the validation.
    """
    split = camvid_split(request)
    frames = request.choose_frames(read_camvid(request.root, split), lambda frame: frame.name)
    size_px = crop_size_px(request)
    parts = {"unknown_background": background_crops(frames, size_px, _PER_PICTURE, _SEED)}
    spec = ModelSpec.load(find_model(request.model))
    if not set(LIGHT_LABELS.names) & {known.name for known in spec.classes}:
        parts["unknown_signsymbol"] = signsymbol_crops(frames, size_px)
    crops = np.concatenate(list(parts.values()))
    if not len(crops):
        raise DatasetError(f"{request.root}: the pictures are full of signs, no crop is none")
    known, said, confidence = classified(request, len(crops), lambda k: crops[k], progress)
    part = np.repeat(np.arange(len(parts)), [len(of_part) for of_part in parts.values()])

    def compute(weights: NDArray[np.int64]) -> dict[str, float]:
        drawn = np.repeat(np.arange(len(crops)), weights)
        values = {
            name: unknown_share(confidence[drawn][part[drawn] == index])
            for index, name in enumerate(parts)
        }
        return {name: value for name, value in values.items() if np.isfinite(value)}

    captions = [
        f"{list(parts)[index].partition('_')[2]}\n{known.name(int(label))} {share:.2f}"
        for index, label, share in zip(part, said, confidence, strict=True)
    ]
    illustration = Illustration(
        captions, confidence, lambda index: enlarged(crops[index]), examples=EXAMPLES
    )
    return Measurement(split, len(crops), compute, illustration)
