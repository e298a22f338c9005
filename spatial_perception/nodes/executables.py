"""One executable for each stage: a process with that stage alone."""

from __future__ import annotations

from functools import partial

from rclpy.node import Node

from spatial_perception.nodes.parameters import check_unknown
from spatial_perception.nodes.process import Process
from spatial_perception.nodes.run import run
from spatial_perception.nodes.stage_node import StageNode


def run_stage(name: str) -> int:
    """Runs the process of one stage; returns its exit code."""
    return run(partial(_build, name))


def _build(name: str) -> tuple[Process, list[Node]]:
    node = StageNode(name)
    check_unknown({name: node.given}, {name: [info.name for info in node.infos]})
    process = Process([node], node, node.config.delivery)
    if node.config.autostart:
        process.autostart([node])
    return process, [node]


def camera_detector() -> int:
    """Runs the stage camera_detector."""
    return run_stage("camera_detector")


def camera_segmenter() -> int:
    """Runs the stage camera_segmenter."""
    return run_stage("camera_segmenter")


def sign_classifier() -> int:
    """Runs the stage sign_classifier."""
    return run_stage("sign_classifier")


def light_classifier() -> int:
    """Runs the stage light_classifier."""
    return run_stage("light_classifier")


def lidar_detector() -> int:
    """Runs the stage lidar_detector."""
    return run_stage("lidar_detector")


def lidar_segmenter() -> int:
    """Runs the stage lidar_segmenter."""
    return run_stage("lidar_segmenter")


def ego_motion() -> int:
    """Runs the stage ego_motion."""
    return run_stage("ego_motion")


def occupancy_mapper() -> int:
    """Runs the stage occupancy_mapper."""
    return run_stage("occupancy_mapper")


def camera_lidar_fusion() -> int:
    """Runs the stage camera_lidar_fusion."""
    return run_stage("camera_lidar_fusion")


def object_tracker() -> int:
    """Runs the stage object_tracker."""
    return run_stage("object_tracker")


def overlay() -> int:
    """Runs the stage overlay."""
    return run_stage("overlay")
