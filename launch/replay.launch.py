"""Plays a bag to the perception graph, as soon as its engines are ready; `rviz:=true` shows it."""

import re
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown
from launch.events.process import ProcessIO
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

PACKAGE = "spatial_perception"
PASSED_ON = ("config", "stages", "delivery", "log_level")
READY = re.compile(rb"\d+ of \d+ stages ready")
DISCOVERY_S = 1.0
ACKNOWLEDGE_MS = 5000  # without it the player takes what is not yet delivered with it


def generate_launch_description() -> LaunchDescription:
    """Returns the arguments, the perception graph, the player and RViz."""
    share = Path(get_package_share_directory(PACKAGE))
    arguments = [
        DeclareLaunchArgument("bag", description="Bag to play: folder or file."),
        DeclareLaunchArgument(
            "rate", default_value="1.0", description="Speed of the player over recorded speed."
        ),
        DeclareLaunchArgument(
            "loop",
            default_value="false",
            choices=["true", "false"],
            description="Play the bag again and again.",
        ),
        DeclareLaunchArgument(
            "rviz",
            default_value="false",
            choices=["true", "false"],
            description="Show the results in RViz; the launch then stays after the bag's end.",
        ),
        DeclareLaunchArgument(
            "linger",
            default_value="10.0",
            description="Seconds from the bag's end to the launch's, for what is still in work.",
        ),
        DeclareLaunchArgument(
            "exclude",
            default_value="/perception/.*|/diagnostics",
            description="Regular expression of topics that are not played, empty for none: the"
            " graph publishes results of its own.",
        ),
        DeclareLaunchArgument(
            "qos",
            default_value=str(share / "config" / "bag_play_qos.yaml"),
            description="Quality of service that the player offers, by topic.",
        ),
        DeclareLaunchArgument(
            "config",
            default_value=str(share / "config" / "perception.yaml"),
            description="Parameter file in ROS format.",
        ),
        DeclareLaunchArgument(
            "stages",
            default_value="",
            description="Stages to run, separated by commas; empty for those of the file.",
        ),
        DeclareLaunchArgument(
            "delivery",
            default_value="lossless",
            choices=["newest", "lossless"],
            description="lossless: every message is processed. newest: as on a vehicle.",
        ),
        DeclareLaunchArgument(
            "log_level",
            default_value="info",
            choices=["debug", "info"],
            description="Least severity that is logged; the player waits for a line of info.",
        ),
    ]
    perception = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(share / "launch" / "perception.launch.py")),
        launch_arguments={
            **{name: LaunchConfiguration(name) for name in PASSED_ON},
            "use_sim_time": "true",
        }.items(),
    )
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", str(share / "rviz" / "perception.rviz")],
        parameters=[{"use_sim_time": True}],
        condition=IfCondition(LaunchConfiguration("rviz")),
        output="screen",
    )
    return LaunchDescription([*arguments, OpaqueFunction(function=_player), perception, rviz])


def _player(context: LaunchContext) -> list[RegisterEventHandler]:
    values = {
        name: LaunchConfiguration(name).perform(context)
        for name in ("bag", "rate", "loop", "qos", "linger", "exclude")
    }
    command = [
        "ros2",
        "bag",
        "play",
        values["bag"],
        "--clock",
        "20",
        "--disable-keyboard-controls",
    ]
    command += ["--wait-for-all-acked", str(ACKNOWLEDGE_MS)]
    command += ["--rate", values["rate"], "--delay", str(DISCOVERY_S)]
    command += ["--qos-profile-overrides-path", values["qos"]]
    command += ["--exclude-regex", values["exclude"]] if values["exclude"] else []
    command += ["--loop"] if values["loop"] == "true" else []
    player = ExecuteProcess(cmd=command, output="screen", name="player")
    started = []

    def start_when_ready(event: ProcessIO) -> ExecuteProcess | None:
        if started or not READY.search(event.text):
            return None
        started.append(True)
        return player

    end = EmitEvent(
        event=Shutdown(reason="the bag has ended"),
        condition=UnlessCondition(LaunchConfiguration("rviz")),
    )
    return [
        RegisterEventHandler(OnProcessIO(on_stdout=start_when_ready, on_stderr=start_when_ready)),
        RegisterEventHandler(
            OnProcessExit(
                target_action=player,
                on_exit=[TimerAction(period=float(values["linger"]), actions=[end])],
            )
        ),
    ]
