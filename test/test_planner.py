"""What a planner plans on the published grid of a simulated street touches nothing that is there.

`occupancy_mapper` alone sees a recorded drive, without a network; at each scan A* plans on the
published grid from where the vehicle was to as far ahead as it gets, 12 m at most, and what it
plans is held against the truth. Nothing follows the way: the drive goes on as recorded.
`SPATIAL_PERCEPTION_DRIVES` names a folder of more drives (`simulate --seconds 20 --no-camera`).
"""

import os
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.bags import BagReader
from spatial_perception.core import OccupancyGrid, TransformTree
from spatial_perception.messages import OCCUPANCY_GRID, TRANSFORMS
from spatial_perception.replay.run import Replay
from spatial_perception.simulation.drive import DriveConfig
from spatial_perception.simulation.drive_bag import simulate_drive
from spatial_perception.stages.registry import build_graph
from test.planner import cell_of, passable, plan

RADIUS_M = 1.1
AHEAD_M = (12.0, 9.0, 6.0, 4.0)
WARM_UP = 3
OWN_M = 2.4
"""Half the length of the vehicle itself."""


def drives() -> list[Path]:
    folder = os.environ.get("SPATIAL_PERCEPTION_DRIVES")
    return sorted(path.parent for path in Path(folder).glob("*/metadata.yaml")) if folder else []


def read(bag: Path, topic: str) -> dict[int, OccupancyGrid]:
    with BagReader(bag) as reader:
        grids = [OCCUPANCY_GRID.decode(message.data) for message in reader.messages({topic})]
    return {grid.header.stamp_ns: grid for grid in grids}


def drive_through(bag: Path, output: Path) -> tuple[int, int, int]:
    """Returns how many ways were planned, how many scans had none, how many touched something."""
    Replay(build_graph({}, ("occupancy_mapper",)), bag, output).run()
    published = read(output, "/perception/occupancy/grid")
    truths = read(bag, "/ground_truth/occupancy/grid")
    tree = TransformTree(max_age_s=1e9)
    with BagReader(bag) as reader:
        for message in reader.messages({"/tf"}):
            tree.add(TRANSFORMS.decode(message.data))
    planned = stuck = touched = 0
    for stamp_ns, truth in list(truths.items())[WARM_UP:]:
        grid = published.get(stamp_ns)
        if grid is None or grid.header.frame_id != "odom":
            continue
        pose = tree.lookup("odom", "base_link", stamp_ns)
        free = passable(grid, RADIUS_M)
        start, *goals = (
            cell_of(grid, pose.apply(np.array([[x, 0.0, 0.0]]))[0, :2]) for x in (0.0, *AHEAD_M)
        )
        way = next((way for goal in goals if (way := plan(free, start, goal))), None)
        if way is None:
            stuck += 1
            continue
        planned += 1
        cells = np.array(way)
        own = np.hypot(*(cells - start).T) * grid.resolution_m < OWN_M  # people walk through it
        touched += bool((truth.cells[tuple(cells[~own].T)] > 0).any())
    return planned, stuck, touched


@pytest.fixture(scope="module")
def short_drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = DriveConfig(seconds=1.5, seed=9101, with_camera=False)
    return simulate_drive(tmp_path_factory.mktemp("drive") / "bag", config=config)


def test_planned_ways_touch_nothing(short_drive: Path, tmp_path: Path) -> None:
    planned, stuck, touched = drive_through(short_drive, tmp_path / "out")
    assert planned >= 3, f"{stuck} scans without a way"
    assert touched == 0


@pytest.mark.slow
@pytest.mark.parametrize("bag", drives(), ids=lambda path: path.name)
def test_planned_ways_touch_nothing_on_held_out_drives(bag: Path, tmp_path: Path) -> None:
    planned, stuck, touched = drive_through(bag, tmp_path / "out")
    assert planned > stuck, f"{stuck} scans without a way"
    assert touched == 0, f"{touched} of {planned} ways touch something"
