"""A sign of life while a library is busy for a long time."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def heartbeat(what: str, every_s: float = 10.0) -> Iterator[None]:
    """Logs `what` at once and how long it took; between, every `every_s` seconds, as a warning.

    Warnings are shown by default, so that nobody sits before a silent terminal.
    """
    start_s = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_s):
            logger.warning("%s: still at it after %.0f s", what, time.monotonic() - start_s)

    logger.info("%s ...", what)
    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    logger.info("%s: done in %.1f s", what, time.monotonic() - start_s)
