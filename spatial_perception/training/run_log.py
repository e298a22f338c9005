"""The log of a run: a CSV file, TensorBoard events, and a progress bar."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_COLUMNS = ("step", "minutes", "name", "value")
_log = logging.getLogger(__name__)


class RunLog:
    """Writes named numbers by step; a resumed run drops what lies past its checkpoint.

    `log.csv` has one row a number (step, minutes, name, value): new names need no new columns.
    """

    def __init__(self, folder: Path, first_step: int, steps: int, show: bool) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.csv"
        kept = _rows_before(path, first_step) if first_step else []
        self._file = path.open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)
        self._rows.writerows([_COLUMNS, *kept])
        self._events = SummaryWriter(str(folder / "events"), purge_step=first_step)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            disable=not show,
        )
        self._bar = self._progress.add_task("training", total=steps, completed=first_step)

    def __enter__(self) -> RunLog:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        self._events.close()
        self._file.close()

    def advance(self, done: int, text: str | None = None) -> None:
        """Sets the bar to `done` steps."""
        if text is None:
            self._progress.update(self._bar, completed=done)
        else:
            self._progress.update(self._bar, completed=done, description=text)

    def write(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """Adds numbers; names with a slash are grouped by TensorBoard."""
        for name, value in values.items():
            self._rows.writerow((step, f"{seconds / 60.0:.3f}", name, f"{value:.6g}"))
            self._events.add_scalar(name, value, step)
        self._file.flush()
        text = " ".join(f"{name}={value:.4g}" for name, value in values.items())
        _log.info("step %d, %.1f min: %s", step, seconds / 60.0, text)


def _rows_before(path: Path, step: int) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if len(row) == len(_COLUMNS)]
    return [row for row in rows[1:] if int(row[0]) <= step]
