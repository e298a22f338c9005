"""Boxes for unlabelled pictures, from a trained detector that looks at each many times.

The teacher sees the whole picture, overlapping tiles of it enlarged, and all of them mirrored.
What several looks agree on becomes a label; what is doubtful is marked, and neither rewarded nor
punished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spatial_perception.config import option
from spatial_perception.core.boxes import iou_2d
from spatial_perception.core.labels import CAMERA_OBJECT_LABELS, CAMVID_LABELS
from spatial_perception.ops.boxes import Boxes, decode_yolox, select_boxes
from spatial_perception.ops.class_map import regions
from spatial_perception.ops.letterbox import Letterbox, image_tensor

COCO_TO_OURS = {
    2: "car",
    7: "truck",
    5: "bus",
    0: "person",
    1: "bicycle",
    3: "motorcycle",
    9: "traffic_light",
    11: "traffic_sign",
}
_VEHICLES = ("car", "truck", "bus")
_SMALLEST_SIGN_PX = 8.0
"""Narrower regions are signs seen from the side, or parts of one."""

Infer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TeacherConfig:
    """How often the teacher looks, and whom to believe."""

    tile_shares: tuple[float, ...] = option(
        (1.0, 0.6, 0.4), help="sides of the tiles over the whole"
    )
    sure: float = option(0.5, help="score of one look that makes a label", range=(0.0, 1.0))
    agreed: float = option(0.35, help="score that does when three looks agree", range=(0.0, 1.0))
    doubtful: float = option(0.15, help="score that is ignored", range=(0.0, 1.0))
    same_object: float = option(0.55, help="overlap of two looks at one object", range=(0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class TaughtBoxes:
    """boxes_xyxy_px (N, 4) with labels (N,) in CAMERA_OBJECT_LABELS, and ignored_xyxy_px (M, 4)."""

    boxes_xyxy_px: NDArray[np.float32]
    labels: NDArray[np.int32]
    ignored_xyxy_px: NDArray[np.float32]


class YoloxTeacher:
    """A YOLOX network trained on COCO.

    Args:
        infer: (1, 3, H, W) float32 BGR 0..255 -> (1, A, 85) raw output.
        input_hw: Height and width of its input.
        config: How often it looks.
    """

    def __init__(
        self, infer: Infer, input_hw: tuple[int, int], config: TeacherConfig | None = None
    ) -> None:
        self._infer, self._input_hw = infer, input_hw
        self._config = config or TeacherConfig()
        self._columns = [5 + coco for coco in COCO_TO_OURS]
        self._classes = np.array([CAMERA_OBJECT_LABELS.index(n) for n in COCO_TO_OURS.values()])

    def __call__(self, image: NDArray[np.uint8]) -> TaughtBoxes:
        """The boxes of an RGB picture (H, W, 3) uint8."""
        looks = [self._look(image, tile) for tile in _tiles(image.shape[:2], self._config)]
        boxes = np.concatenate([look.boxes_xyxy_px for look in looks])
        scores = np.concatenate([look.scores for look in looks])
        labels = np.concatenate([look.labels for look in looks])
        return self._merged(boxes, scores, labels, image.shape[1])

    def _look(self, image: NDArray[np.uint8], tile: _Tile) -> Boxes:
        part = image[tile.top : tile.bottom, tile.left : tile.right]
        part = part[:, ::-1] if tile.mirrored else part
        part = np.ascontiguousarray(part)
        letterbox = Letterbox.fit(part.shape[:2], self._input_hw, "corner")
        raw = self._infer(image_tensor(letterbox.apply(part), "bgr"))
        boxes, scores = decode_yolox(raw, self._input_hw)
        scores = scores[:, [column - 5 for column in self._columns]]
        found = select_boxes(letterbox.boxes_to_source(boxes), scores, self._config.doubtful, 0.6)
        boxes = found.boxes_xyxy_px
        if tile.mirrored:
            boxes = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (part.shape[1], 0, part.shape[1], 0)
        boxes = boxes + np.array([tile.left, tile.top] * 2)
        whole = ~tile.cuts(boxes, image.shape[:2])
        labels = self._classes[found.labels[whole]]
        return Boxes(boxes[whole].astype(np.float32), found.scores[whole], labels.astype(np.int32))

    def _merged(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        labels: NDArray[np.int32],
        width_px: int,
    ) -> TaughtBoxes:
        config = self._config
        kept, names, doubtful = [], [], []
        left = np.argsort(-scores, kind="stable")
        while len(left):
            best = left[0]
            near = iou_2d(boxes[best : best + 1], boxes[left])[0] > config.same_object
            group = left[near]
            left = left[~near]
            same = group[labels[group] == labels[best]]
            mean = np.average(boxes[same], axis=0, weights=scores[same])
            sure = scores[best] >= config.sure
            agreed = scores[best] >= config.agreed and len(same) >= 3
            bonnet = mean[2] - mean[0] > 0.7 * width_px  # of the camera's own car
            if (sure or agreed) and not bonnet:
                kept.append(mean)
                names.append(labels[best])
            else:
                doubtful.append(mean)
        return TaughtBoxes(_rows(kept), np.array(names, np.int32), _rows(doubtful))


def agree_with_mask(taught: TaughtBoxes, mask: NDArray[np.uint8]) -> TaughtBoxes:
    """The teacher's boxes held against a CamVid mask (H, W), and what only the mask shows added.

    Vehicles and persons that the mask denies become doubtful; regions of cars and pedestrians that
    no box covers, too. Regions of signs on or beside a pole become traffic signs if they are wide
    enough to be read, the others doubtful.
    """
    car, person, rider, sign, pole = (
        CAMVID_LABELS.index(n) for n in ("car", "pedestrian", "bicyclist", "signsymbol", "pole")
    )
    ours = CAMERA_OBJECT_LABELS
    expected = {ours.index(name): (car,) for name in _VEHICLES}
    expected[ours.index("person")] = (person, rider)
    boxes, labels = list(taught.boxes_xyxy_px), list(taught.labels)
    believed = [
        label not in expected or _share(mask, box, expected[label]) > 0.25
        for box, label in zip(boxes, labels, strict=True)
    ]
    doubtful = [
        *taught.ignored_xyxy_px,
        *(b for b, ok in zip(boxes, believed, strict=True) if not ok),
    ]
    boxes = [box for box, ok in zip(boxes, believed, strict=True) if ok]
    labels = [label for label, ok in zip(labels, believed, strict=True) if ok]
    for part in (car, person, rider):
        for region in regions(mask == part, 30):
            if not _covered(region, boxes):
                doubtful.append(region)
    light = ours.index("traffic_light")
    lights = [box for box, label in zip(boxes, labels, strict=True) if label == light]
    for region in regions(mask == sign, 20):
        if _covered(region, lights):
            continue
        if min(region[2:] - region[:2]) >= _SMALLEST_SIGN_PX and _beside(mask == pole, region):
            boxes.append(region)
            labels.append(ours.index("traffic_sign"))
        else:
            doubtful.append(region)
    return TaughtBoxes(_rows(boxes), np.array(labels, np.int32), _rows(doubtful))


@dataclass(frozen=True, slots=True)
class _Tile:
    left: int
    top: int
    right: int
    bottom: int
    mirrored: bool

    def cuts(self, boxes: NDArray[np.floating], source_hw: tuple[int, int]) -> NDArray[np.bool_]:
        """Which boxes end at a side of the tile that is no side of the picture."""
        height, width = source_hw
        near = 3.0
        return (
            ((boxes[:, 0] < self.left + near) & (self.left > 0))
            | ((boxes[:, 1] < self.top + near) & (self.top > 0))
            | ((boxes[:, 2] > self.right - near) & (self.right < width))
            | ((boxes[:, 3] > self.bottom - near) & (self.bottom < height))
        )


def _tiles(source_hw: tuple[int, int], config: TeacherConfig) -> Iterator[_Tile]:
    height, width = source_hw
    for share in config.tile_shares:
        rows, columns = round(share * height), round(share * width)
        count = 1 if share >= 1.0 else round(1.0 / share + 0.75)
        for top in np.linspace(0, height - rows, count).astype(int):
            for left in np.linspace(0, width - columns, count).astype(int):
                for mirrored in (False, True):
                    yield _Tile(int(left), int(top), int(left) + columns, int(top) + rows, mirrored)


def _share(mask: NDArray[np.uint8], box: NDArray[np.floating], classes: tuple[int, ...]) -> float:
    left, top, right, bottom = np.round(box).astype(int)
    part = mask[max(top, 0) : bottom, max(left, 0) : right]
    return float(np.isin(part, classes).mean()) if part.size else 0.0


def _covered(region: NDArray[np.floating], boxes: list[NDArray[np.floating]]) -> bool:
    if not boxes:
        return False
    others = np.stack(boxes)
    low = np.maximum(others[:, :2], region[:2])
    high = np.minimum(others[:, 2:], region[2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=1).max()
    return bool(shared > 0.4 * np.prod(region[2:] - region[:2]))


def _beside(pole: NDArray[np.bool_], region: NDArray[np.floating]) -> bool:
    left, top, right, bottom = np.round(region).astype(int)
    wide = max(right - left, bottom - top) > 60
    around = pole[max(top - 2, 0) : bottom + 6, max(left - 3, 0) : right + 3]
    return not wide and int(around.sum()) >= 6


def _rows(boxes: list[NDArray[np.floating]]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)
