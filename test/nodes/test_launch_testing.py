"""Runs the launch_testing tests; their pytest plugin does not work with current pytest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import DOMAIN

pytestmark = [pytest.mark.ros, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
pytest.importorskip("launch_testing", reason="needs a ROS 2 with launch_testing")


def test_every_node_answers_survives_and_ends_in_time() -> None:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, "-m", "launch_testing.launch_test", "test/nodes/launch/stage.test.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "ROS_DOMAIN_ID": DOMAIN},
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]
