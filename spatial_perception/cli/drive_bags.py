"""Bags of drives with truth, and where what the graph makes of them is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spatial_perception.errors import DatasetError


def bags_in(root: Path) -> list[Path]:
    """Returns the bags in a folder, or the folder where it is one itself."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    found = sorted(path.parent for path in root.glob("*/metadata.yaml"))
    if (root / "metadata.yaml").is_file():
        found = [root]
    return found


@contextmanager
def output_folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="spatial_perception_") as folder:
        yield Path(folder)
