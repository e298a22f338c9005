"""German Traffic Sign Recognition Benchmark (Stallkamp et al., 2012), in its published layout.

Training: Final_Training/Images/CCCCC/TTTTT_NNNNN.ppm, class, track (one physical sign driven past)
and frame. Test: Final_Test/Images/*.ppm with GT-final_test.csv (semicolons; Filename and ClassId).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import numpy as np

from spatial_perception.core.labels import LabelSet
from spatial_perception.datasets.images import LabelledCrops, image_files
from spatial_perception.errors import DatasetError

Split = Literal["train", "val", "trainval", "test"]

GTSRB_LABELS = LabelSet(
    (
        "speed_limit_20",
        "speed_limit_30",
        "speed_limit_50",
        "speed_limit_60",
        "speed_limit_70",
        "speed_limit_80",
        "end_of_speed_limit_80",
        "speed_limit_100",
        "speed_limit_120",
        "no_overtaking",
        "no_overtaking_for_trucks",
        "priority_at_next_junction",
        "priority_road",
        "yield",
        "stop",
        "no_vehicles",
        "no_trucks",
        "no_entry",
        "danger",
        "curve_left",
        "curve_right",
        "double_curve",
        "bumpy_road",
        "slippery_road",
        "road_narrows_right",
        "road_works",
        "traffic_lights_ahead",
        "pedestrians",
        "children",
        "bicycles",
        "ice_or_snow",
        "wild_animals",
        "end_of_all_limits",
        "turn_right",
        "turn_left",
        "straight_ahead",
        "straight_or_right",
        "straight_or_left",
        "keep_right",
        "keep_left",
        "roundabout",
        "end_of_no_overtaking",
        "end_of_no_overtaking_for_trucks",
    )
)
VALIDATION_EVERY = 5
"""Every fifth track of each class validates; a split never cuts a track."""


def read_gtsrb(root: Path, split: Split) -> LabelledCrops:
    """The files and classes of a split; "val" is a fifth of the training tracks.

    Raises:
        DatasetError: If the layout is not there, naming what is missing.
    """
    if split == "test":
        return _test(root / "Final_Test" / "Images", root)
    every = _training(root / "Final_Training" / "Images")
    if split == "trainval":
        return every
    validates = np.array([track(path) % VALIDATION_EVERY == 0 for path in every.paths])
    return every.selected(validates if split == "val" else ~validates)


def track(path: Path) -> int:
    """The track number in a training file's name.

    Raises:
        DatasetError: If the name is not TTTTT_NNNNN.
    """
    number, _, frame = path.stem.partition("_")
    if not (number.isdigit() and frame.isdigit()):
        raise DatasetError(f"{path}: expected a name TRACK_FRAME, as in 00003_00012.ppm")
    return int(number)


def _training(folder: Path) -> LabelledCrops:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; the root must hold Final_Training/Images")
    paths: list[Path] = []
    labels: list[int] = []
    for class_folder in sorted(p for p in folder.iterdir() if p.is_dir()):
        label = _label(class_folder.name, class_folder)
        files = image_files(class_folder)
        paths += files
        labels += [label] * len(files)
    if not paths:
        raise DatasetError(f"{folder}: expected folders 00000 to 00042")
    return LabelledCrops(tuple(paths), np.array(labels, np.uint8), GTSRB_LABELS)


def _test(folder: Path, root: Path) -> LabelledCrops:
    candidates = (
        folder / "GT-final_test.csv",
        folder.parent / "GT-final_test.csv",
        root / "GT-final_test.csv",
    )
    table = next((path for path in candidates if path.is_file()), None)
    if table is None:
        raise DatasetError(f"{candidates[0]}: no such file, it holds the classes of the test")
    with table.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = list(csv.DictReader(file, delimiter=";", restval=""))
    if not rows or not {"Filename", "ClassId"} <= rows[0].keys():
        raise DatasetError(f"{table}: expected columns Filename and ClassId between semicolons")
    labels = np.array([_label(row["ClassId"], table) for row in rows], np.uint8)
    paths = tuple(_existing(folder / row["Filename"]) for row in rows)
    return LabelledCrops(paths, labels, GTSRB_LABELS)


def _existing(path: Path) -> Path:
    """The file, also where it was converted to .png."""
    if path.is_file():
        return path
    converted = path.with_suffix(".png")
    if converted.is_file():
        return converted
    raise DatasetError(f"{path}: no such file, but the table of classes lists it")


def _label(text: str, where: Path) -> int:
    if not text.isdigit() or int(text) >= len(GTSRB_LABELS):
        raise DatasetError(f"{where}: expected a class 0 to {len(GTSRB_LABELS) - 1}, got '{text}'")
    return int(text)
