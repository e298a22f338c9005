#!/usr/bin/env python3
"""What the spatial transformers of a classifier do to turned, shifted and scaled crops.

    python scripts/transformer_figure.py --root GTSRB --figure docs/images/transformer.jpg

Draws crops and what the transformer on the picture hands on; prints as Markdown which share of each
change it takes back, and the accuracy with both transformers, without that on the picture, and
without any (the same weights; nothing is trained again).
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from safetensors.torch import load_file
from torch import Tensor, nn

from spatial_perception import networks
from spatial_perception.datasets.gtsrb import read_gtsrb
from spatial_perception.networks.stn_classifier import StnClassifier, warp
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import WEIGHTS_FILE, ModelSpec

_DRAWN = 6
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a crop: by how much, of what kind."""

    kind: str
    amount: float

    @property
    def name(self) -> str:
        """How the change is called in tables."""
        units = {"turn": "deg", "shift": "px", "scale": "x"}
        return f"{self.kind} {self.amount:g} {units[self.kind]}"

    def matrix(self, size_px: int) -> np.ndarray:
        """(2, 3) map of a crop's pixels, about its middle."""
        middle = ((size_px - 1) / 2, (size_px - 1) / 2)
        turn = -self.amount if self.kind == "turn" else 0.0  # OpenCV counts against the clock
        scale = self.amount if self.kind == "scale" else 1.0
        matrix: np.ndarray = cv2.getRotationMatrix2D(middle, turn, scale)
        if self.kind == "shift":
            matrix[0, 2] += self.amount
        return matrix

    def taken_back(self, plain: np.ndarray, changed: np.ndarray, size_px: int) -> float:
        """Median share of the change that a transformer takes back; 1 is all of it.

        What lies at p before the change lies at C p after it; so a transformer that hands on the
        same picture as before samples at C theta instead of theta.

        Args:
            plain: (N, 2, 3) theta of the crops as they were.
            changed: (N, 2, 3) theta of the changed crops.
            size_px: Side of the crops.
        """
        if self.kind == "shift":
            moved = (changed[:, 0, 2] - plain[:, 0, 2]) * size_px / 2
            return float(np.median(moved / self.amount))
        linear = changed[:, :, :2] @ np.linalg.inv(plain[:, :, :2])
        if self.kind == "turn":
            angles = np.arctan2(
                linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1]
            )
            return float(np.median(np.degrees(angles) / self.amount))
        sizes = 0.5 * np.log(np.maximum(np.linalg.det(linear), 1e-6))
        return float(np.median(sizes / math.log(self.amount)))


CHANGES = (
    *(Change("turn", degrees) for degrees in (-40, -20, 20, 40)),
    *(Change("shift", pixels) for pixels in (-6, -3, 3, 6)),
    *(Change("scale", factor) for factor in (0.6, 0.8, 1.25, 1.5)),
)


def main() -> None:
    """Measures, prints, draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of GTSRB")
    parser.add_argument("--model", default="sign_classifier", help="name or folder")
    parser.add_argument("--limit", type=int, default=1000, help="crops, spread over the split")
    parser.add_argument("--figure", type=Path, help="picture to write")
    parser.add_argument("--json", type=Path, help="numbers to write")
    arguments = parser.parse_args()
    spec = ModelSpec.load(find_model(arguments.model))
    network = load_network(spec)
    every = read_gtsrb(arguments.root, "val")
    count = min(arguments.limit, len(every))
    chosen = np.isin(np.arange(len(every)), np.arange(count) * len(every) // count)
    crops = every.selected(chosen)
    assert len(crops) == count
    pictures, labels = crops.pictures(network.size), np.asarray(crops.labels, np.int64)
    rows = measure(network, pictures, labels)
    print(f"{spec.name}, weights {spec.files[WEIGHTS_FILE][:12]}, {count} crops of the split val\n")
    print("| change | taken back | both transformers | only on features | none |")
    print("|---|---|---|---|---|")
    for row in rows:
        back = "-" if row["taken_back"] is None else f"{100 * row['taken_back']:.0f} %"
        shares = " | ".join(f"{row[name]:.1f}" for name in ("both", "features", "none"))
        print(f"| {row['change']} | {back} | {shares} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"crops": count, "rows": rows}, indent=2) + "\n")
    if arguments.figure:
        draw(network, pictures[:: max(count // _DRAWN, 1)][:_DRAWN]).savefig(
            arguments.figure, dpi=80, pil_kwargs={"quality": 85}
        )


def load_network(spec: ModelSpec) -> StnClassifier:
    """The model's network with its shipped weights, in eval mode."""
    assert spec.network is not None
    network = networks.build(spec.network.name, **spec.network.arguments)
    assert isinstance(network, StnClassifier)
    network.load_state_dict(
        {name: value.float() for name, value in load_file(spec.folder / WEIGHTS_FILE).items()},
        strict=False,
    )
    return network.eval()


@torch.inference_mode()
def measure(
    network: StnClassifier, pictures: np.ndarray, labels: np.ndarray
) -> list[dict[str, Any]]:
    """One row a change, the unchanged crops first."""
    plain = thetas(network, pictures)
    rows = [{"change": "none", "taken_back": None, **accuracies(network, pictures, labels)}]
    for change in CHANGES:
        changed = apply(change, pictures)
        back = change.taken_back(plain, thetas(network, changed), network.size)
        scores = accuracies(network, changed, labels)
        rows.append({"change": change.name, "taken_back": back, **scores})
    return rows


def apply(change: Change, pictures: np.ndarray) -> np.ndarray:
    """The crops (N, S, S, 3) uint8 changed; what was outside repeats the border."""
    size = pictures.shape[1]
    matrix = change.matrix(size)
    options = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.stack([cv2.warpAffine(p, matrix, (size, size), **options) for p in pictures])


def thetas(network: StnClassifier, pictures: np.ndarray) -> np.ndarray:
    """(N, 2, 3) float64 of the transformer on the picture."""
    transformer = network.image_transformer
    return in_batches(lambda crops: transformer.theta(network.prepared(crops)), pictures)


def accuracies(
    network: StnClassifier, pictures: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Percent of right answers with both transformers, that on the features alone, and none."""

    def answers(on_picture: nn.Module, on_features: nn.Module) -> Callable[[Tensor], Tensor]:
        return lambda crops: network.body(
            on_features(network.stem(on_picture(network.prepared(crops))))
        ).argmax(1)

    off, image, features = nn.Identity(), network.image_transformer, network.feature_transformer
    ways = {"both": (image, features), "features": (off, features), "none": (off, off)}
    return {
        name: 100.0 * float((in_batches(answers(*way), pictures) == labels).mean())
        for name, way in ways.items()
    }


def in_batches(function: Callable[[Tensor], Tensor], pictures: np.ndarray) -> np.ndarray:
    """The function's answers for crops (N, S, S, 3) uint8."""
    parts = [
        function(tensor(pictures[start : start + _BATCH])).double().numpy()
        for start in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts)


def tensor(pictures: np.ndarray) -> Tensor:
    """(N, 3, S, S) float32 0..255."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


@torch.inference_mode()
def draw(network: StnClassifier, pictures: np.ndarray) -> Figure:
    """A row of crops and below it a row of what the transformer hands on, for each change."""
    shown = (
        None,
        Change("turn", 25),
        Change("turn", -25),
        Change("shift", 5),
        Change("scale", 0.7),
    )
    figure = Figure(figsize=(1.3 * len(shown) * 2 + 0.6, 1.3 * len(pictures)), layout="constrained")
    for column, change in enumerate(shown):
        crops = pictures if change is None else apply(change, pictures)
        given = tensor(crops)
        handed = warp(given, network.image_transformer.theta(network.prepared(given)))
        out = handed.permute(0, 2, 3, 1).clamp(0, 255).byte().numpy()
        for row, pair in enumerate(zip(crops, out, strict=True)):
            for side, picture in enumerate(pair):
                index = row * 2 * len(shown) + 2 * column + side + 1
                axes = figure.add_subplot(len(pictures), 2 * len(shown), index)
                axes.imshow(picture)
                axes.set_axis_off()
                if row == 0:
                    name = "as it is" if change is None else change.name
                    axes.set_title(name if side == 0 else "handed on", fontsize=9)
    return figure


if __name__ == "__main__":
    main()
