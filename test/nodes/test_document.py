"""Generated files are up to date; `spatial_perception.nodes.document.update` writes them anew."""

from pathlib import Path

import pytest

from spatial_perception.config import from_mapping
from spatial_perception.nodes.document import parameter_file, parameter_tables, topic_table
from spatial_perception.stages.host_config import is_host_option
from spatial_perception.stages.registry import STAGES, build_graph, load_parameters

ROOT = Path(__file__).parents[2]


def test_parameter_file_is_up_to_date() -> None:
    assert (ROOT / "config" / "perception.yaml").read_text() == parameter_file()


@pytest.mark.parametrize("text", [parameter_tables(), topic_table()], ids=["parameters", "topics"])
def test_table_of_the_documentation_is_up_to_date(text: str) -> None:
    assert text in (ROOT / "docs" / "ros.md").read_text()


def test_parameter_file_drives_the_replay() -> None:
    graph = build_graph(load_parameters(ROOT / "config" / "perception.yaml"))
    assert {stage.name for stage in graph.stages} == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_parameter_file_holds_the_values_that_run_without_it(stage: str) -> None:
    values = load_parameters(ROOT / "config" / "perception.yaml")[stage]
    config = STAGES[stage].config
    own = {name: value for name, value in values.items() if not is_host_option(name)}
    assert from_mapping(config, own) == config()


def test_launch_file_names_all_stages() -> None:
    text = (ROOT / "launch" / "perception.launch.py").read_text()
    assert all(f'"{stage}"' in text for stage in STAGES)
