"""Starts the perception stages on the topics and frames of a driving simulator."""

from dataclasses import dataclass
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PACKAGE = "spatial_perception"
PASSED_ON = ("stages", "processes", "delivery", "log_level")


@dataclass(frozen=True)
class Preset:
    """What a simulator calls its things; {role} is the vehicle's role name.

    `transforms` are (parent, child, x y z in metres, yaw pitch roll in radians) of sensors whose
    mounts the simulator does not publish itself.
    """

    lidar: str
    camera: str
    camera_info: str
    frame: str
    transforms: tuple[tuple[str, str, str, str], ...] = ()


PRESETS = {
    "carla": Preset(
        "/carla/{role}/lidar",
        "/carla/{role}/rgb_front/image",
        "/carla/{role}/rgb_front/camera_info",
        "{role}",
    ),
    "awsim": Preset(
        "/sensing/lidar/top/pointcloud_raw",
        "/sensing/camera/traffic_light/image_raw",
        "/sensing/camera/traffic_light/camera_info",
        "base_link",
        (("base_link", "sensor_kit_base_link", "0.9 0.0 2.0", "-0.0364 0.015 -0.001"),),
    ),
}


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the perception graph and, where asked for, mounts and RViz."""
    arguments = [
        DeclareLaunchArgument(
            "simulator", choices=list(PRESETS), description="Whose topics and frames are taken."
        ),
        DeclareLaunchArgument(
            "role_name",
            default_value="ego_vehicle",
            description="CARLA's role name of the vehicle; another one needs its frame in config.",
        ),
        DeclareLaunchArgument(
            "config",
            default_value="",
            description="Parameter file in ROS format; empty for config/<simulator>.yaml.",
        ),
        DeclareLaunchArgument(
            "publish_mounts",
            default_value="true",
            choices=["true", "false"],
            description="Publish sensor mounts that the simulator leaves to others (AWSIM: to"
            " Autoware); false where Autoware runs.",
        ),
        DeclareLaunchArgument(
            "rviz",
            default_value="false",
            choices=["true", "false"],
            description="Show the results in RViz.",
        ),
        DeclareLaunchArgument(
            "stages",
            default_value="",
            description="Stages to run, separated by commas; empty for those of the file.",
        ),
        DeclareLaunchArgument(
            "processes",
            default_value="one",
            choices=["one", "each"],
            description="All stages in one process, or one process a stage.",
        ),
        DeclareLaunchArgument(
            "delivery",
            default_value="",
            choices=["", "newest", "lossless"],
            description="newest or lossless; empty for what the parameter file says.",
        ),
        DeclareLaunchArgument(
            "log_level", default_value="info", description="Least severity that is logged."
        ),
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_actions)])


def _actions(context: LaunchContext) -> list[Action]:
    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    share = Path(get_package_share_directory(PACKAGE))
    simulator, role = given("simulator"), given("role_name")
    preset = PRESETS[simulator]
    config = given("config") or str(share / "config" / f"{simulator}.yaml")
    perception = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / "launch" / "perception.launch.py")),
        launch_arguments={
            **{name: given(name) for name in PASSED_ON},
            "config": config,
            "use_sim_time": "true",
            "lidar_topic": preset.lidar.format(role=role),
            "camera_topic": preset.camera.format(role=role),
            "camera_info_topic": preset.camera_info.format(role=role),
        }.items(),
    )
    actions: list[Action] = [perception]
    if given("publish_mounts") == "true":
        actions += [_mount(*transform) for transform in preset.transforms]
    if given("rviz") == "true":
        view = str(share / "rviz" / "perception.rviz")
        actions.append(
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=["-d", view, "-f", preset.frame.format(role=role)],
                parameters=[{"use_sim_time": True}],
                output="screen",
            )
        )
    return actions


def _mount(parent: str, child: str, xyz: str, yaw_pitch_roll: str) -> Node:
    x, y, z = xyz.split()
    yaw, pitch, roll = yaw_pitch_roll.split()
    numbers = ["--x", x, "--y", y, "--z", z, "--yaw", yaw, "--pitch", pitch, "--roll", roll]
    return Node(
        package="tf2_ros",
        executable="static_transform_publisher",
        arguments=[*numbers, "--frame-id", parent, "--child-frame-id", child],
        parameters=[{"use_sim_time": True}],
    )
