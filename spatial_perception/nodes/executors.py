"""Two executors: messages in a thread of their own, everything else in another.

rclpy collects all entities of all nodes anew for each wake-up. With a hundred services and event
handlers that costs two milliseconds a message; with the subscriptions alone a tenth of that.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription

from spatial_perception.stages.log import Logger, ThrottledLog

REFRESH_S = 1.0


class ServiceExecutor(SingleThreadedExecutor):  # type: ignore[misc]
    """Runs services, timers and events of its nodes, but no subscriptions."""

    def can_execute(self, entity: Any) -> bool:
        """Returns whether an entity can be run here and now."""
        return not isinstance(entity, Subscription) and super().can_execute(entity)


class _Subscriptions:
    """Stands for nodes that have nothing but subscriptions."""

    timers = clients = services = guards = waitables = ()

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions that all nodes hold now."""
        return [subscription for node in self._nodes for subscription in node.subscriptions]


class MessageExecutor(SingleThreadedExecutor):  # type: ignore[misc]
    """Runs the subscriptions of nodes that another executor serves otherwise.

    Args:
        nodes: nodes of the other executor.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__()
        self._view = _Subscriptions(nodes)

    def get_nodes(self) -> list[Any]:
        """Returns what the executor takes its entities from."""
        return [self._view]


class SpinThread:
    """Spins an executor in a thread until it is stopped; what a callback raises is logged.

    Args:
        executor: shut down at the end.
        name: of the thread.
        logger: for callbacks that raise.
    """

    def __init__(self, executor: Executor, name: str, logger: Logger) -> None:
        self._executor = executor
        self._logger = logger
        self._log = ThrottledLog()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ends the thread; returns whether it ended in time."""
        self._is_stopping.set()
        self._executor.wake()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._executor.shutdown()
        return True

    def _spin(self) -> None:
        while not self._is_stopping.is_set():
            try:
                self._executor.spin_once(timeout_sec=REFRESH_S)
            except Exception as error:  # one callback must not end the node
                text = f"{type(error).__name__}: {error}"
                self._log.error(self._logger, type(error), text)
