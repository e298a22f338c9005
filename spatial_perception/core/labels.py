"""Classes by name and colour, and the class lists that the suite ships with."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spatial_perception.core.checks import check_array

UNLABELED = 255
UNLABELED_NAME = "unlabeled"
_GOLDEN_RATIO = 0.618033988749895


def default_palette(count: int) -> np.ndarray:
    """Returns `count` well separated colours, (count, 3) uint8 RGB, the same ones every time."""
    hues = (np.arange(count) * _GOLDEN_RATIO) % 1.0
    sector = hues[:, None] * 6.0 + np.array([0.0, 4.0, 2.0])
    rgb = np.clip(np.abs(sector % 6.0 - 3.0) - 1.0, 0.0, 1.0)
    return np.round(60 + 190 * rgb).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class LabelSet:
    """An ordered list of class names; a label is an index into it, 255 means unlabeled.

    Args:
        names: readable class names, unique, at most 255.
        colors: (K, 3) uint8 RGB; a default palette where none is given.
    """

    names: tuple[str, ...]
    colors: np.ndarray = field(default=None)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"class names must be unique, got {self.names}")
        if len(self.names) > UNLABELED:
            raise ValueError(f"expected at most {UNLABELED} classes, got {len(self.names)}")
        if self.colors is None:
            object.__setattr__(self, "colors", default_palette(len(self.names)))
        check_array("colors", self.colors, (len(self.names), 3), np.uint8)

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelSet) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def joined(self, other: LabelSet) -> LabelSet:
        """Returns these classes and then those that only the other one has.

        Raises:
            ValueError: these are more than 255.
        """
        new = [index for index, name in enumerate(other.names) if name not in self.names]
        names = (*self.names, *(other.names[index] for index in new))
        return LabelSet(names, np.concatenate([self.colors, other.colors[new]])) if new else self

    def index(self, name: str) -> int:
        """Returns the label of a class name; 'unlabeled' is 255.

        Raises:
            KeyError: no such class.
        """
        if name == UNLABELED_NAME:
            return UNLABELED
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(f"no class '{name}'; known: {', '.join(self.names)}") from None

    def name(self, label: int) -> str:
        """Returns the readable name of a label."""
        return UNLABELED_NAME if label == UNLABELED else self.names[label]

    @property
    def color_lut(self) -> np.ndarray:
        """(256, 3) uint8 RGB: the colour of every label, black for unlabeled."""
        lut = np.zeros((256, 3), np.uint8)
        lut[: len(self.names)] = self.colors
        return lut


def _label_set(**classes: tuple[int, int, int]) -> LabelSet:
    return LabelSet(tuple(classes), np.array(list(classes.values()), np.uint8))


OBJECT_LABELS = _label_set(
    car=(255, 158, 0), truck=(255, 70, 60), pedestrian=(60, 150, 255), cyclist=(230, 60, 220)
)
CAMERA_OBJECT_LABELS = _label_set(
    car=(255, 158, 0),
    truck=(255, 70, 60),
    bus=(255, 127, 80),
    person=(60, 150, 255),
    bicycle=(230, 60, 220),
    motorcycle=(190, 80, 255),
    traffic_light=(80, 230, 120),
    traffic_sign=(250, 230, 60),
)
CAMVID_LABELS = _label_set(
    sky=(128, 128, 128),
    building=(128, 0, 0),
    pole=(192, 192, 128),
    road=(128, 64, 128),
    pavement=(60, 40, 222),
    tree=(128, 128, 0),
    signsymbol=(192, 128, 128),
    fence=(64, 64, 128),
    car=(64, 0, 128),
    pedestrian=(64, 64, 0),
    bicyclist=(0, 128, 192),
)
POINT_LABELS = _label_set(
    road=(128, 64, 128),
    sidewalk=(244, 35, 232),
    terrain=(152, 251, 152),
    building=(230, 180, 80),
    vegetation=(60, 160, 60),
    pole=(200, 200, 200),
    vehicle=(100, 150, 245),
    person=(255, 40, 40),
    two_wheeler=(200, 90, 255),
)
GROUND_CLASSES = ("road", "sidewalk", "terrain")
"""Those of `POINT_LABELS` on which things stand."""

KNOWN_LABEL_SETS = (OBJECT_LABELS, CAMERA_OBJECT_LABELS, CAMVID_LABELS, POINT_LABELS)
