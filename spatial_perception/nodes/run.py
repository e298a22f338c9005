"""From arguments to a spinning process, and out again."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from spatial_perception.errors import ConfigError
from spatial_perception.nodes.executors import MessageExecutor, ServiceExecutor, SpinThread
from spatial_perception.nodes.process import Process
from spatial_perception.stages.log import LogBridge, Logger

STOP_TIMEOUT_S = 0.2
Build = Callable[[], tuple[Process, list[Node]]]


def run(build: Build) -> int:
    """Spins the nodes that `build` makes until the process is told to end.

    rclpy's own signal handlers would take the context away under running callbacks; here
    everything stops first.

    Returns:
        0 after CTRL-C or SIGTERM, 2 on a bad argument or parameter.
    """
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except rclpy_implementation.UnknownROSArgsError as error:
        return _refuse(f"unknown ROS arguments: {error}")
    except RuntimeError as error:  # a parameter file that is missing or no YAML
        return _refuse(str(error).split(", at ", 1)[0])  # without the place in rcl's source
    try:
        process, nodes = build()
    except ConfigError as error:
        rclpy.shutdown()
        return _refuse(str(error))
    has_ended = _spin_until(end, process, nodes)
    if not has_ended:  # an engine is being built: nothing can interrupt that from within
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    rclpy.shutdown()
    return 0


def _refuse(reason: str) -> int:
    get_logger("spatial_perception").fatal(reason)
    return 2


def _spin_until(end: threading.Event, process: Process, nodes: list[Node]) -> bool:
    """Spins until `end` is set; returns whether all threads ended in time after that."""
    logger = nodes[0].get_logger()
    _bridge_logging(logger)
    services, messages = ServiceExecutor(), MessageExecutor(nodes)
    for node in nodes:
        services.add_node(node)
    process.on_wired = messages.wake
    threads = [
        SpinThread(services, "services", logger),
        SpinThread(messages, "messages", logger),
    ]
    end.wait()
    has_ended = [process.close(), *(thread.stop(STOP_TIMEOUT_S) for thread in threads)]
    return all(has_ended)


def _bridge_logging(logger: Logger) -> None:
    package = logging.getLogger("spatial_perception")
    package.setLevel(logging.INFO)
    package.addHandler(LogBridge(logger))
    package.propagate = False
