"""Sensors by table: presets and files of users."""

from pathlib import Path

import numpy as np
import pytest

from spatial_perception.datasets.shards import read_shard
from spatial_perception.errors import ConfigError
from spatial_perception.simulation.drive import Drive, DriveConfig
from spatial_perception.simulation.lidar_models import LIDAR_MODELS, lidar_model
from spatial_perception.simulation.shards import write_shards

OWN = """
elevations_deg: {top: 10, bottom: -20, count: 16}
columns: 600
mount_z_m: 1.9
max_range_m: 80
field_of_view_deg: 120
"""


def described(folder: Path, text: str, name: str = "own.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_tables_have_the_beams_of_the_sensors_they_name() -> None:
    beams = {name: len(model.elevations_deg) for name, model in LIDAR_MODELS.items()}

    assert beams == {"hdl64": 64, "vlp32": 32, "beam32": 32, "beam128": 128}
    upper = np.diff(lidar_model("hdl64").elevations_deg)
    assert upper[0] == pytest.approx(-1 / 3, abs=0.01)
    assert upper[-1] == pytest.approx(-0.5, abs=0.02)


def test_unknown_sensor_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no LiDAR sensor 'hdl65'.*hdl64.*beam128.*YAML"):
        lidar_model("hdl65")


def test_a_file_describes_a_sensor(tmp_path: Path) -> None:
    model = lidar_model(described(tmp_path, OWN))

    assert model.name == "own"
    assert model.elevations_deg == tuple(np.linspace(10, -20, 16))
    assert (model.columns, model.mount_z_m, model.field_of_view_deg) == (600, 1.9, 120.0)
    assert (model.min_range_m, model.spin_time_s) == (1.5, 0.1)


def test_listed_beams_are_numbered_from_the_top(tmp_path: Path) -> None:
    text = "name: four\nelevations_deg: [-5, 2.5, -15, 0]\ncolumns: 300\nmount_z_m: 2\n"
    model = lidar_model(described(tmp_path, text + "max_range_m: 50\n"))

    assert (model.name, model.elevations_deg) == ("four", (2.5, 0.0, -5.0, -15.0))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (OWN + "colums: 3", "own.yaml", "colums.*did you mean 'columns'"),
        (OWN.replace("columns: 600", ""), "own.yaml", "columns"),
        (OWN.replace("count: 16", "count: 0"), "own.yaml", "elevations_deg.*count"),
        (OWN.replace("{top: 10, bottom: -20, count: 16}", "[]"), "own.yaml", "one beam or more"),
        (OWN.replace("{top: 10, bottom: -20, count: 16}", "[a]"), "own.yaml", "expected float"),
        (OWN + "min_range_m: 80", "own.yaml", "less than max_range_m"),
        (OWN.replace("mount_z_m: 1.9", "mount_z_m: 0.4"), "own.yaml", "mount_z_m"),
        (OWN, "hdl64.yaml", "name of a preset"),
        (OWN, "my sensor.yaml", "letters, digits"),
        ("- 1", "own.yaml", "expected a mapping"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(
    text: str, name: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        lidar_model(described(tmp_path, text, name))


def test_a_missing_file_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        write_shards(tmp_path / "out", [1], str(tmp_path / "none.yaml"))
    assert not (tmp_path / "out").exists()


def test_shards_of_an_own_sensor_carry_its_name_and_view(tmp_path: Path) -> None:
    (path,) = write_shards(tmp_path / "out", [5], described(tmp_path, OWN))
    points = read_shard(path).points
    azimuth = np.degrees(np.arctan2(points[:, 1], points[:, 0]))

    assert path.name == "own_0000005.npz"
    assert len(points) > 1000
    assert np.abs(azimuth).max() < 61


def test_a_turn_of_a_drive_takes_the_sensors_time_but_no_longer_than_to_the_next(
    tmp_path: Path,
) -> None:
    fast = described(tmp_path, OWN + "spin_time_s: 0.04")
    for sensor, rate_hz, turn_s in ((fast, 10.0, 0.04), (fast, 50.0, 0.02), ("beam32", 5.0, 0.1)):
        drive = Drive(DriveConfig(seconds=0.4, rate_hz=rate_hz, sensor=sensor, with_camera=False))
        assert drive.lidar.spin_time_s == turn_s
