"""Arrays in npz files, whatever is wrong with them told as one error."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from spatial_perception.errors import DatasetError

_DAMAGE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)
"""What reading raises where a file is missing, cut off or damaged, or lacks an array."""


@contextmanager
def open_npz(path: Path, expected: str) -> Iterator[np.lib.npyio.NpzFile]:
    """The arrays of a file by name, read when asked for.

    Args:
        path: The file.
        expected: What it should be, for the message.

    Raises:
        DatasetError: The file cannot be read, or an error of `_DAMAGE` comes out of the block.
    """
    try:
        arrays = np.load(path, allow_pickle=False)
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array")
        with arrays:
            yield arrays
    except _DAMAGE as error:
        raise DatasetError(f"{path}: not {expected}: {error}") from error
