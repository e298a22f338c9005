"""Executables as processes: start, bad parameters, CTRL-C."""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.ros


def test_interrupt_ends_the_process_with_zero_within_two_seconds(ros_process) -> None:
    process = ros_process("perception", "-p", "stages:=[occupancy_mapper]")
    process.wait_for("1 of 1 stages ready")
    code, elapsed_s = process.interrupt()
    assert code == 0, process.output
    assert elapsed_s < 2.0
    assert "Traceback" not in process.output


def test_misspelt_parameter_of_a_file_ends_with_the_near_miss(ros_process, tmp_path: Path) -> None:
    file = tmp_path / "typo.yaml"
    file.write_text("/**/occupancy_mapper:\n  ros__parameters:\n    resolution: 0.1\n")
    process = ros_process(
        "perception", "-p", "stages:=[occupancy_mapper]", "--params-file", str(file)
    )
    assert process.wait() == 2
    assert "unknown parameter 'resolution'; did you mean 'resolution_m'?" in process.output


def test_unknown_stage_ends_with_the_near_miss(ros_process) -> None:
    process = ros_process("perception", "-p", "stages:=[ocupancy_mapper]")
    assert process.wait() == 2
    assert "did you mean 'occupancy_mapper'?" in process.output


def test_bad_value_ends_with_one_line(ros_process) -> None:
    process = ros_process("occupancy_mapper", "-p", "size_m:=wide")
    assert process.wait() == 2
    assert "size_m: expected float, got 'wide'" in process.output


def test_missing_parameter_file_ends_with_one_line(ros_process) -> None:
    process = ros_process("occupancy_mapper", "--params-file", "/nowhere/my.yaml")
    assert process.wait() == 2
    assert "/nowhere/my.yaml" in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("use_sim_time: 'true'", "use_sim_time: expected bool, got 'true'"),
        (
            "qos_overrides: {/perception/occupancy/grid: {publisher: {reliability: firm}}}",
            "reliability: expected one of system_default, reliable, best_effort",
        ),
        (
            "qos_overrides: {/sensing/lidar/points: {subscription: {reliability: firm}}}",
            "got 'firm'",
        ),
        (
            "qos_overrides: {/sensing/lidar/points: {subscription: {reliabilty: reliable}}}",
            "unknown policy 'reliabilty'; did you mean 'reliability'?",
        ),
        (
            "qos_overrides: {/sensing/lidar/points: {subscription: {depth: -1}}}",
            "depth: expected a whole number, got -1",
        ),
        ("lidars: []", "a parameter has no value; ROS takes an empty list for none, too"),
    ],
)
def test_what_rclpy_reads_itself_ends_with_one_line(
    parameters: str, message: str, ros_process, tmp_path: Path
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(f"/**/occupancy_mapper: {{ros__parameters: {{{parameters}}}}}\n")
    process = ros_process("occupancy_mapper", "--params-file", str(file))
    assert process.wait() == 2
    assert message in process.output
    assert "Traceback" not in process.output


def test_unknown_argument_of_ros_ends_with_its_name(ros_process) -> None:
    process = ros_process("occupancy_mapper", "--bogus")
    assert process.wait() == 2
    assert "unknown ROS arguments: ['--bogus']" in process.output


def test_message_package_that_is_missing_is_named(ros_process, tmp_path, monkeypatch) -> None:
    (tmp_path / "autoware_perception_msgs").mkdir()
    (tmp_path / "autoware_perception_msgs" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    process = ros_process("object_tracker", "-p", "autoware:=true")
    assert process.wait() == 2
    assert "needs the ROS package autoware_perception_msgs" in process.output
    assert "Traceback" not in process.output


def test_incompatible_quality_of_service_is_logged_once_with_what_to_do(ros, ros_process) -> None:
    rclpy = ros()
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import PointCloud2

    process = ros_process("occupancy_mapper", "-p", "delivery:=lossless")
    process.wait_for("1 of 1 stages ready")
    node = rclpy.create_node("best_effort_driver")
    for _ in range(2):
        node.create_publisher(PointCloud2, "/sensing/lidar/points", qos_profile_sensor_data)
    process.wait_for("offers another RELIABILITY: it must be reliable")
    assert process.interrupt()[0] == 0
    assert process.output.count("offers another") == 1
