"""One thread that loads and frees engines, so that no callback waits for one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress

Job = Callable[[], None]


class Loader:
    """Runs jobs one after the other in a thread of its own."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="loader", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queues a job; it must not raise."""
        self._jobs.put(job)

    def stop(self, timeout_s: float) -> bool:
        """Ends the thread after the job it is at; returns whether it ended in time."""
        with suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()
        self._jobs.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
