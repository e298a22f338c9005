"""The whole graph over a bag once, for what can be learnt on the way."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console

from spatial_perception.config import describe
from spatial_perception.runtime.recording import Recorded, record_inputs

_BACKEND_OPTION = "engine.backend"


def run_over_bag(
    console: Console, bag: Path, backend: str = "auto", realtime_loops: int = 0
) -> dict[str, Any]:
    """Returns the summary of replaying a bag, as `replay --json` writes it.

    Args:
        console: shows what goes on.
        bag: folder or file.
        backend: of all engines.
        realtime_loops: at recorded speed, so many times; 0 for once, as fast as it goes.

    Raises:
        PerceptionError: If the bag or a model is missing or damaged.
    """
    from spatial_perception.replay.run import Replay, ReplayOptions
    from spatial_perception.stages.registry import STAGES, build_graph

    parameters = {
        name: {_BACKEND_OPTION: backend}
        for name, stage in STAGES.items()
        if any(option.name == _BACKEND_OPTION for option in describe(stage.config))
    }
    graph = build_graph(parameters)
    options = ReplayOptions(realtime=realtime_loops > 0, loops=max(realtime_loops, 1))
    try:
        with (
            console.status(f"loading the engines, then {bag}"),
            tempfile.TemporaryDirectory(prefix="spatial_perception_") as folder,
        ):
            graph.load()
            return Replay(graph, bag, Path(folder) / "out", options).run().as_json()
    finally:
        graph.close()


def inputs_from_bag(console: Console, bag: Path, limit: int) -> Recorded:
    """Returns up to `limit` inputs of every engine that runs over a bag.

    Raises:
        PerceptionError: If the bag or a model is missing or damaged.
    """
    with record_inputs(limit) as recorded:
        run_over_bag(console, bag)
    return recorded
