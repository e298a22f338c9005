"""Executables as processes: start, bad parameters, CTRL-C."""

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
