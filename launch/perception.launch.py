"""Starts the perception stages: in one process, or each in a process of its own."""

import os
import tempfile
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PACKAGE = "spatial_perception"
STAGES = (
    "camera_detector",
    "camera_segmenter",
    "sign_classifier",
    "light_classifier",
    "lidar_detector",
    "lidar_segmenter",
    "ego_motion",
    "occupancy_mapper",
    "camera_lidar_fusion",
    "object_tracker",
    "overlay",
)
TOPICS = {
    "lidar_topic": ("sensing/lidar/points", "sensor_msgs/PointCloud2"),
    "camera_topic": (
        "sensing/camera/front/image",
        "sensor_msgs/Image; TOPIC/compressed is taken too",
    ),
    "camera_info_topic": ("sensing/camera/front/camera_info", "sensor_msgs/CameraInfo"),
}


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments and the nodes they lead to."""
    share = Path(get_package_share_directory(PACKAGE))
    arguments = [
        DeclareLaunchArgument(
            "config",
            default_value=str(share / "config" / "perception.yaml"),
            description="Parameter file in ROS format; what it leaves out keeps its default.",
        ),
        DeclareLaunchArgument(
            "namespace",
            default_value="",
            description="Namespace of all nodes and topics, for example a vehicle's name;"
            " /tf, /tf_static and /diagnostics stay where they are.",
        ),
        DeclareLaunchArgument(
            "stages",
            default_value="",
            description=f"Stages to run, separated by commas: {', '.join(STAGES)}."
            " Empty for those the parameter file lists, or all.",
        ),
        DeclareLaunchArgument(
            "processes",
            default_value="one",
            choices=["one", "each"],
            description="one: all stages in one process, values pass between them without"
            " serialization. each: one process a stage.",
        ),
        DeclareLaunchArgument(
            "use_sim_time",
            default_value="",
            choices=["", "true", "false"],
            description="Take time from /clock, as a bag player or a simulator publishes it."
            " Empty for what the parameter file says.",
        ),
        DeclareLaunchArgument(
            "delivery",
            default_value="",
            choices=["", "newest", "lossless"],
            description="newest: an overtaken sensor message is dropped and counted."
            " lossless: every message is processed. Empty for what the parameter file says.",
        ),
        DeclareLaunchArgument(
            "autostart",
            default_value="",
            choices=["", "true", "false"],
            description="Configure and activate the nodes at start; false where a lifecycle"
            " manager does that. Empty for what the parameter file says.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info", "warn", "error", "fatal"],
            description="Least severity that is logged.",
        ),
    ]
    arguments += [
        DeclareLaunchArgument(name, default_value=topic, description=f"Input topic ({kind}).")
        for name, (topic, kind) in TOPICS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_nodes)])


def _nodes(context: LaunchContext) -> list[Node]:
    given = {
        name: LaunchConfiguration(name).perform(context)
        for name in ("config", "namespace", "stages", "processes", "log_level")
    }
    parameters = _parameters(context, given)
    if given["processes"] == "one":
        executables = ["perception"]
    else:
        executables = list(parameters["/**/perception"]["ros__parameters"].get("stages", STAGES))
    file = _write(parameters)
    return [
        Node(
            package=PACKAGE,
            executable=executable,
            namespace=given["namespace"],
            parameters=[file],
            remappings=_remappings(context),
            ros_arguments=["--log-level", given["log_level"]],
            output="screen",
        )
        for executable in executables
    ]


def _parameters(context: LaunchContext, given: dict) -> dict:
    """Returns the file's parameters with those of the arguments, valid in every namespace."""
    parameters = _load(given["config"])
    shared = {}
    if use_sim_time := LaunchConfiguration("use_sim_time").perform(context):
        shared["use_sim_time"] = use_sim_time == "true"
    if delivery := LaunchConfiguration("delivery").perform(context):
        shared["delivery"] = delivery
    if autostart := LaunchConfiguration("autostart").perform(context):
        shared["autostart"] = autostart == "true"
    if names := [name.strip() for name in given["stages"].split(",") if name.strip()]:
        parameters["perception"]["stages"] = names
    return {
        f"/**/{name}": {"ros__parameters": {"use_sim_time": False, **values, **shared}}
        for name, values in parameters.items()
    }


def _load(path: str) -> dict:
    """Returns the file's parameters by node name.

    The environment stays as it is for what is launched: OpenCV's wheel points Qt at plugins of its
    own when it is imported, with which RViz does not start.
    """
    environment = dict(os.environ)
    from spatial_perception.errors import PerceptionError
    from spatial_perception.stages.registry import load_parameters

    os.environ.clear()
    os.environ.update(environment)
    try:
        return load_parameters(path)
    except PerceptionError as error:
        raise RuntimeError(f"config: {error}") from error


class _PlainDumper(yaml.SafeDumper):
    """Writes what is shared out again: ROS reads no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _write(parameters: dict) -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="perception_", suffix=".yaml", delete=False
    ) as file:
        yaml.dump(parameters, file, Dumper=_PlainDumper)
    return file.name


def _remappings(context: LaunchContext) -> list[tuple[str, str]]:
    actual = {name: LaunchConfiguration(name).perform(context) for name in TOPICS}
    return [
        (default, actual[name]) for name, (default, _) in TOPICS.items() if actual[name] != default
    ]
