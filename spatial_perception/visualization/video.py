"""Video files that browsers play."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from spatial_perception.errors import PerceptionError
from spatial_perception.visualization.theme import RgbImage

# In order of preference: VP9 plays in every current browser and OpenCV's wheels can write it;
# they cannot write H.264, a system's OpenCV often can; MPEG-4 part 2 is for desktop players.
CODECS = ("vp09", "avc1", "mp4v")


class VideoWriter:
    """Writes equal-sized RGB pictures into an MP4 file.

    Args:
        path: The file, replaced where it exists.
        fps: Pictures a second.
        codecs: Four-letter codes to try in this order.

    Raises:
        PerceptionError: From `write`, when OpenCV can write none of the codecs.
    """

    def __init__(self, path: Path, fps: float, codecs: tuple[str, ...] = CODECS) -> None:
        self.path = path
        self.codec = ""
        self.frame_count = 0
        self._fps = fps
        self._codecs = codecs
        self._size = (0, 0)
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, picture: RgbImage) -> None:
        """Appends one picture; the first one sets the size.

        Raises:
            ValueError: The size differs from the first picture's.
            PerceptionError: No codec is to be had.
        """
        size = picture.shape[1], picture.shape[0]
        if self._writer is None:
            self._writer = self._open(size)
            self._size = size
        if size != self._size:
            raise ValueError(f"expected pictures of {self._size} (width, height), got {size}")
        self._writer.write(np.ascontiguousarray(picture[:, :, ::-1]))
        self.frame_count += 1

    def close(self) -> None:
        """Finishes the file."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _open(self, size: tuple[int, int]) -> cv2.VideoWriter:
        try:
            str(self.path).encode()  # OpenCV crashes on what is not UTF-8
        except UnicodeEncodeError as error:
            raise PerceptionError(f"cannot write {self.path}: the name is not UTF-8") from error
        for codec in self._codecs:
            fourcc = cv2.VideoWriter.fourcc(*codec)
            writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, fourcc, self._fps, size)
            if writer.isOpened():
                self.codec = codec
                return writer
        raise PerceptionError(
            f"cannot write {self.path}: OpenCV has none of the codecs {', '.join(self._codecs)};"
            " check that the folder is writable and install opencv-python-headless"
        )
