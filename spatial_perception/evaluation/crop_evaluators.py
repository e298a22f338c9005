"""Classifiers of signs and lights on labelled crops."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import LabelSet
from spatial_perception.datasets.gtsrb import Split, read_gtsrb
from spatial_perception.datasets.images import LabelledCrops, read_rgb, resize_crop
from spatial_perception.datasets.lights import read_lights
from spatial_perception.evaluation.classification import calibration_error
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.evaluation.segmentation import ConfusionMatrix
from spatial_perception.pipelines.crop_classifier import CropClassifier, CropClassifierConfig
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import ModelSpec

SPLITS: tuple[Split, ...] = ("train", "val", "trainval", "test")
_CHUNK = 64
_SHOWN_PX = 160
EXAMPLES = 24


def evaluate_gtsrb(request: Request, progress: Progress) -> Measurement:
    """A sign classifier on the German Traffic Sign Recognition Benchmark.

    Without a split: the test where it is there, else a fifth of the training tracks.
    """
    default: Split = "test" if (request.root / "Final_Test").is_dir() else "val"
    split = request.choose_split(default, SPLITS)
    return _evaluate(request, split, read_gtsrb(request.root, split), progress)


def evaluate_lights(request: Request, progress: Progress) -> Measurement:
    """A light classifier on crops of traffic lights.

    Without a split: every crop of a root that has no training part, the test where there is one,
    else a fifth of the training crops.
    """
    folders = {path.name for path in request.root.glob("*/")}
    only_training = folders & {"train", "training"} and not folders & {"test", "testing"}
    default: Split = "val" if only_training else "test"
    split = request.choose_split(default, SPLITS)
    return _evaluate(request, split, read_lights(request.root, split), progress)


def _evaluate(
    request: Request, split: str, crops: LabelledCrops, progress: Progress
) -> Measurement:
    chosen = request.choose_frames(range(len(crops)), lambda index: _name(crops.paths[index]))
    paths, truth = [crops.paths[index] for index in chosen], crops.labels[chosen]
    names = crops.label_set.names
    known, said, confidence = classified(
        request, len(paths), lambda index: read_rgb(paths[index]), progress
    )
    answers = label_lut(known, crops.label_set)[said]
    right = answers == truth

    def compute(weights: NDArray[np.int64]) -> dict[str, float]:
        drawn = np.repeat(np.arange(len(truth)), weights)
        error = calibration_error(confidence[drawn], right[drawn])
        return {"accuracy": 100.0 * float(right[drawn].mean()), "ece": error}

    matrix = ConfusionMatrix(names)
    matrix.add(answers, truth)
    captions = [
        f"{_name(path)}: {names[actual]},\nsaid {crops.label_set.name(int(answer))}"
        for path, actual, answer in zip(paths, truth, answers, strict=True)
    ]
    illustration = Illustration(
        captions,
        np.where(right, 1.0 - confidence, confidence),
        lambda index: enlarged(read_rgb(paths[index])),
        confusion=matrix.counts,
        classes=names,
        examples=EXAMPLES,
    )
    return Measurement(split, len(truth), compute, illustration)


def classified(
    request: Request, count: int, picture: Callable[[int], NDArray[np.uint8]], progress: Progress
) -> tuple[LabelSet, NDArray[np.int32], NDArray[np.float64]]:
    """The classes of a classifier, (N,) answers in them and (N,) their probabilities.

    Args:
        request: Model and engine.
        count: How many pictures there are.
        picture: (H, W, 3) uint8 RGB of each, any size.
        progress: Called after every few.
    """
    config = CropClassifierConfig(model=request.model, engine=request.engine)
    size_px = crop_size_px(request)
    answers, confidence = [], []
    with closing(CropClassifier(config)) as classifier:
        for start in range(0, count, _CHUNK):
            part = range(start, min(start + _CHUNK, count))
            pictures = np.stack([resize_crop(picture(index), size_px) for index in part])
            crops = pictures.transpose(0, 3, 1, 2).astype(np.float32)
            labels, scores = classifier.classify(crops)
            answers.append(labels)
            confidence.append(scores.astype(np.float64))
            progress(part.stop, count)
        return classifier.label_set, np.concatenate(answers), np.concatenate(confidence)


def crop_size_px(request: Request) -> int:
    """The side of the crops that a classifier looks at."""
    spec = ModelSpec.load(find_model(request.model))
    return int(next(iter(spec.variants[0].inputs.values())).shape[-1])


def enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A crop as figures show it."""
    size = (_SHOWN_PX, _SHOWN_PX)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"
