"""What an evaluator is asked for and what it hands back, the same for every data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.precision_recall import Curve
from spatial_perception.pipelines.model import EngineOptions

Progress = Callable[[int, int], None]
"""Called with (done, total) after every frame."""

Item = TypeVar("Item")
Split = TypeVar("Split", bound=str)


@dataclass(frozen=True, slots=True)
class Request:
    """One model on one data set.

    Attributes:
        model: A model's name or folder.
        dataset: A name of `evaluation.DATASETS`, or `DRIVES`.
        root: Where the data set is.
        split: Which part of it; None for the data set's default.
        frames: Names of the frames to take; all where empty.
        engine: Where and how the model runs.
        limit: At most so many, spread evenly over the data set; all where 0.
        pooled: Further data sets and where they are; their frames count with the first's.
    """

    model: str
    dataset: str
    root: Path
    split: str | None = None
    frames: tuple[str, ...] = ()
    engine: EngineOptions = field(default_factory=EngineOptions)
    limit: int = 0
    pooled: tuple[tuple[str, Path], ...] = ()

    @property
    def datasets(self) -> str:
        """Names of all data sets, joined by ' + '."""
        return " + ".join([self.dataset, *(name for name, _ in self.pooled)])

    def choose_split(self, default: Split, known: Sequence[Split]) -> Split:
        """The split asked for, or the default.

        Raises:
            DatasetError: If the data set has no such split.
        """
        wanted = self.split or default
        for split in known:
            if split == wanted:
                return split
        raise DatasetError(f"{self.datasets} has no split '{wanted}'; known: {', '.join(known)}")

    def choose_frames(self, items: Sequence[Item], name: Callable[[Item], str]) -> list[Item]:
        """The items asked for, in the order of the data set.

        Raises:
            DatasetError: If one is not there, or none is left.
        """
        if not items:
            raise DatasetError(f"{self.root}: no frames of {self.dataset} there")
        names = [name(item) for item in items]
        for wanted in self.frames:
            if wanted not in names:
                raise DatasetError(
                    f"{self.root}: no frame '{wanted}' among the {len(names)} of"
                    f" {self.dataset}; the first is '{names[0]}'"
                )
        chosen = [i for i, n in zip(items, names, strict=True) if n in self.frames]
        chosen = chosen if self.frames else list(items)
        if not 0 < self.limit < len(chosen):
            return chosen
        return [chosen[i * len(chosen) // self.limit] for i in range(self.limit)]


@dataclass(frozen=True, slots=True, eq=False)
class Illustration:
    """What the figures of a measurement are drawn from.

    Attributes:
        names: What each frame is called.
        errors: (F,) how wrong each frame is; larger is worse.
        picture: Draws one frame, (H, W, 3) uint8 RGB, by its index.
        curves: Precision over recall by class, for detectors.
        confusion: (K, K or K + 1) counts, rows the truth, for classifiers; None for detectors.
        classes: Names of the K classes.
        examples: How many of the worst and of the best frames are shown.
    """

    names: Sequence[str]
    errors: NDArray[np.float64]
    picture: Callable[[int], NDArray[np.uint8]]
    curves: Mapping[str, Curve] = field(default_factory=dict)
    confusion: NDArray[np.int64] | None = None
    classes: Sequence[str] = ()
    examples: int = 4


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """What an evaluator measured.

    Attributes:
        split: The split that was taken.
        frames: Number of frames.
        compute: Metrics by name from (F,) int64, how often each frame counts.
        illustration: What figures are drawn from.
    """

    split: str
    frames: int
    compute: Callable[[NDArray[np.int64]], dict[str, float]]
    illustration: Illustration
