"""Bags of drives with truth, and where what the graph makes of them is kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spatial_perception.bags import BagReader
from spatial_perception.errors import DatasetError
from spatial_perception.pipelines.model import EngineOptions
from spatial_perception.replay.run import Replay
from spatial_perception.runtime.models import find_model
from spatial_perception.runtime.spec import MODEL_FILE
from spatial_perception.stages.registry import STAGES, build_graph, load_parameters


def bags_in(root: Path) -> list[Path]:
    """Returns the bags in a folder, or the folder where it is one itself."""
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    found = sorted(path.parent for path in root.glob("*/metadata.yaml"))
    if (root / "metadata.yaml").is_file():
        found = [root]
    return found


def given_options(engine: EngineOptions) -> dict[str, Any]:
    """Returns the engine options of the command line that are not the usual ones."""
    usual = asdict(EngineOptions())
    return {name: value for name, value in asdict(engine).items() if value != usual[name]}


def drive_parameters(
    config: Path | None, engine: EngineOptions, networks: tuple[str, ...]
) -> dict[str, Any]:
    """Returns the graph's parameters; engine options of the command line go before the file's.

    Args:
        config: a file with parameters, or none.
        engine: of the command line.
        networks: stages that run one.

    Raises:
        ConfigError: the file cannot be read.
    """
    parameters = load_parameters(config) if config else {}
    given = {f"engine.{name}": value for name, value in given_options(engine).items()}
    for name in networks:
        parameters[name] = {**parameters.get(name, {}), **given}
    return parameters


def require_truth(bag: Path, topic: str) -> None:
    """Looks for the truth of a drive before anything is computed.

    Raises:
        DatasetError: the bag has no such topic.
    """
    with BagReader(bag) as reader:
        if topic not in reader.topics:
            raise DatasetError(f"{bag}: no truth on {topic}; `simulate` writes drives that have it")


def replayed_drive(
    bag: Path,
    folder: Path,
    truth_topic: str,
    parameters: Mapping[str, Any],
    stages: tuple[str, ...],
    where: str,
) -> Path:
    """Returns the bag of what the graph makes of a drive, made now unless the folder has it.

    Beside each bag stands a recipe: its stages, their parameters and models. A bag of another
    recipe is made anew; one without any is taken as it is.

    Args:
        bag: the drive.
        folder: where replayed bags are kept.
        truth_topic: what the drive must have.
        parameters: of the graph, by stage.
        stages: names of those that run.
        where: what the parameters come from, for messages.

    Raises:
        DatasetError: the drive has no truth.
        EngineError: a model is missing.
    """
    output, note = folder / bag.name, folder / f"{bag.name}.recipe.json"
    recipe = json.dumps(_recipe(parameters, stages), indent=1, sort_keys=True, default=str)
    if output.exists() and note.exists() and note.read_text(encoding="utf-8") != recipe:
        shutil.rmtree(output)
    if not output.exists():
        require_truth(bag, truth_topic)
        replay_drive(bag, output, parameters, stages, where)
        note.write_text(recipe, encoding="utf-8")
    return output


def _recipe(parameters: Mapping[str, Any], stages: tuple[str, ...]) -> dict[str, Any]:
    """What a replay depends on: each model stands for itself by its model.yaml, with its hashes."""
    models = {}
    for name in stages:
        named = parameters.get(name, {}).get("model", getattr(STAGES[name].config(), "model", None))
        if named is not None:
            described = (find_model(named) / MODEL_FILE).read_bytes()
            models[name] = hashlib.sha256(described).hexdigest()
    return {
        "stages": stages,
        "parameters": {name: parameters.get(name, {}) for name in stages},
        "models": models,
    }


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
