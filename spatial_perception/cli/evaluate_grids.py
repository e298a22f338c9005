"""Occupancy grids over drives with truth: each bag is replayed, then its grids are compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_perception.bags import BagReader
from spatial_perception.cli.drive_bags import (
    bags_in,
    drive_parameters,
    given_options,
    output_folder,
    replayed_drive,
)
from spatial_perception.core import OccupancyGrid
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.evaluation.bootstrap import interval_90
from spatial_perception.evaluation.grids import GridCounts, count_grids, grid_metrics
from spatial_perception.evaluation.measurement import Request
from spatial_perception.evaluation.report import Report
from spatial_perception.messages import OCCUPANCY_GRID
from spatial_perception.pipelines.model import EngineOptions

Progress = Callable[[int, int], None]

GRID_MODEL = "occupancy_mapper"
TRUTH_TOPIC = "/ground_truth/occupancy/grid"
GRID_TOPIC = "/perception/occupancy/grid"
_SEED = 0
_NETWORKS: dict[str, tuple[str, ...]] = {
    "geometric": (),
    "labels": ("lidar_segmenter",),
    "objects": ("lidar_detector",),
    "all": ("lidar_segmenter", "lidar_detector"),
}


def evaluate_grids(
    request: Request, config: Path | None, replayed: Path | None, progress: Progress
) -> Report:
    """Returns grid metrics over all bags with truth in a folder, with intervals over drives.

    Args:
        request: model `occupancy_mapper`; split `geometric` (default) takes no network, `labels`
            runs lidar_segmenter too, `objects` lidar_detector, `all` both; root is a folder of
            bags, frames are names of bags.
        config: parameters of the graph; defaults where None.
        replayed: folder where the graph's output bags are kept, see `replayed_drive`.
        progress: called after every drive.

    Raises:
        ConfigError: engine options for a split without networks, or a bad configuration.
        DatasetError: no bag with truth there, or a bag cannot be read.
    """
    split = request.choose_split("geometric", tuple(_NETWORKS))
    stages = (*_NETWORKS[split], GRID_MODEL)
    bags = request.choose_frames(bags_in(request.root), lambda bag: bag.name)
    _check_engine(request.engine, split)
    parameters = drive_parameters(config, request.engine, _NETWORKS[split])
    drives: list[GridCounts] = []
    with output_folder(replayed) as folder:
        for done, bag in enumerate(bags, start=1):
            where = str(config or "evaluate")
            output = replayed_drive(bag, folder, TRUTH_TOPIC, parameters, stages, where)
            drives.append(_counts(bag, output))
            progress(done, len(bags))

    def compute(weights: np.ndarray) -> dict[str, float]:
        return grid_metrics(drives, weights)

    return Report(
        model=GRID_MODEL,
        dataset=request.dataset,
        split=split,
        frames=sum(drive.frames for drive in drives),
        metrics=compute(np.ones(len(bags), np.int64)),
        interval_90=interval_90(compute, len(bags), np.random.default_rng(_SEED)),
    )


def _check_engine(engine: EngineOptions, split: str) -> None:
    """Refuses engine options of the command line for a split without networks."""
    given = given_options(engine)
    if given and not _NETWORKS[split]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        others = ", ".join(name for name, networks in _NETWORKS.items() if networks)
        raise ConfigError(f"{options}: the split '{split}' runs no network; some do: {others}")


def _counts(bag: Path, output: Path) -> GridCounts:
    """Returns the counts of a drive; a scan without a grid has an unknown one."""
    grids: dict[int, OccupancyGrid] = {}
    with BagReader(output) as reader:
        for message in reader.messages({GRID_TOPIC}):
            grid = OCCUPANCY_GRID.decode(message.data)
            grids[grid.header.stamp_ns] = grid
    counts = GridCounts()
    with BagReader(bag) as reader:
        for message in reader.messages({TRUTH_TOPIC}):
            truth = OCCUPANCY_GRID.decode(message.data)
            counts += count_grids(grids.get(truth.header.stamp_ns), truth)
    if not counts.frames:
        raise DatasetError(f"{bag}: no message on {TRUTH_TOPIC}")
    return counts
