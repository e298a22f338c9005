"""`spatial-perception simulate --pictures`: labelled pictures for the camera detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2

from spatial_perception.datasets.boxes import BoxPicture, write_box_list
from spatial_perception.errors import PerceptionError
from spatial_perception.simulation.pictures import simulate_picture

_QUALITY = 92


def write_pictures(
    out_dir: Path, seeds: Sequence[int], workers: int, progress: Callable[[int], None]
) -> None:
    """Writes a JPEG a seed, and boxes.json with the boxes of all.

    Args:
        out_dir: folder; made where missing.
        seeds: one a picture.
        workers: processes that make pictures.
        progress: called with how many are there.

    Raises:
        PerceptionError: if the folder holds boxes.json already, or cannot be written.
    """
    boxes = out_dir / "boxes.json"
    if boxes.exists():
        raise PerceptionError(f"{boxes} exists; name another folder")
    out_dir.mkdir(parents=True, exist_ok=True)
    pictures = []
    with ProcessPoolExecutor(max(workers, 1), get_context("spawn")) as pool:
        for done, picture in enumerate(pool.map(partial(_write_one, out_dir=out_dir), seeds), 1):
            pictures.append(picture)
            progress(done)
    write_box_list(boxes, out_dir, pictures)


def _write_one(seed: int, out_dir: Path) -> BoxPicture:
    made = simulate_picture(seed)
    path = out_dir / f"{seed:07d}.jpg"
    jpeg = cv2.imencode(".jpg", made.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    path.write_bytes(jpeg.tobytes())
    return BoxPicture(path, made.boxes_xyxy_px, made.labels, made.ignored_xyxy_px)
