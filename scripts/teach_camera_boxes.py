#!/usr/bin/env python3
"""Writes boxes.json, the training labels of the camera detector, with YOLOX as the teacher.

    python scripts/teach_camera_boxes.py --root DATA --camvid DATA/camvid11_trainval \
        --teacher DATA/onnx_models/yolox_nano/yolox_nano.onnx \
        --pictures DATA/nuscenes_keyframe DATA/vod_frame/training/image_2

CamVid's training and validation pictures are held against their masks; the others are taught by
YOLOX alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from rich.progress import track

from spatial_perception.datasets.boxes import BoxPicture, write_box_list
from spatial_perception.datasets.camvid import read_camvid
from spatial_perception.datasets.images import image_files, read_rgb
from spatial_perception.training.teacher import (
    TaughtBoxes,
    TeacherConfig,
    YoloxTeacher,
    agree_with_mask,
)


def main() -> None:
    """Parses the command line, looks at every picture, writes the list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="folder above all pictures")
    parser.add_argument("--teacher", type=Path, required=True, help="YOLOX as ONNX, 416x416")
    parser.add_argument("--camvid", type=Path, help="CamVid; train and val are used")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="more folders")
    parser.add_argument("--output", type=Path, help="default: ROOT/camera_boxes/boxes.json")
    arguments = parser.parse_args()
    output = arguments.output or arguments.root / "camera_boxes" / "boxes.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    session = onnxruntime.InferenceSession(str(arguments.teacher))
    name = session.get_inputs()[0].name

    def infer(tensor: np.ndarray) -> np.ndarray:
        return np.asarray(session.run(None, {name: tensor})[0])

    pictures = list(_camvid(arguments.camvid, YoloxTeacher(infer, (416, 416))))
    near = replace(TeacherConfig(), tile_shares=(1.0, 0.6, 0.4, 0.28))
    pictures += _folders(arguments.pictures, YoloxTeacher(infer, (416, 416), near))
    write_box_list(output, arguments.root, pictures)
    boxes = sum(len(picture.boxes_xyxy_px) for picture in pictures)
    print(f"{output}: {boxes} boxes in {len(pictures)} pictures")


def _camvid(root: Path | None, teacher: YoloxTeacher) -> Iterator[BoxPicture]:
    frames = [f for split in ("train", "val") for f in read_camvid(root, split)] if root else []
    for frame in track(frames, "CamVid"):
        image, labels = frame.pair()
        taught = agree_with_mask(teacher(image), labels)
        yield _picture(frame.image_path, taught)


def _folders(folders: list[Path], teacher: YoloxTeacher) -> Iterator[BoxPicture]:
    for folder in folders:
        for path in track(image_files(folder), folder.name):
            yield _picture(path, teacher(read_rgb(path)))


def _picture(path: Path, taught: TaughtBoxes) -> BoxPicture:
    return BoxPicture(path, taught.boxes_xyxy_px, taught.labels, taught.ignored_xyxy_px)


if __name__ == "__main__":
    main()
