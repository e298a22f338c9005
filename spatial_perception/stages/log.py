"""Log lines: throttled by cause, and Python's `logging` handed on to ROS."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

THROTTLE_S = 5.0


class Logger(Protocol):
    """What is used of a ROS logger."""

    def info(self, message: str) -> object:
        """Says what happens."""

    def warning(self, message: str) -> object:
        """Says what might go wrong."""

    def error(self, message: str) -> object:
        """Says what went wrong."""


class ThrottledLog:
    """Lets a line of each cause through once in `THROTTLE_S`, with the number left out.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[object, tuple[float, int]] = {}

    def error(self, logger: Logger, cause: object, message: str) -> None:
        """Logs an error unless one of the same cause was logged just before."""
        now = self._clock()
        last, left_out = self._last.get(cause, (float("-inf"), 0))
        if now - last < THROTTLE_S:
            self._last[cause] = (last, left_out + 1)
            return
        self._last[cause] = (now, 0)
        logger.error(f"{message} ({left_out} more of this kind before)" if left_out else message)


class LogBridge(logging.Handler):
    """Hands records of the package's own loggers to a ROS logger."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.INFO)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record at its level."""
        message = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._logger.error(message)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(message)
        else:
            self._logger.info(message)
