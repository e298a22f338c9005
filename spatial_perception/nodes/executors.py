"""Two executors: messages in a thread of their own, everything else in the main thread.

rclpy collects all entities of all nodes anew for each wake-up. With a hundred services and event
handlers that costs two milliseconds a message; with the subscriptions alone a tenth of that.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription

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
        self._thread = threading.Thread(target=self._spin, name="messages", daemon=True)

    def get_nodes(self) -> list[Any]:
        """Returns what the executor takes its entities from."""
        return [self._view]

    def start(self) -> None:
        """Starts the thread; it ends with the context."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Waits for the end of the thread; returns whether it came in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while self.context.ok():
                self.spin_once(timeout_sec=REFRESH_S)
