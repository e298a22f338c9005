"""Figures of a measurement: precision-recall curves, confusion, the best and the worst frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spatial_perception.evaluation.measurement import Illustration
from spatial_perception.evaluation.precision_recall import Curve

EXAMPLES = 4
_SHOW_COUNTS_UP_TO = 12
_DPI = 140


def write_figures(illustration: Illustration, folder: Path, title: str) -> list[Path]:
    """The files written into `folder`, which is made where it is missing.

    Args:
        illustration: What to draw.
        folder: Where.
        title: Stands over every figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    if illustration.curves:
        written.append(folder / "precision_recall.png")
        precision_recall_figure(illustration.curves, title).savefig(written[-1], dpi=_DPI)
    if illustration.confusion is not None:
        written.append(folder / "confusion.png")
        confusion_figure(illustration.confusion, illustration.classes, title).savefig(
            written[-1], dpi=_DPI
        )
    order = np.argsort(-illustration.errors, kind="stable")
    for name, chosen in (("worst", order[:EXAMPLES]), ("best", order[::-1][:EXAMPLES])):
        if len(chosen):
            written.append(folder / f"{name}.png")
            pictures = [illustration.picture(int(index)) for index in chosen]
            captions = [
                f"{illustration.names[index]} (error {illustration.errors[index]:g})"
                for index in chosen
            ]
            examples_figure(pictures, captions, f"{title}: {name}").savefig(written[-1], dpi=_DPI)
    return written


def precision_recall_figure(curves: Mapping[str, Curve], title: str) -> Figure:
    """Precision over recall, one line a class."""
    figure = Figure(figsize=(6.0, 5.0), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves.items():
        axes.step(100 * curve.recall, 100 * curve.precision, where="post", label=name)
    axes.set(xlabel="recall (%)", ylabel="precision (%)", xlim=(0, 100), ylim=(0, 102))
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    return figure


def confusion_figure(counts: NDArray[np.int64], names: Sequence[str], title: str) -> Figure:
    """Share of each true class (row) that was given each class (column), percent.

    Args:
        counts: (K, K) or, with a column for "no answer" (shown where used), (K, K + 1).
        names: The K classes.
        title: Stands over the figure.
    """
    counts = counts if counts[:, len(names) :].any() else counts[:, : len(names)]
    columns = [*names, "no answer"][: counts.shape[1]]
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = 100.0 * counts / totals
    size = 2.5 + 0.28 * len(columns)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, vmin=0, vmax=100, cmap="Blues")
    small = max(4, 10 - len(names) // 8)
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=small)
    axes.set_yticks(range(len(names)), names, fontsize=small)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title)
    if len(columns) <= _SHOW_COUNTS_UP_TO:
        for (row, column), share in np.ndenumerate(shares):
            color = "white" if share > 60 else "black"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=color)
    figure.colorbar(image, ax=axes, label="share of the true class (%)")
    return figure


def examples_figure(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], title: str
) -> Figure:
    """Pictures (H, W, 3) uint8 RGB with their captions, two in a row."""
    rows = (len(pictures) + 1) // 2
    height, width = pictures[0].shape[:2]
    figure = Figure(figsize=(14.0, 1.0 + rows * (7.0 * height / width + 0.4)), layout="constrained")
    figure.suptitle(title)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        axes = figure.add_subplot(rows, 2, index + 1)
        axes.imshow(picture)
        axes.set_title(caption, fontsize=9)
        axes.set_axis_off()
    return figure
