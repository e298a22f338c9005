"""All stages by name, and graphs built from configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatial_perception.config import from_mapping, load_yaml, merged, near_miss, nested, option
from spatial_perception.errors import ConfigError
from spatial_perception.stages.camera import (
    CameraDetectorStage,
    CameraDetectorStageConfig,
    CameraSegmenterStage,
    CameraSegmenterStageConfig,
)
from spatial_perception.stages.camera_lidar_fusion import (
    CameraLidarFusionStage,
    CameraLidarFusionStageConfig,
)
from spatial_perception.stages.classifiers import (
    LightClassifierStage,
    LightClassifierStageConfig,
    SignClassifierStage,
    SignClassifierStageConfig,
)
from spatial_perception.stages.graph import ErrorHandler, Graph
from spatial_perception.stages.host_config import HOST_OPTIONS, is_host_option
from spatial_perception.stages.lidar import (
    LidarDetectorStage,
    LidarDetectorStageConfig,
    LidarSegmenterStage,
    LidarSegmenterStageConfig,
)
from spatial_perception.stages.names import check_sensor_names
from spatial_perception.stages.object_tracker import ObjectTrackerStage, ObjectTrackerStageConfig
from spatial_perception.stages.occupancy import OccupancyMapperStage, OccupancyMapperStageConfig
from spatial_perception.stages.overlay import OverlayStage, OverlayStageConfig
from spatial_perception.stages.scan_matching import EgoMotionStage, EgoMotionStageConfig
from spatial_perception.stages.stage import Stage


@dataclass(frozen=True, slots=True)
class StageType:
    """A stage's configuration class and how it is made."""

    config: type[Any]
    make: Callable[[Any], Stage]


STAGES: Mapping[str, StageType] = {
    CameraDetectorStage.name: StageType(CameraDetectorStageConfig, CameraDetectorStage),
    CameraSegmenterStage.name: StageType(CameraSegmenterStageConfig, CameraSegmenterStage),
    SignClassifierStage.name: StageType(SignClassifierStageConfig, SignClassifierStage),
    LightClassifierStage.name: StageType(LightClassifierStageConfig, LightClassifierStage),
    LidarDetectorStage.name: StageType(LidarDetectorStageConfig, LidarDetectorStage),
    LidarSegmenterStage.name: StageType(LidarSegmenterStageConfig, LidarSegmenterStage),
    EgoMotionStage.name: StageType(EgoMotionStageConfig, EgoMotionStage),
    OccupancyMapperStage.name: StageType(OccupancyMapperStageConfig, OccupancyMapperStage),
    CameraLidarFusionStage.name: StageType(CameraLidarFusionStageConfig, CameraLidarFusionStage),
    ObjectTrackerStage.name: StageType(ObjectTrackerStageConfig, ObjectTrackerStage),
    OverlayStage.name: StageType(OverlayStageConfig, OverlayStage),
}

GRAPH_NODE = "perception"
ALL_NODES = "/**"
ANY_NAMESPACE = "/**/"


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """Options of the whole graph, under the node name `perception`."""

    stages: tuple[str, ...] = option(tuple(STAGES), help="stages that run")


Parameters = dict[str, dict[str, Any]]


def load_parameters(path: str | Path) -> Parameters:
    """Returns nested parameters by node name, from a file in ROS parameter format.

    Values under `/**` hold for every node that has such an option and give way to a node's own,
    one by one within a group, too.

    Raises:
        ConfigError: the file is unreadable, names an unknown node, or is not in that format.
    """
    known = (*STAGES, GRAPH_NODE)
    shared: dict[str, Any] = {}
    parameters: Parameters = {name: {} for name in known}
    for key, content in load_yaml(path).items():
        name = key.removeprefix(ANY_NAMESPACE).lstrip("/") if key != ALL_NODES else key
        if name != ALL_NODES and name not in known:
            raise ConfigError(f"{path}: unknown node '{key}'{near_miss(name, known)}")
        values = content.get("ros__parameters") if isinstance(content, dict) else None
        if not isinstance(values, dict) or len(content) != 1:
            raise ConfigError(f"{path}: '{key}' must hold 'ros__parameters:' and nothing else")
        if name == ALL_NODES:
            shared = nested(values)
        else:
            parameters[name] = merged(parameters[name], nested(values))
    for key in shared:
        if not any(_takes(name, key) for name in known):
            options = {option for name in known for option in _options(name)}
            raise ConfigError(
                f"{path}: {ALL_NODES}: no node has an option '{key}'{near_miss(key, options)}"
            )
    return {
        name: merged({k: v for k, v in shared.items() if _takes(name, k)}, values)
        for name, values in parameters.items()
    }


def _options(node: str) -> set[str]:
    """Returns the names of a node's options; of nested ones the group's."""
    config = GraphConfig if node == GRAPH_NODE else STAGES[node].config
    return {*HOST_OPTIONS, *(field.name for field in dataclasses.fields(config))}


def _takes(node: str, key: str) -> bool:
    return key.split(".", 1)[0] in _options(node)


def make_stage(name: str, values: Mapping[str, Any], where: str = "") -> Stage:
    """Returns a stage from its plain parameters (dotted keys allowed).

    Raises:
        ConfigError: no such stage, an unknown parameter or a bad value.
    """
    if name not in STAGES:
        raise ConfigError(f"unknown stage '{name}'{near_miss(name, STAGES)}")
    own = _without_host_options(values)
    place = f"{where}: {name}" if where else name
    stage_type = STAGES[name]
    config = from_mapping(stage_type.config, nested(own), place)
    lidars = (*getattr(config, "lidars", ()), getattr(config, "lidar", ""))
    check_sensor_names(getattr(config, "cameras", ()), lidars, place)
    return stage_type.make(config)


def build_graph(
    parameters: Mapping[str, Mapping[str, Any]],
    only: Sequence[str] = (),
    on_error: ErrorHandler | None = None,
    where: str = "",
) -> Graph:
    """Returns the graph that parameters describe.

    Args:
        parameters: as `load_parameters` gives them; missing nodes take their defaults.
        only: stages to run, instead of the ones that `perception.stages` lists.
        on_error: see `Graph`.
        where: the parameters' origin, for messages.

    Raises:
        ConfigError: an unknown stage or parameter, or a bad value.
    """
    own = parameters.get(GRAPH_NODE, {})
    values = nested(_without_host_options(own))
    config = from_mapping(GraphConfig, values, f"{where}: {GRAPH_NODE}")
    names = tuple(only) or config.stages
    stages = [make_stage(name, parameters.get(name, {}), where) for name in names]
    return Graph(stages, on_error)


def _without_host_options(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if not is_host_option(k)}
