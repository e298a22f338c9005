"""From arguments to a spinning process, and out again."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from spatial_perception.errors import ConfigError
from spatial_perception.nodes.executors import MessageExecutor, ServiceExecutor
from spatial_perception.nodes.log import LogBridge
from spatial_perception.nodes.process import Process

JOIN_S = 0.5
Build = Callable[[], tuple[Process, list[Node]]]


def run(build: Build) -> int:
    """Spins the nodes that `build` makes until the process is told to end.

    Returns:
        0 after CTRL-C or a shutdown, 2 on a bad parameter.
    """
    rclpy.init(args=sys.argv)
    try:
        process, nodes = build()
    except ConfigError as error:
        rclpy.logging.get_logger("spatial_perception").fatal(str(error))
        rclpy.try_shutdown()
        return 2
    _bridge_logging(nodes[0])
    executor = ServiceExecutor()
    for node in nodes:
        executor.add_node(node)
    messages = MessageExecutor(nodes)
    process.on_wired = messages.wake
    messages.start()
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()
    rclpy.try_shutdown()
    has_ended = process.close()
    has_ended = messages.join(JOIN_S) and has_ended
    if not has_ended:  # an engine is being built: nothing can interrupt that from within
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return 0


def _bridge_logging(node: Node) -> None:
    logger = logging.getLogger("spatial_perception")
    logger.setLevel(logging.INFO)
    logger.addHandler(LogBridge(node.get_logger()))
    logger.propagate = False
