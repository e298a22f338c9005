"""`evaluate occupancy_mapper --dataset drives`: which engines its networks run on."""

from pathlib import Path
from typing import Any

import pytest

from spatial_perception.cli import evaluate_grids
from spatial_perception.cli.main import main
from spatial_perception.evaluation.grids import GridCounts

CONFIG = """
lidar_detector:
  ros__parameters:
    score_threshold: 0.4
    engine: {backend: onnxruntime, threads: 2}
"""


@pytest.fixture
def replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Takes the place of the replay and notes the parameters of each."""
    (tmp_path / "drives" / "a").mkdir(parents=True)
    (tmp_path / "drives" / "a" / "metadata.yaml").touch()
    asked: list[dict[str, Any]] = []

    def replay(bag: Path, folder: Path, topic: str, parameters: Any, *_: object) -> Path:
        asked.append(parameters)
        return folder

    monkeypatch.setattr(evaluate_grids, "replayed_drive", replay)
    monkeypatch.setattr(evaluate_grids, "_counts", lambda bag, output: GridCounts(1, 1))
    return asked


def run(tmp_path: Path, *arguments: object) -> int:
    root = tmp_path / "drives"
    fixed = ("evaluate", "occupancy_mapper", "--dataset", "drives", "--root", root)
    return main([str(argument) for argument in (*fixed, *arguments)])


def test_networks_run_on_the_engine_that_the_command_line_names(
    tmp_path: Path, replayed: list[dict[str, Any]]
) -> None:
    (tmp_path / "graph.yaml").write_text(CONFIG)
    engine = ("--backend", "openvino", "--precision", "fp32")
    assert run(tmp_path, "--split", "all", *engine, "--config", tmp_path / "graph.yaml") == 0
    (parameters,) = replayed
    named = {"engine.backend": "openvino", "engine.precision": "fp32"}
    assert parameters["lidar_segmenter"] == named
    assert parameters["lidar_detector"] == {
        "score_threshold": 0.4, "engine": {"backend": "onnxruntime", "threads": 2}, **named
    }  # fmt: skip
    assert parameters["occupancy_mapper"] == {}


def test_a_split_without_networks_refuses_an_engine(
    tmp_path: Path, replayed: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    assert run(tmp_path, "--backend", "openvino", "--largest-px", 9) == 2
    error = capsys.readouterr().err
    assert "--backend, --largest-px: the split 'geometric' runs no network" in error
    assert "some do: labels, objects, all" in error
    assert replayed == [{}]
