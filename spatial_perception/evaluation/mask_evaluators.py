"""Segmenters of camera pictures on CamVid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage
from spatial_perception.core.labels import UNLABELED, LabelSet
from spatial_perception.datasets.camvid import CLASSES, CamvidFrame, Split, read_camvid
from spatial_perception.errors import DatasetError
from spatial_perception.evaluation.label_map import label_lut
from spatial_perception.evaluation.labelled_frames import LabelledFrames
from spatial_perception.evaluation.measurement import (
    Illustration,
    Measurement,
    Progress,
    Request,
)
from spatial_perception.pipelines.camera_segmenter import CameraSegmenter, CameraSegmenterConfig

SPLITS: tuple[Split, ...] = ("train", "val", "test")
_HEADER = Header(0, "camera")


def evaluate_camvid(request: Request, progress: Progress) -> Measurement:
    """A camera segmenter on CamVid's pictures at their own size, void left out.

    Without a split: the test where it is there, else the validation.
    """
    split = camvid_split(request)
    frames = request.choose_frames(read_camvid(request.root, split), lambda frame: frame.name)
    config = CameraSegmenterConfig(model=request.model, engine=request.engine)
    segmenter = CameraSegmenter(config)
    counted = LabelledFrames(CLASSES.names)

    def segmented(frame: CamvidFrame) -> NDArray[np.uint8]:
        found = segmenter(CameraImage(_HEADER, frame.image()))
        return label_lut(found.label_set, CLASSES)[found.labels]

    for index, frame in enumerate(frames):
        labels, truth = segmented(frame), frame.labels()
        if labels.shape != truth.shape:
            raise DatasetError(f"{frame.mask_path}: is {truth.shape}, its picture {labels.shape}")
        counted.add(labels, truth)
        progress(index + 1, len(frames))

    def picture(index: int) -> NDArray[np.uint8]:
        frame = frames[index]
        return triptych(frame.image(), segmented(frame), frame.labels(), CLASSES)

    illustration = Illustration(
        [frame.name for frame in frames],
        counted.errors,
        picture,
        confusion=counted.total().counts,
        classes=CLASSES.names,
    )
    return Measurement(split, len(frames), counted.compute, illustration)


def camvid_split(request: Request) -> Split:
    """The split that was asked for; without one the test where it is there, else the validation."""
    default: Split = "test" if (request.root / "test").is_dir() else "val"
    return request.choose_split(default, SPLITS)


def triptych(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    label_set: LabelSet,
) -> NDArray[np.uint8]:
    """(H, 3 W, 3) uint8 RGB: the picture, the prediction, the truth; what is void stays black."""
    shown = np.where(truth == UNLABELED, UNLABELED, labels)
    colors = label_set.color_lut
    return np.concatenate([image, colors[shown], colors[truth]], axis=1)
