"""The console that commands share."""

from __future__ import annotations

import io
import sys

import pytest

from spatial_perception.cli.console import make_console


@pytest.mark.parametrize(("encoding", "name"), [("utf-8", "drive\udcff"), ("ascii", "fährt")])
def test_names_that_the_terminal_cannot_show_do_not_end_a_command(
    monkeypatch: pytest.MonkeyPatch, encoding: str, name: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    make_console().print(f"{name} written")
    sys.stdout.flush()
    shown = name.encode(encoding, errors="backslashreplace").decode(encoding)
    assert written.getvalue().decode(encoding) == f"{shown} written\n"
