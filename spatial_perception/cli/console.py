"""Where commands print tables and lines."""

from __future__ import annotations

from rich.console import Console

_PIPE_COLUMNS = 140


def make_console(stderr: bool = False) -> Console:
    """Returns a console that prints text as it is: brackets are no markup, numbers no colours.

    Into a pipe or file it writes lines wide enough that tables cut no name.
    """
    console = Console(stderr=stderr, markup=False, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_COLUMNS)
    return console
