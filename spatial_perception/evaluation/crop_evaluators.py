"""Classifiers of signs and lights on labelled crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.datasets.gtsrb import Split, read_gtsrb
from spatial_perception.datasets.images import LabelledCrops, read_rgb, resize_crop
from spatial_perception.datasets.lights import read_lights
from spatial_perception.evaluation.classification import accuracy, confusion, ece
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.pipelines.model import Model

SPLITS: tuple[Split, ...] = ("train", "val", "trainval", "test")
_SHOWN_PX = 160


def evaluate_gtsrb(request: Request, progress: Progress) -> Measurement:
    """A sign classifier on the German Traffic Sign Recognition Benchmark."""
    split = request.choose_split("val", SPLITS)
    return _evaluate(request, split, read_gtsrb(request.root, split), progress)


def evaluate_lights(request: Request, progress: Progress) -> Measurement:
    """A light classifier on crops of traffic lights."""
    split = request.choose_split("val", SPLITS)
    return _evaluate(request, split, read_lights(request.root, split), progress)


def _evaluate(
    request: Request, split: str, crops: LabelledCrops, progress: Progress
) -> Measurement:
    chosen = request.choose_frames(range(len(crops)), lambda index: _name(crops.paths[index]))
    paths, truth = [crops.paths[index] for index in chosen], crops.labels[chosen].astype(np.int64)
    model = Model(request.model, ("classification",), request.engine)
    scores = _probabilities(model, paths, progress)
    probabilities = _in_order_of(crops.label_set, model.label_set, scores)

    def compute(weights: NDArray[np.int64]) -> dict[str, float]:
        drawn = np.repeat(np.arange(len(truth)), weights)
        return {
            "accuracy": accuracy(probabilities[drawn], truth[drawn]),
            "ece": ece(probabilities[drawn], truth[drawn]),
        }

    names = crops.label_set.names
    answers = probabilities.argmax(axis=1)
    return Measurement(
        split,
        len(truth),
        compute,
        Illustration(
            [
                f"{_name(path)}: {names[actual]}, said {names[answer]}"
                for path, actual, answer in zip(paths, truth, answers, strict=True)
            ],
            1.0 - probabilities[np.arange(len(truth)), truth],
            lambda index: _enlarged(paths[index]),
            confusion=confusion(probabilities, truth),
            classes=names,
        ),
    )


def _probabilities(model: Model, paths: Sequence[Path], progress: Progress) -> NDArray[np.float64]:
    """(N, K) probabilities in the order of the model's classes."""
    name, tensor = model.only_input()
    batch, _, size_px, _ = tensor.shape
    temperature = float(model.spec.decoder_arguments.get("temperature", 1.0))
    engine = model.engine()
    parts: list[NDArray[np.float64]] = []
    for start in range(0, len(paths), batch):
        part = paths[start : start + batch]
        pictures = np.zeros(tensor.shape, np.float32)
        for target, path in zip(pictures, part, strict=False):
            target[:] = resize_crop(read_rgb(path), size_px).transpose(2, 0, 1)
        logits = next(iter(engine.infer({name: pictures}).values()))[: len(part)]
        scaled = logits.astype(np.float64) / temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        parts.append(powers / powers.sum(axis=1, keepdims=True))
        progress(start + len(part), len(paths))
    return np.concatenate(parts)


def _in_order_of(
    truth: LabelSet, model: LabelSet, scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, K) probabilities of the data set's classes; 0 for those the model does not know."""
    target = label_lut(model, truth)[: len(model)]
    known = target != UNLABELED
    ordered = np.zeros((len(scores), len(truth)))
    ordered[:, target[known]] = scores[:, known]
    return ordered


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _enlarged(path: Path) -> NDArray[np.uint8]:
    size = (_SHOWN_PX, _SHOWN_PX)
    return np.asarray(cv2.resize(read_rgb(path), size, interpolation=cv2.INTER_NEAREST), np.uint8)
