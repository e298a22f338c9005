"""LiDAR sensors by table: presets, and those that users describe in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spatial_perception.config import from_mapping, load_yaml, option
from spatial_perception.errors import ConfigError

_FILES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class LidarModel:
    """A spinning LiDAR, or one that sweeps over a part of the turn ahead."""

    name: str = option(help="of the sensor in names of shards")
    elevations_deg: tuple[float, ...] = option(
        help="of the beams, top first", unit="deg", range=(-90, 90)
    )
    columns: int = option(help="firings a turn", range=(8, 100_000))
    mount_z_m: float = option(help="of the sensor over base_link", unit="m", range=(1, 10))
    max_range_m: float = option(help="farthest return", unit="m", range=(1, 1000))
    min_range_m: float = option(1.5, help="nearest return", unit="m", range=(0, 100))
    spin_time_s: float = option(0.1, help="of one turn", unit="s", range=(0.001, 10))
    field_of_view_deg: float = option(
        360.0, help="covered by the firings, its middle ahead", unit="deg", range=(1, 360)
    )


@dataclass(frozen=True, slots=True)
class EvenBeams:
    """Elevations in equal steps."""

    top: float = option(help="of the topmost beam", unit="deg", range=(-90, 90))
    bottom: float = option(help="of the lowest beam", unit="deg", range=(-90, 90))
    count: int = option(help="of beams", range=(1, 1024))


def _even(top: float, bottom: float, count: int) -> tuple[float, ...]:
    return tuple(float(v) for v in np.linspace(top, bottom, count))


LIDAR_MODELS = {
    model.name: model
    for model in (
        # Velodyne HDL-64E S2: an upper block at 1/3 degree, a lower one at 1/2 degree; leaning
        # back by half a degree, as KITTI's does.
        LidarModel("hdl64", _even(2.6, -7.73, 32) + _even(-8.23, -24.2, 32), 2083, 1.73, 120.0),
        # Velodyne VLP-32C: dense around the horizon (user manual, table 9-1).
        LidarModel(
            "vlp32",
            (
                15.0,
                10.333,
                7.0,
                4.667,
                3.333,
                2.333,
                1.667,
                1.333,
                1.0,
                0.667,
                0.333,
                0.0,
                -0.333,
                -0.667,
                -1.0,
                -1.333,
                -1.667,
                -2.0,
                -2.333,
                -2.667,
                -3.0,
                -3.333,
                -3.667,
                -4.0,
                -4.667,
                -5.333,
                -6.148,
                -7.254,
                -8.843,
                -11.31,
                -15.639,
                -25.0,
            ),
            1800,
            1.85,
            130.0,
        ),
        # HDL-32E as nuScenes mounts it.
        LidarModel("beam32", _even(10.67, -30.67, 32), 1085, 1.84, 80.0),
        # A 128-beam sensor like the Ouster OS1-128.
        LidarModel("beam128", _even(22.5, -22.5, 128), 1024, 1.80, 100.0),
    )
}


def lidar_model(sensor: str) -> LidarModel:
    """Returns a preset, or the sensor that a YAML file describes.

    Args:
        sensor: name of a preset, or path of a file that ends with .yaml or .yml. The file has the
            fields of `LidarModel`; `elevations_deg` may be a mapping of `top`, `bottom` and
            `count`, and without `name` the sensor is called like the file.

    Raises:
        ConfigError: no such preset, or the file cannot be read or describes no sensor.
    """
    if sensor in LIDAR_MODELS:
        return LIDAR_MODELS[sensor]
    path = Path(sensor)
    if path.suffix.lower() in _FILES:
        return _described(path)
    known = ", ".join(LIDAR_MODELS)
    raise ConfigError(
        f"no LiDAR sensor '{sensor}'; known: {known}, or a YAML file with a sensor of your own"
    )


def _described(path: Path) -> LidarModel:
    mapping = {"name": path.stem, **load_yaml(path)}
    beams = mapping.get("elevations_deg")
    if isinstance(beams, Mapping):
        even = from_mapping(EvenBeams, beams, f"{path}: elevations_deg")
        mapping["elevations_deg"] = _even(even.top, even.bottom, even.count)
    elif isinstance(beams, list):  # numbers or not, which is checked next
        mapping["elevations_deg"] = sorted(beams, key=lambda v: -v) if _numbers(beams) else beams
    model = from_mapping(LidarModel, mapping, str(path))
    if not model.elevations_deg:
        raise ConfigError(f"{path}: elevations_deg: a sensor has one beam or more")
    if not model.min_range_m < model.max_range_m:
        raise ConfigError(f"{path}: min_range_m has to be less than max_range_m")
    if not re.fullmatch(r"[\w-]+", model.name):
        raise ConfigError(
            f"{path}: name '{model.name}' becomes part of file names: letters, digits, _ and -"
        )
    if model.name in LIDAR_MODELS:
        raise ConfigError(f"{path}: '{model.name}' is the name of a preset, give it another")
    return model


def _numbers(values: list[object]) -> bool:
    return all(isinstance(v, (int, float)) for v in values)
