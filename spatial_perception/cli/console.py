"""Where commands print tables and lines."""

from __future__ import annotations

import io
import sys

from rich.console import Console

_PIPE_COLUMNS = 140


class _PipeConsole(Console):
    def on_broken_pipe(self) -> None:
        """Leaves a reader that has seen enough (`| head`) to `main`; rich would exit with 1."""
        raise BrokenPipeError


def make_console(stderr: bool = False) -> Console:
    """Returns a console that prints text as it is: brackets are no markup, numbers no colours.

    Into a pipe or file it writes lines wide enough that tables cut no name. What the terminal's
    encoding lacks, as the bytes of a file's name that is not UTF-8, is written as \\xNN or \\uNNNN.
    """
    stream = sys.stderr if stderr else sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")
    console = _PipeConsole(stderr=stderr, markup=False, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_COLUMNS)
    return console
