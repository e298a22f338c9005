"""Pictures with 2D boxes, in a JSON list of them.

boxes.json: {"pictures": [{"file": "train/a.jpg", "boxes": [[left, top, right, bottom, "car"], ...],
"ignored": [[left, top, right, bottom], ...]}]}, files relative to the root, pixels of the picture.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, LabelSet
from spatial_perception.datasets.images import read_rgb
from spatial_perception.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class BoxPicture:
    """One picture and the objects in it.

    Attributes:
        path: The image file.
        boxes_xyxy_px: (N, 4) float32.
        labels: (N,) int32, indices in the label set it was read with.
        ignored_xyxy_px: (M, 4) float32: whether an object is there is not known.
    """

    path: Path
    boxes_xyxy_px: NDArray[np.float32]
    labels: NDArray[np.int32]
    ignored_xyxy_px: NDArray[np.float32]

    def image(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 RGB."""
        return read_rgb(self.path)


def read_box_list(
    path: Path, root: Path, label_set: LabelSet = CAMERA_OBJECT_LABELS
) -> tuple[BoxPicture, ...]:
    """The pictures of a boxes.json, files relative to `root`.

    Raises:
        DatasetError: If the file is missing, or an entry is not as above.
    """
    try:
        entries = list(json.loads(path.read_text(encoding="utf-8"))["pictures"])
    except OSError as error:
        raise DatasetError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: expected JSON with a list 'pictures'") from error
    pictures = []
    for number, entry in enumerate(entries):
        try:
            boxes = _rows([row[:4] for row in entry["boxes"]])
            labels = [label_set.index(row[4]) for row in entry["boxes"]]
            ignored = _rows(entry.get("ignored", []))
            file = root / entry["file"]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DatasetError(f"{path}: picture {number}: {error}") from error
        pictures.append(BoxPicture(file, boxes, np.array(labels, np.int32), ignored))
    return tuple(pictures)


def write_box_list(
    path: Path,
    root: Path,
    pictures: Sequence[BoxPicture],
    label_set: LabelSet = CAMERA_OBJECT_LABELS,
) -> None:
    """Writes what `read_box_list` reads; coordinates to a tenth of a pixel."""
    entries = []
    for picture in pictures:
        rows = np.round(picture.boxes_xyxy_px.astype(np.float64), 1).tolist()
        names = [label_set.name(int(label)) for label in picture.labels]
        entries.append(
            {
                "file": picture.path.relative_to(root).as_posix(),
                "boxes": [[*row, name] for row, name in zip(rows, names, strict=True)],
                "ignored": np.round(picture.ignored_xyxy_px.astype(np.float64), 1).tolist(),
            }
        )
    path.write_text(json.dumps({"pictures": entries}) + "\n", encoding="utf-8")


def _rows(boxes: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    rows = np.array(boxes, np.float32).reshape(-1, 4)
    wrong = ~(rows[:, :2] <= rows[:, 2:]).all(axis=1) | ~np.isfinite(rows).all(axis=1)
    if wrong.any():
        raise ValueError(f"expected left, top, right, bottom, got {rows[wrong][0].tolist()}")
    return rows
