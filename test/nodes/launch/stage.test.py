"""Each node, launched: normal input, an empty cloud, a broken message, CTRL-C within two seconds.

Run by `launch_test`, here from test_launch_testing.py.
"""

import importlib.util
import os
import signal
import sys
import time
import unittest

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import pytest
import rclpy
from launch import LaunchDescription
from launch.actions import ExecuteProcess

from spatial_perception.messages import DIAGNOSTICS, OCCUPANCY_GRID
from spatial_perception.nodes.qos import ros_qos
from spatial_perception.nodes.stage_node import message_class
from spatial_perception.stages.port import PortKind
from spatial_perception.stages.registry import STAGES, make_stage
from test.live_samples import empty_cloud, is_broken_on_purpose, sample, stage_inputs

READY_S, ANSWER_S, STOP_S = 120.0, 60.0, 2.0
STEP_NS = 100_000_000
HAS_SCAN_MATCHING = importlib.util.find_spec("kiss_icp") is not None
TESTED = [stage for stage in STAGES if stage != "ego_motion" or HAS_SCAN_MATCHING]


@pytest.mark.launch_test
@launch_testing.parametrize("stage", TESTED)
def generate_test_description(stage: str):
    """Returns the node's process, as its executable starts it."""
    code = (
        "import sys; from spatial_perception.nodes.executables import run_stage;"
        f" sys.exit(run_stage({stage!r}))"
    )
    node = ExecuteProcess(
        cmd=[sys.executable, "-c", code, "--ros-args", "-p", "delivery:=lossless"], output="screen"
    )
    keeper = ExecuteProcess(cmd=["sleep", "600"])  # the launch outlives the node's own end
    description = LaunchDescription([node, keeper, launch_testing.actions.ReadyToTest()])
    return description, {"node": node}


class TestStage(unittest.TestCase):
    """Talks to one node; tests run in the order of their names."""

    @classmethod
    def setUpClass(cls) -> None:
        rclpy.init()
        cls.talker = rclpy.create_node("talker")
        cls.stamp_ns = time.time_ns()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.talker.destroy_node()
        rclpy.shutdown()

    def test_1_normal_input_gives_results(self, node, stage, proc_output) -> None:
        proc_output.assertWaitFor("1 of 1 stages ready", process=node, timeout=READY_S)
        self._connect(stage)
        self._send_until(lambda: self.results)

    def test_2_empty_cloud_is_answered_or_passed_over(self, stage, proc_info, node) -> None:
        self._connect(stage)
        clouds = [p for p in self.ports if p.codec.core_type.__name__ == "PointCloud"]
        for port in clouds:
            self.stamp_ns += STEP_NS
            self.publishers[port.name].publish(empty_cloud(self.stamp_ns))
        self._send_until(lambda: self.results)
        assert node.process_details is not None, "the node runs"

    def test_3_broken_message_is_counted_and_the_next_one_works(self, stage) -> None:
        self._connect(stage)
        for port in self.ports:
            if is_broken_on_purpose(port):
                self.stamp_ns += STEP_NS
                self.publishers[port.name].publish(sample(port.codec, self.stamp_ns)[:-24])
        self._spin_until(lambda: int(self._diagnostics(stage).get("dropped_decode", "0")) > 0)
        self._send_until(lambda: self.results)

    def test_4_interrupt_ends_the_node_in_time(self, node, proc_info) -> None:
        os.kill(node.process_details["pid"], signal.SIGINT)
        proc_info.assertWaitForShutdown(process=node, timeout=STOP_S)

    def _connect(self, name: str) -> None:
        """Opens all inputs and outputs of the stage, once matched."""
        stage = make_stage(name, {})
        self.ports = list(stage_inputs(stage))
        self.results, self.reports = [], []
        self.publishers, self.subscriptions = {}, []
        for port in self.ports:
            kind = message_class(port.codec.ros_type)
            qos = ros_qos(port.qos)
            if port.kind is PortKind.SENSOR:
                qos = 10
            self.publishers[port.name] = self.talker.create_publisher(kind, port.topic, qos)
        for port in stage.outputs:
            kind = message_class(port.codec.ros_type)
            # lists of classes come once; a grid is latched too, but comes with every cloud
            is_result = port.kind is not PortKind.LATCHED or port.codec is OCCUPANCY_GRID
            take = self.results.append if is_result else len
            self.subscriptions.append(
                self.talker.create_subscription(kind, port.topic, take, ros_qos(port.qos), raw=True)
            )
        kind = message_class(DIAGNOSTICS.ros_type)
        self.subscriptions.append(
            self.talker.create_subscription(kind, "/diagnostics", self.reports.append, 10, raw=True)
        )
        self.addCleanup(self._disconnect)
        self._spin_until(lambda: all(p.get_subscription_count() for p in self.publishers.values()))

    def _disconnect(self) -> None:
        for publisher in self.publishers.values():
            self.talker.destroy_publisher(publisher)
        for subscription in self.subscriptions:
            self.talker.destroy_subscription(subscription)

    def _send_until(self, condition) -> None:
        """Sends whole sets of inputs until the condition holds."""
        self.results.clear()
        end_s = time.monotonic() + ANSWER_S
        while not condition():
            assert time.monotonic() < end_s, "no result"
            self.stamp_ns += STEP_NS
            for port in self.ports:
                self.publishers[port.name].publish(sample(port.codec, self.stamp_ns))
            for _ in range(10):
                rclpy.spin_once(self.talker, timeout_sec=0.05)

    def _spin_until(self, condition) -> None:
        end_s = time.monotonic() + ANSWER_S
        while not condition():
            assert time.monotonic() < end_s, "timed out"
            rclpy.spin_once(self.talker, timeout_sec=0.05)

    def _diagnostics(self, stage: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for data in self.reports:
            for status in DIAGNOSTICS.decode(data).statuses:
                if status.name == f"perception: {stage}":
                    values = dict(status.values)
        return values


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    """After the node has ended."""

    def test_exit_code_is_zero(self, node, proc_info) -> None:
        launch_testing.asserts.assertExitCodes(proc_info, process=node)
