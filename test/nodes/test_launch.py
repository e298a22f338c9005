"""Launch files: described arguments, parameters that hold in every namespace."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest
import yaml

pytestmark = pytest.mark.ros
ROOT = Path(__file__).parents[2]
pytest.importorskip("launch_ros", reason="needs a ROS 2 with launch")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Returns a function that imports a launch file as if the package were installed."""

    def load_file(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location("launch_file", ROOT / "launch" / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "get_package_share_directory", lambda package: str(ROOT))
        return module

    return load_file


def started(module: ModuleType, **given: str):
    """Returns the nodes that arguments lead to, and their parameter file."""
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument

    context = LaunchContext()
    for entity in module.generate_launch_description().entities:
        if isinstance(entity, DeclareLaunchArgument):
            context.launch_configurations.setdefault(
                entity.name, "".join(part.text for part in entity.default_value)
            )
    context.launch_configurations.update(given)
    files: list[str] = []
    write = module._write
    module._write = lambda parameters: files.append(write(parameters)) or files[-1]
    nodes = module._nodes(context)
    return [node.node_executable for node in nodes], yaml.safe_load(Path(files[0]).read_text())


@pytest.mark.parametrize("name", ["perception", "replay", "simulator"])
def test_every_argument_is_described(load, name: str) -> None:
    arguments = load(f"{name}.launch.py").generate_launch_description().get_launch_arguments()
    assert arguments
    assert all(argument.description for argument in arguments)


def test_one_process_runs_the_stages_that_are_asked_for(load) -> None:
    executables, parameters = started(
        load("perception.launch.py"), stages="lidar_detector, overlay", use_sim_time="true"
    )
    assert executables == ["perception"]
    own = parameters["/**/perception"]["ros__parameters"]
    assert own["stages"] == ["lidar_detector", "overlay"]
    assert own["use_sim_time"] is True


def test_each_stage_has_its_process_on_request(load) -> None:
    executables, _ = started(
        load("perception.launch.py"), stages="lidar_detector,overlay", processes="each"
    )
    assert executables == ["lidar_detector", "overlay"]


def test_plain_node_names_of_a_file_hold_in_a_namespace(load, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(
        "/**: {ros__parameters: {delivery: lossless}}\n"
        "overlay: {ros__parameters: {min_score: 0.5}}\n"
    )
    _, parameters = started(load("perception.launch.py"), namespace="car1", config=str(file))
    assert parameters["/**/overlay"]["ros__parameters"] == {
        "delivery": "lossless",
        "min_score": 0.5,
        "use_sim_time": False,
    }


def test_shared_value_goes_to_the_nodes_that_have_it(load, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("/**: {ros__parameters: {target_frame: ego, use_sim_time: true}}\n")
    _, parameters = started(load("perception.launch.py"), config=str(file))
    assert parameters["/**/lidar_detector"]["ros__parameters"] == {
        "target_frame": "ego",
        "use_sim_time": True,
    }
    assert "target_frame" not in parameters["/**/camera_detector"]["ros__parameters"]


@pytest.mark.parametrize("simulator", ["carla", "awsim"])
def test_simulator_preset_remaps_the_inputs_and_its_file_fits(load, simulator: str) -> None:
    from launch import LaunchContext
    from launch.actions import IncludeLaunchDescription

    module = load("simulator.launch.py")
    context = LaunchContext()
    for argument in module.generate_launch_description().get_launch_arguments():
        default = "".join(part.text for part in argument.default_value or ())
        context.launch_configurations[argument.name] = default
    context.launch_configurations["simulator"] = simulator
    actions = module._actions(context)
    (included,) = [a for a in actions if isinstance(a, IncludeLaunchDescription)]
    given = dict(included.launch_arguments)
    assert given["lidar_topic"].startswith("/carla/ego_vehicle/" if simulator == "carla" else "/s")
    _, parameters = started(load("perception.launch.py"), **given)
    assert parameters["/**/perception"]["ros__parameters"]["use_sim_time"] is True


def test_environment_of_what_is_launched_stays_as_it_is(load, monkeypatch) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM_PLUGIN_PATH", raising=False)
    started(load("perception.launch.py"))
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ


def test_lists_are_written_out_wherever_they_stand(load) -> None:
    module = load("perception.launch.py")
    cameras = ["front", "left"]
    path = Path(module._write({"a": {"cameras": cameras}, "b": {"cameras": cameras}}))
    assert "&" not in path.read_text(), "ROS's parser takes no aliases"


def test_unknown_node_of_a_file_is_refused(load, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("overlai: {ros__parameters: {min_score: 0.5}}\n")
    with pytest.raises(RuntimeError, match="unknown node 'overlai'"):
        started(load("perception.launch.py"), config=str(file))


def test_player_starts_once_when_all_stages_have_said_whether_they_are_ready(load) -> None:
    assert load("replay.launch.py").READY.search(b"[perception]: 8 of 8 stages ready")


@pytest.mark.parametrize("level", ["warn", "error", "fatal"])
def test_a_level_that_hides_the_line_the_player_waits_for_is_refused(load, level: str) -> None:
    from launch import LaunchContext

    arguments = load("replay.launch.py").generate_launch_description().get_launch_arguments()
    (argument,) = (argument for argument in arguments if argument.name == "log_level")
    context = LaunchContext()
    context.launch_configurations["log_level"] = level
    with pytest.raises(RuntimeError, match="not valid"):
        argument.execute(context)
