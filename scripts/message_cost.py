#!/usr/bin/env python3
"""Measures what a message costs a process: this suite's hosts beside a plain rclpy node.

A cloud of 120,000 points (x y z intensity) and an rgb8 picture of 1920x1080 go from one process to
another over loopback. Counted is the processor time of the measured process, all threads, from the
bytes of the wire to arrays and back: it does not depend on what else the machine does.

python scripts/message_cost.py codec dds          # ros and plain too where ROS 2 is sourced
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from spatial_perception.core import CameraImage, Header, PointCloud
from spatial_perception.messages import IMAGE, POINT_CLOUD, Codec, QosProfile

POINTS, WIDTH, HEIGHT = 120_000, 1920, 1080
TOPIC = "/cost"
QOS = QosProfile(reliable=True, depth=5)
PERIOD_S = 0.05
NEVER_S = 1e9
Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Case:
    """A message: its codec, and a value of it."""

    codec: Codec[Any]
    value: Any


class Host(Protocol):
    """A way onto the network."""

    def publisher(self, case: Case) -> Callable[[Any], None]:
        """Returns a function that publishes a value."""

    def listen(self, case: Case, use: Callable[[Any], None]) -> None:
        """Calls back with each value that comes."""

    def spin(self, seconds: float) -> None:
        """Lets messages come for a while."""

    def matched(self) -> bool:
        """Returns whether the other side is there."""

    def close(self) -> None:
        """Leaves the network."""


def cases() -> dict[str, Case]:
    """Returns the two messages."""
    random = np.random.default_rng(0)
    points = random.normal(0, 20, (POINTS, 3)).astype(np.float32)
    intensity = random.random(POINTS, np.float32)
    pixels = random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    header = Header(1_700_000_000_000_000_000, "sensor")
    return {
        "cloud": Case(POINT_CLOUD, PointCloud(header, points, intensity)),
        "picture": Case(IMAGE, CameraImage(header, pixels)),
    }


class DdsHost:
    """This suite's DDS host."""

    def __init__(self) -> None:
        from spatial_perception.dds.participant import Participant

        self._participant = Participant()
        self._participant.add_node("cost")
        self._end: Any = None

    def publisher(self, case: Case) -> Callable[[Any], None]:
        from spatial_perception.dds.pubsub import TopicType

        self._end = self._participant.publish_on("cost", TopicType(TOPIC, case.codec.ros_type), QOS)
        return lambda value: self._end.publish(case.codec.encode(value))

    def listen(self, case: Case, use: Callable[[Any], None]) -> None:
        from spatial_perception.dds.pubsub import TopicType

        self._end = self._participant.subscribe_to(
            "cost",
            TopicType(TOPIC, case.codec.ros_type),
            QOS,
            lambda data: use(case.codec.decode(data)),
        )

    def spin(self, seconds: float) -> None:
        time.sleep(seconds)

    def matched(self) -> bool:
        return bool(self._end.matched)

    def close(self) -> None:
        self._participant.close()


class RosHost:
    """This suite's rclpy host: bytes and the codec."""

    def __init__(self) -> None:
        import rclpy

        if not rclpy.ok():
            rclpy.init()
        self._rclpy = rclpy
        self.node = rclpy.create_node("cost")

    def publisher(self, case: Case) -> Callable[[Any], None]:
        publisher = self.node.create_publisher(self.kind(case), TOPIC, QOS.depth)
        return lambda value: publisher.publish(case.codec.encode(value))

    def listen(self, case: Case, use: Callable[[Any], None]) -> None:
        self.node.create_subscription(
            self.kind(case),
            TOPIC,
            lambda data: use(case.codec.decode(data)),
            QOS.depth,
            raw=True,
        )

    def spin(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            self._rclpy.spin_once(self.node, timeout_sec=left_s)

    def matched(self) -> bool:
        return bool(self.node.count_publishers(TOPIC) and self.node.count_subscribers(TOPIC))

    def close(self) -> None:
        self.node.destroy_node()

    def kind(self, case: Case) -> Any:
        """Returns rclpy's message class."""
        from spatial_perception.nodes.stage_node import message_class

        return message_class(case.codec.ros_type)


class PlainHost(RosHost):
    """A node as tutorials write it: message objects, sensor_msgs_py, pixels as cv_bridge does."""

    def publisher(self, case: Case) -> Callable[[Any], None]:
        publisher = self.node.create_publisher(self.kind(case), TOPIC, QOS.depth)
        to_message = self._cloud_message if case.codec is POINT_CLOUD else self._image_message
        return lambda value: publisher.publish(to_message(value))

    def listen(self, case: Case, use: Callable[[Any], None]) -> None:
        from_message = self._cloud_arrays if case.codec is POINT_CLOUD else self._pixels
        self.node.create_subscription(
            self.kind(case), TOPIC, lambda message: use(from_message(message)), QOS.depth
        )

    @staticmethod
    def _cloud_arrays(message: Any) -> np.ndarray:
        from sensor_msgs_py import point_cloud2

        points: np.ndarray = point_cloud2.read_points_numpy(
            message, ("x", "y", "z", "intensity"), skip_nans=True
        )
        return points

    @staticmethod
    def _pixels(message: Any) -> np.ndarray:
        flat = np.frombuffer(message.data, np.uint8)
        return flat.reshape(message.height, message.width, 3).copy()

    @staticmethod
    def _cloud_message(cloud: PointCloud) -> Any:
        from sensor_msgs.msg import PointField
        from sensor_msgs_py import point_cloud2
        from std_msgs.msg import Header as RosHeader

        names = ("x", "y", "z", "intensity")
        fields = [
            PointField(name=name, offset=4 * place, datatype=PointField.FLOAT32, count=1)
            for place, name in enumerate(names)
        ]
        rows = np.column_stack([cloud.points, cloud.intensity])
        return point_cloud2.create_cloud(RosHeader(frame_id="sensor"), fields, rows)

    @staticmethod
    def _image_message(image: CameraImage) -> Any:
        from sensor_msgs.msg import Image

        pixels = image.rgb()
        height, width = pixels.shape[:2]
        message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
        message.data.frombytes(pixels.tobytes())
        return message


HOSTS: dict[str, Callable[[], Host]] = {"dds": DdsHost, "ros": RosHost, "plain": PlainHost}


def main() -> None:
    """Prints a row for each host and message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hosts", nargs="+", choices=["codec", *HOSTS])
    parser.add_argument("--count", type=int, default=100, help="messages each")
    parser.add_argument("--part", default="", help="run the other side: talk or hear, and a case")
    arguments = parser.parse_args()
    if arguments.part:
        run_part(arguments.hosts[0], *arguments.part.split("-"))
        return
    print("| host | message | in, ms of processor time | out |")
    print("|---|---|---|---|")
    for host in arguments.hosts:
        for name, case in cases().items():
            if host == "codec":
                data = case.codec.encode(case.value)
                taken = timed(partial(case.codec.decode, data), arguments.count)
                given = timed(partial(case.codec.encode, case.value), arguments.count)
            else:
                taken = measure_in(host, name, case, arguments.count)
                given = measure_out(host, name, case, arguments.count)
            print(f"| {host} | {name} | {taken:.2f} | {given:.2f} |", flush=True)


def timed(call: Callable[[], Any], count: int) -> float:
    """Returns milliseconds of processor time a call."""
    call()
    start_s = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start_s) * 1e3 / count


def measure_in(host_name: str, case_name: str, case: Case, count: int) -> float:
    """Returns milliseconds of processor time for each message that comes."""
    arrived = [0]
    host = HOSTS[host_name]()

    def use(value: Any) -> None:
        arrived[0] += 1

    host.listen(case, use)
    with other_side(host_name, f"talk-{case_name}"):
        while arrived[0] < 5:
            host.spin(0.1)
        start_s, start = time.process_time(), arrived[0]
        while arrived[0] < start + count:
            host.spin(0.1)
        cost_ms = (time.process_time() - start_s) * 1e3 / (arrived[0] - start)
    host.close()
    return cost_ms


def measure_out(host_name: str, case_name: str, case: Case, count: int) -> float:
    """Returns milliseconds of processor time for each message that goes."""
    host = HOSTS[host_name]()
    publish = host.publisher(case)
    with other_side(host_name, f"hear-{case_name}"):
        while not host.matched():
            host.spin(0.1)
        host.spin(1.0)
        publish(case.value)
        start_s = time.process_time()
        for _ in range(count):
            publish(case.value)
            time.sleep(PERIOD_S)
        cost_ms = (time.process_time() - start_s) * 1e3 / count
    host.close()
    return cost_ms


def run_part(host_name: str, role: str, case_name: str) -> None:
    """Talks, or hears, until it is ended; bytes without conversion where the host allows it."""
    host, case = HOSTS["dds" if host_name == "dds" else "ros"](), cases()[case_name]
    if role == "hear":
        host.listen(case, lambda value: None)
        host.spin(NEVER_S)
    publish = host.publisher(case)
    while True:
        publish(case.value)
        host.spin(PERIOD_S)


@contextmanager
def other_side(host_name: str, part: str) -> Iterator[None]:
    """Runs the other side in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, host_name, "--part", part])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
