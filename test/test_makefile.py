"""`make demo` with a command line that only says what it was asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
STAND_IN = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["CALLS"], "a") as file:
    print(json.dumps(sys.argv[1:]), file=file)
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def demo(tmp_path: Path, *settings: str) -> tuple[int, list[list[str]]]:
    """Returns the exit code and the commands that ran, with their words."""
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True, exist_ok=True)
    command = environment / "bin" / "spatial-perception"
    command.write_text(STAND_IN)
    command.chmod(0o755)
    for name in ("bin/python", ".system", ".demo"):  # in the order in which make renews them
        (environment / name).touch()
        now = time.time()
        os.utime(environment / name, (now, now))
    calls = tmp_path / "calls"
    calls.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", "--no-print-directory", "demo", f"VENV={environment}", *settings],
        cwd=ROOT,
        env={**kept, "CALLS": str(calls)},
        capture_output=True,
        check=False,
    )
    return made.returncode, [json.loads(line) for line in calls.read_text().splitlines()]


def test_names_with_blanks_and_brackets_stay_whole(tmp_path: Path) -> None:
    bag, out = tmp_path / "my bag (2)", tmp_path / "my demo"
    bag.mkdir()
    innocent = tmp_path / "my"
    innocent.mkdir()
    code, calls = demo(tmp_path, f"BAG={bag}", f"OUT={out}")
    assert code == 0
    assert calls[0][:4] == ["replay", str(bag), "--output", str(out / "bag")]
    assert calls[1] == ["view", str(out / "bag"), "--output", str(out / "view")]
    assert innocent.is_dir()


def test_the_drive_of_a_demo_may_be_the_bag_of_the_next(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    (out / "drive").mkdir(parents=True)
    (out / "view").mkdir()
    code, calls = demo(tmp_path, f"BAG={out / 'drive'}", f"OUT={out}")
    assert code == 0
    assert calls[0][1] == str(out / "drive")
    assert (out / "drive").is_dir()
    assert not (out / "view").exists()


def test_what_else_lies_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "out" / "drive").mkdir(parents=True)
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    code, calls = demo(tmp_path, f"OUT={tmp_path / 'out'}")
    assert code == 0
    assert calls[0][:2] == ["simulate", str(tmp_path / "out" / "drive")]
    assert not (tmp_path / "out" / "drive").exists()
    assert (tmp_path / "out" / "thesis.txt").is_file()


@pytest.mark.parametrize("bag", ["bag", "bag/bag_0.mcap"])
def test_a_bag_is_not_removed_to_make_room_for_its_results(tmp_path: Path, bag: str) -> None:
    out = tmp_path / "demo"
    (out / "bag").mkdir(parents=True)
    (out / "bag" / "bag_0.mcap").touch()
    code, calls = demo(tmp_path, f"BAG={out / bag}", f"OUT={out}")
    assert code != 0
    assert calls == []
    assert (out / "bag" / "bag_0.mcap").is_file()
