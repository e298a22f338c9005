"""The command line: one clear line and exit code 2 for whatever cannot be used."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.cli.console import make_console
from spatial_perception.cli.main import COMMANDS, main, make_parser
from spatial_perception.cli.train import default_config
from spatial_perception.core.examples import example_point_cloud, example_transforms
from spatial_perception.messages import POINT_CLOUD, TRANSFORMS


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "drive") as writer:
        data = TRANSFORMS.encode(example_transforms())
        writer.write("/tf_static", TRANSFORMS.ros_type, 1, data)
        cloud = POINT_CLOUD.encode(example_point_cloud(50))
        writer.write("/sensing/lidar/points", POINT_CLOUD.ros_type, 2, cloud)
    return tmp_path / "drive"


def test_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print("pip install 'spatial_perception[scan-matching]'")
    assert "[scan-matching]" in capsys.readouterr().out


def test_every_command_describes_itself() -> None:
    text = make_parser().format_help()
    assert all(command in text for command in COMMANDS)


def test_a_command_is_imported_alone_and_a_misspelt_one_names_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    imported: list[str] = []
    importing = importlib.import_module

    def record(name: str) -> ModuleType:
        imported.append(name)
        return importing(name)

    monkeypatch.setattr(importlib, "import_module", record)
    with pytest.raises(SystemExit):
        main(["--verbose", "doctor", "--help"])
    ours = [name for name in imported if name.startswith("spatial_perception.cli.")]
    assert ours == ["spatial_perception.cli.doctor"]
    with pytest.raises(SystemExit):
        main(["docter"])
    answer = capsys.readouterr().err
    assert all(command in answer for command in COMMANDS)


def test_replay_writes_a_bag_and_a_summary(bag: Path, tmp_path: Path) -> None:
    arguments = ["replay", str(bag), "--output", str(tmp_path / "out")]
    arguments += ["--stages", "occupancy_mapper", "--json", str(tmp_path / "summary.json")]
    assert main(arguments) == 0
    with BagReader(tmp_path / "out") as reader:
        assert reader.topics["/perception/occupancy/grid"].count == 1
    assert '"frames": 1' in (tmp_path / "summary.json").read_text()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--stages", "occupancy_maper"], "did you mean 'occupancy_mapper'"),
        (["--config", "no_such.yaml"], "no_such.yaml: cannot read"),
        (["--remap", "points=/x"], "expected /default/topic:=/actual/topic"),
        (["--remap", "/sensing/lidar/points:=/x"], "no topic '/x'"),
        (["--json", "/proc/none/summary.json"], "/proc/none: No such file or directory"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str], message: str
) -> None:
    arguments = ["replay", str(bag), "--output", str(tmp_path / "out")]
    if "--stages" not in extra:
        arguments += ["--stages", "occupancy_mapper"]
    assert main([*arguments, *extra]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error


def test_a_missing_bag_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none"
    assert main(["replay", str(missing), "--output", str(tmp_path / "out")]) == 2
    assert f"{missing}: no such bag" in capsys.readouterr().err


def test_a_parameter_typo_names_the_near_miss(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "parameters.yaml"
    config.write_text("occupancy_mapper: {ros__parameters: {resolution: 0.1}}")
    arguments = ["replay", str(bag), "--output", str(tmp_path / "out"), "--config", str(config)]
    assert main([*arguments, "--stages", "occupancy_mapper"]) == 2
    assert "did you mean 'resolution_m'" in capsys.readouterr().err


def test_unknown_commands_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["reply"])


def test_simulate_refuses_bad_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "drive"), "--sensor", "hdl46"]) == 2
    assert "no LiDAR sensor 'hdl46'" in capsys.readouterr().err
    assert main(["simulate", str(tmp_path / "drive"), "--seconds", "-1"]) == 2
    assert "seconds: expected a value in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["play", "BAG", "--remap", "/point:=/x"], "no topic /point; topics: /tf_static"),
        (["play", "BAG", "--start-offset", "5"], "--start-offset 5.0: the bag lasts 0.0 s"),
        (["play", "BAG", "--start-offset", "-5"], "--start-offset: expected 0 or more"),
        (["play", "BAG", "--start-offset", "inf"], "expected 0 or more and less than 1e+09"),
        (["play", "BAG", "--delay", "1e12"], "--delay: expected 0 or more and less than 1e+09"),
        (["play", "BAG", "--loop", "-1", "--restamp"], "--loop: expected 0 or more"),
        (["play", "BAG", "--rate", "nan"], "--rate nan: expected more than 0"),
        (["simulate", "OUT", "--shards", "--count", "0"], "--count 0: expected 1 or more"),
        (["simulate", "OUT", "--shards", "--seed", "-1"], "--seed -1: expected 0 or more"),
        (["simulate", "OUT", "--pictures", "--seed", "-9"], "--seed -9: expected 0 or more"),
        (
            ["simulate", "OUT", "--shards", "--no-camera"],
            "--no-camera is for a drive, not for shards",
        ),
        (
            ["simulate", "OUT", "--count", "5"],
            "--count is for shards and pictures, not for a drive",
        ),
        (
            ["simulate", "OUT", "--pictures", "--sensor", "beam32"],
            "for a drive and shards, not for",
        ),
        (["record", "OUT", "--all", "--duration", "-1"], "expected 0 (no limit) or more"),
        (["record", "OUT", "--all", "--duration", "nan"], "expected 0 (no limit) or more"),
        (["bench", "light_classifier", "--runs", "0"], "--runs 0: expected 1 or more"),
        (["import", "x.onnx", "--decoder", "boxes", "--name", "a/b"], "not a path; see --output"),
        (["evaluate", "object_tracker", "--dataset", "drives", "--root", "BAG"], "no truth on /"),
        (["evaluate", "occupancy_mapper", "--dataset", "drives", "--root", "BAG"], "no truth on /"),
    ],
)
def test_arguments_that_lead_nowhere_are_refused_before_any_work(
    bag: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    places = {"BAG": str(bag), "OUT": str(tmp_path / "out")}
    assert main([places.get(argument, argument) for argument in arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_training_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "last.pt").write_bytes(b"hours of work")
    arguments = ["train", "light_classifier", "--data", "x", "--output", str(tmp_path)]
    assert main(arguments) == 2
    assert "holds a training already; --resume goes on" in capsys.readouterr().err
    assert (tmp_path / "last.pt").read_bytes() == b"hours of work"


def test_an_interrupt_while_commands_are_imported_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("spatial_perception.cli.main.make_parser", interrupted)
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == "spatial-perception: interrupted\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "spatial_perception.cli.main", "engines", "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate()

    assert (process.returncode, errors) == (0, b"")


def test_own_models_leave_the_training_configuration_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPATIAL_PERCEPTION_MODELS", raising=False)
    installed = default_config("sign_classifier")
    assert installed.is_file()
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(tmp_path / "models"))
    assert default_config("sign_classifier") == installed
    own = tmp_path / "config" / "training" / "sign_classifier.yaml"
    own.parent.mkdir(parents=True)
    own.touch()
    assert default_config("sign_classifier") == own


def test_bench_tells_of_a_bag_that_is_not_there_before_it_measures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("spatial_perception.cli.bench._measure_engines", pytest.fail)
    assert main(["bench", "light_classifier", "--bag", str(tmp_path / "none")]) == 2
    assert "no such bag" in capsys.readouterr().err
