"""Video files."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from spatial_perception.errors import PerceptionError
from spatial_perception.visualization.video import VideoWriter


def pictures(count: int) -> list[np.ndarray]:
    base = np.full((64, 96, 3), 40, np.uint8)
    frames = [base.copy() for _ in range(count)]
    for index, frame in enumerate(frames):
        frame[:, : 8 * (index + 1)] = (220, 60, 20)
    return frames


def frames_of(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    capture.release()
    return frames


@pytest.mark.parametrize("codecs", [("vp09",), ("mp4v",)])
def test_every_picture_becomes_a_frame_of_its_colours(
    tmp_path: Path, codecs: tuple[str, ...]
) -> None:
    path = tmp_path / "video.mp4"
    with VideoWriter(path, 10.0, codecs) as writer:
        for picture in pictures(9):
            writer.write(picture)
    frames = frames_of(path)
    assert writer.frame_count == len(frames) == 9
    blue, _, red = frames[8][32, 30]
    assert red > 170
    assert blue < 80
    assert frames[0][32, 80].max() < 80


def test_the_rate_is_kept(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "video.mp4", 12.5) as writer:
        for picture in pictures(4):
            writer.write(picture)
    capture = cv2.VideoCapture(str(writer.path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12.5, abs=0.01)


def test_the_default_codec_plays_in_browsers(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "video.mp4", 10.0) as writer:
        writer.write(pictures(1)[0])
    assert writer.codec in ("vp09", "avc1")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    with pytest.raises(PerceptionError, match="the name is not UTF-8"):
        VideoWriter(path, 10.0).write(pictures(1)[0])


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "video.mp4", 10.0) as writer:
        writer.write(pictures(1)[0])
        with pytest.raises(ValueError, match=r"expected pictures of \(96, 64\)"):
            writer.write(np.zeros((10, 10, 3), np.uint8))


def test_a_missing_codec_is_named(tmp_path: Path) -> None:
    with (
        VideoWriter(tmp_path / "missing" / "video.mp4", 10.0, ("mp4v",)) as writer,
        pytest.raises(PerceptionError, match="mp4v"),
    ):
        writer.write(pictures(1)[0])
