"""Figures of a measurement: precision-recall curves, confusion, the best and the worst frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from spatial_perception.evaluation.measurement import Illustration
from spatial_perception.evaluation.precision_recall import Curve

_SHOW_COUNTS_UP_TO = 12
_DPI = 140
_WIDTH_INCH = 14.0
_SMALL_PX = 200


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
    shown = illustration.examples
    for name, chosen in (("worst", order[:shown]), ("best", order[::-1][:shown])):
        if len(chosen):
            written.append(folder / f"{name}.png")
            pictures = [illustration.picture(int(index)) for index in chosen]
            captions = [
                f"{illustration.names[index]} (error {illustration.errors[index]:.3g})"
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
    figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.8)
    return figure


def examples_figure(
    pictures: Sequence[NDArray[np.uint8]], captions: Sequence[str], title: str
) -> Figure:
    """Pictures (H, W, 3) uint8 RGB with their captions, small ones in rows of six, else of two."""
    height, width = pictures[0].shape[:2]
    columns = min(len(pictures), 2 if max(height, width) > _SMALL_PX else 6)
    rows = -(-len(pictures) // columns)
    row_height = _WIDTH_INCH / columns * height / width + 0.5  # room for the caption
    figure = Figure(figsize=(_WIDTH_INCH, 0.6 + rows * row_height), layout="constrained")
    figure.suptitle(title)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        axes = figure.add_subplot(rows, columns, index + 1)
        axes.imshow(picture)
        axes.set_title(caption, fontsize=9 if columns <= 2 else 6)
        axes.set_axis_off()
    return figure
