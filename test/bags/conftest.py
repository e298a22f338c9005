"""Bags to read: small ones written by rosbags itself, the reference for reading."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def drive_bag() -> Path:
    """A real recording by rosbag2: 20 frames of a KITTI drive."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    bag = Path(os.environ.get("SPATIAL_PERCEPTION_DATA", beside)) / "kitti_raw_clip"
    if not bag.is_dir():
        pytest.skip("kitti_raw_clip is not there; set SPATIAL_PERCEPTION_DATA to its folder")
    return bag
