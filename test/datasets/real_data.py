"""Real recordings in the layouts of their data sets, if they are here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def data_file(name: str) -> Path:
    """A file of the real recordings; skips the test where it is absent."""
    root = Path(os.environ.get("SPATIAL_PERCEPTION_DATA", "../shared/data"))
    path = root / name
    if not path.exists():
        pytest.skip(f"no {name} in {root}")
    return path


def unpacked(name: str, target: Path) -> Path:
    """The folder of a packed data set, restored under `target` by the script beside the data."""
    data_file(f"{name}.zip")
    script = data_file("unpack.py").resolve()
    subprocess.run([sys.executable, script, target, name], check=True, capture_output=True)
    return target / name
