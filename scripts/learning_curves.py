#!/usr/bin/env python3
"""Draws the learning curves of training runs from their log.csv.

    python scripts/learning_curves.py --figure docs/images/learning_curves.jpg \
        camera_segmenter:miou=first/log.csv,second/log.csv lidar_segmenter:miou=run/log.csv

One panel a model: runs that went on from one another stand in a row. Lines are the parts of the
training loss, each a moving average relative to its first value; dots are the validation metric.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_NO_LOSS = ("train/loss", "train/rate", "train/gradient_norm")
_AVERAGED = 0.06
"""Share of all steps that a moving average takes in."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Numbers of several runs by name: (step, value), steps counted on from run to run."""

    values: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    ends: list[int] = field(default_factory=list)

    def add(self, log: Path) -> None:
        """Appends a run.

        Raises:
            SystemExit: The file is missing or no log of a training.
        """
        start = last = self.ends[-1] if self.ends else 0
        try:
            with log.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    last = start + int(row["step"])
                    self.values[row["name"]].append((last, float(row["value"])))
        except (OSError, KeyError, ValueError) as error:
            raise SystemExit(f"{log}: no log.csv of a training ({error})") from error
        self.ends.append(last)


def main() -> int:
    """Writes the figure; 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("panels", nargs="+", metavar="NAME:METRIC=LOG[,LOG...]")
    parser.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args()
    rows = (len(arguments.panels) + 1) // 2
    figure = Figure(figsize=(12, 3.6 * rows), layout="constrained")
    axes = figure.subplots(rows, 2, squeeze=False).ravel()
    for axis, panel in zip(axes, arguments.panels, strict=False):
        name, equals, logs = panel.partition("=")
        name, colon, metric = name.partition(":")
        if not (equals and colon):
            parser.error(f"'{panel}' is not NAME:METRIC=LOG[,LOG...]")
        curves = Curves()
        for log in logs.split(","):
            curves.add(Path(log))
        draw(axis, name, metric, curves)
    for axis in axes[len(arguments.panels) :]:
        axis.set_axis_off()
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(arguments.figure, dpi=90)
    print(f"figure {arguments.figure}")
    return 0


def draw(axis: Axes, name: str, metric: str, curves: Curves) -> None:
    """One panel."""
    for key, pairs in curves.values.items():
        if key.startswith("train/") and key not in _NO_LOSS:
            steps, values = np.array(pairs).T
            axis.plot(steps, relative(values), linewidth=1.2, label=key.removeprefix("train/"))
    for end in curves.ends[:-1]:
        axis.axvline(end, color="0.7", linewidth=0.8, linestyle=":")
    axis.set(title=name, xlabel="steps", ylabel="loss / first loss", yscale="log")
    axis.legend(fontsize=7, loc="lower left", ncols=2)
    measured = curves.values.get(f"val/{metric}")
    if measured:
        steps, values = np.array(measured).T
        right = axis.twinx()
        right.plot(steps, values, "ko", markersize=4)
        right.set_ylabel(f"validation {metric}, %")


def relative(values: np.ndarray) -> np.ndarray:
    """The moving average over the values before each, divided by that of the first ones."""
    width = max(1, round(_AVERAGED * len(values)))
    total = np.cumsum(np.concatenate([np.repeat(values[:width].mean(), width), values]))
    average: np.ndarray = (total[width:] - total[:-width]) / width
    return average / average[0]


if __name__ == "__main__":
    raise SystemExit(main())
