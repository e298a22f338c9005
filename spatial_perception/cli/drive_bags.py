"""Bags of drives with truth, and where what the graph makes of them is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spatial_perception.bags import BagReader
from spatial_perception.errors import DatasetError
from spatial_perception.replay.run import Replay
from spatial_perception.stages.registry import build_graph


def bags_in(root: Path) -> list[Path]:
    """Returns the bags in a folder, or the folder where it is one itself."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    found = sorted(path.parent for path in root.glob("*/metadata.yaml"))
    if (root / "metadata.yaml").is_file():
        found = [root]
    return found


def require_truth(bag: Path, topic: str) -> None:
    """Looks for the truth of a drive before anything is computed.

    Raises:
        DatasetError: the bag has no such topic.
    """
    with BagReader(bag) as reader:
        if topic not in reader.topics:
            raise DatasetError(f"{bag}: no truth on {topic}; `simulate` writes drives that have it")


def replay_drive(
    bag: Path, output: Path, parameters: Mapping[str, Any], stages: tuple[str, ...], where: str
) -> None:
    """Writes what the graph makes of a drive; all of it or nothing, as it may be used again.

    Args:
        bag: the drive.
        output: bag to write.
        parameters: of the graph, by stage.
        stages: names of those that run.
        where: what the parameters come from, for messages.
    """
    graph = build_graph(parameters, stages, where=where)
    try:
        Replay(graph, bag, output).run()
    except BaseException:
        shutil.rmtree(output, ignore_errors=True)
        raise
    finally:
        graph.close()


@contextmanager
def output_folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="spatial_perception_") as folder:
        yield Path(folder)
