"""Argoverse 2's layout: the real sweep, and what a reader meets when files are missing."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.core.boxes import points_in_boxes
from spatial_perception.core.labels import OBJECT_LABELS
from spatial_perception.datasets.argoverse2 import argoverse2_sweeps, read_argoverse2
from spatial_perception.errors import DatasetError
from test.datasets.real_data import unpacked

feather = pytest.importorskip("pyarrow.feather")


def write_log(root: Path) -> Path:
    import pyarrow

    sweep = {"x": [10.0, 5.0], "y": [0.0, 1.0], "z": [0.5, -0.33], "intensity": [255, 51],
             "laser_number": [3, 40], "offset_ns": [0, 1]}  # fmt: skip
    half = np.sqrt(0.5)
    boxes = {"timestamp_ns": [77, 77, 78], "category": ["BUS", "BOLLARD", "PEDESTRIAN"],
             "length_m": [12.0, 1.0, 1.0], "width_m": [3.0, 1.0, 1.0], "height_m": [3.0, 1.0, 2.0],
             "qw": [half, 1.0, 1.0], "qx": [0.0] * 3, "qy": [0.0] * 3, "qz": [half, 0.0, 0.0],
             "tx_m": [10.0, 0.0, 0.0], "ty_m": [0.0] * 3, "tz_m": [1.17, 0.0, 0.0],
             "num_interior_pts": [1, 0, 0]}  # fmt: skip
    folder = root / "log" / "sensors" / "lidar"
    folder.mkdir(parents=True)
    feather.write_feather(pyarrow.table(sweep), folder / "77.feather")
    feather.write_feather(pyarrow.table(boxes), root / "log" / "annotations.feather")
    return folder / "77.feather"


def test_boxes_of_the_sweeps_time_stand_on_the_ground(tmp_path: Path) -> None:
    path = write_log(tmp_path)
    assert argoverse2_sweeps(tmp_path) == argoverse2_sweeps(tmp_path / "log") == [path]
    sweep = read_argoverse2(path)
    assert sweep.categories == ("BUS", "BOLLARD")
    assert sweep.boxes[0] == pytest.approx([10, 0, 1.5, 12, 3, 3, np.pi / 2])
    assert sweep.labels.tolist() == [OBJECT_LABELS.index("truck"), 255]
    assert sweep.cloud.header.stamp_ns == 77
    assert sweep.cloud.points[1] == pytest.approx([5, 1, 0], abs=1e-6)
    assert sweep.cloud.intensity == pytest.approx([1.0, 0.2])


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no logs"):
        argoverse2_sweeps(tmp_path)
    path = write_log(tmp_path)
    (tmp_path / "log" / "annotations.feather").unlink()
    with pytest.raises(DatasetError, match="annotations.feather"):
        read_argoverse2(path)


def test_other_feather_files_are_named(tmp_path: Path) -> None:
    path = write_log(tmp_path)
    table = feather.read_table(path).drop_columns(["laser_number", "x"])
    feather.write_feather(table, path.with_name("78.feather"))
    with pytest.raises(DatasetError, match="78.feather: lacks the columns laser_number, x"):
        read_argoverse2(path.with_name("78.feather"))
    with pytest.raises(DatasetError, match="map.feather: expected a name TIMESTAMP"):
        read_argoverse2(path.with_name("map.feather"))


def test_real_boxes_hold_as_many_points_as_the_data_set_says(tmp_path: Path) -> None:
    root = unpacked("argoverse2_sweep", tmp_path)
    sweep = read_argoverse2(argoverse2_sweeps(root)[0])
    inside = points_in_boxes(sweep.cloud.points, sweep.boxes).sum(axis=0)
    near = np.abs(inside - sweep.hits) <= np.maximum(2, 0.05 * sweep.hits)
    assert near.all()
    assert (sweep.labels == OBJECT_LABELS.index("car")).sum() == 19
