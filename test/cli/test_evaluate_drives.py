"""Drives are measured over truth and replayed bags."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from spatial_perception import messages
from spatial_perception.bags import BagWriter
from spatial_perception.cli import drive_bags
from spatial_perception.cli.drive_bags import drive_parameters, replay_drive, replayed_drive
from spatial_perception.cli.evaluate_drives import read_answers, read_drive
from spatial_perception.cli.main import main
from spatial_perception.config import nested
from spatial_perception.core import (
    CAMERA_OBJECT_LABELS,
    Header,
    PointCloud,
    Pose,
    StampedTransform,
    Transforms,
)
from spatial_perception.core.camera_objects import CameraObjects
from spatial_perception.core.examples import example_tracks
from spatial_perception.errors import DatasetError
from spatial_perception.pipelines.model import EngineOptions
from spatial_perception.replay.run import Replay

START_NS = 1_700_000_000_000_000_000


def write_drive(root: Path, name: str) -> tuple[Path, Path]:
    """Writes a bag with truth and the bag that the graph would have made of it."""
    bag, output = root / "drives" / name, root / "replayed" / name
    for folder in (bag, output):
        folder.parent.mkdir(parents=True, exist_ok=True)
    tracks = example_tracks()
    with BagWriter(bag) as writer, BagWriter(output) as results:
        mount = StampedTransform(Header(START_NS, "base_link"), "velodyne", Pose.identity())
        data = messages.TRANSFORMS.encode(Transforms((mount,)))
        writer.write("/tf_static", messages.TRANSFORMS.ros_type, START_NS, data)
        for k in range(3):
            ns = START_NS + k * 100_000_000
            truth = dataclasses.replace(tracks, header=Header(ns, "base_link"))
            points = np.repeat(truth.centers_m, 6, axis=0)
            cloud = messages.POINT_CLOUD.encode(PointCloud(Header(ns, "velodyne"), points))
            writer.write("/sensing/lidar/points", messages.POINT_CLOUD.ros_type, ns, cloud)
            states = messages.TRACK_STATES.encode(truth)
            writer.write("/ground_truth/objects/states", messages.TRACK_STATES.ros_type, ns, states)
            results.write("/perception/objects/states", messages.TRACK_STATES.ros_type, ns, states)
    return bag, output


def test_every_scan_has_its_truth_points_and_tracks(tmp_path: Path) -> None:
    frames = read_drive(*write_drive(tmp_path, "a"))
    assert len(frames) == 3
    assert frames[0].points.tolist() == [6, 6]
    assert frames[0].tracks.ids.tolist() == frames[0].truth.ids.tolist()


def test_replayed_bags_are_used_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_drive(tmp_path, "a")
    write_drive(tmp_path, "b")
    target = tmp_path / "metrics.json"
    arguments = ["evaluate", "object_tracker", "--dataset", "drives"]
    arguments += ["--root", str(tmp_path / "drives"), "--replayed", str(tmp_path / "replayed")]
    assert main([*arguments, "--json", str(target)]) == 0
    report = json.loads(target.read_text())
    assert (report["dataset"], report["frames"]) == ("drives", 6)
    assert report["metrics"]["car_mota"] == 100.0
    assert report["metrics"]["car_velocity_rmse_mps"] == 0.0
    assert report["metrics"]["pedestrian_mota_within_30m"] == 100.0


def test_classes_are_compared_where_the_stages_wrote_their_answers(tmp_path: Path) -> None:
    _, output = write_drive(tmp_path, "a")
    assert read_answers(output) == {}
    tracks, header = example_tracks(), Header(START_NS, "base_link")
    boxes = dataclasses.replace(tracks, header=header).detections()
    place, row = boxes.centers_m, np.ones(len(boxes), np.float32)
    camera = CameraObjects(header, place, row, row, row, row, boxes.labels, CAMERA_OBJECT_LABELS)
    codec = messages.DETECTIONS_3D
    with BagWriter(tmp_path / "full") as writer:
        for topic in ("/perception/lidar/detections", "/perception/fusion/detections"):
            writer.write(topic, codec.ros_type, START_NS, codec.encode(boxes))
        for name in ("front", "rear"):
            topic, codec_2d = f"/perception/camera/{name}/objects", messages.CAMERA_OBJECTS
            writer.write(topic, codec_2d.ros_type, START_NS, codec_2d.encode(camera))
    (answer,) = read_answers(tmp_path / "full").values()
    assert len(answer.cameras) == 2
    assert answer.fused.labels.tolist() == boxes.labels.tolist()


def test_a_bag_without_truth_is_refused(tmp_path: Path) -> None:
    _, output = write_drive(tmp_path, "a")
    with pytest.raises(DatasetError, match="/ground_truth/objects/states"):
        read_drive(output, output)


def test_another_model_is_refused(tmp_path: Path) -> None:
    arguments = ["evaluate", "lidar_detector", "--dataset", "drives", "--root", str(tmp_path)]
    assert main(arguments) == 2


def test_an_interrupted_replay_is_not_taken_for_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag, output = write_drive(tmp_path, "a")
    again = output.with_name("again")

    def interrupted(*_: object) -> None:
        again.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(Replay, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replay_drive(bag, again, {}, ("object_tracker",), "test")
    assert not again.exists()


def test_a_replayed_bag_serves_again_only_for_the_same_parameters_and_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag, _ = write_drive(tmp_path, "a")
    made: list[Path] = []

    def replay(_: Path, output: Path, *__: object) -> None:
        output.mkdir()
        made.append(output)

    monkeypatch.setattr(drive_bags, "replay_drive", replay)
    topic = "/ground_truth/objects/states"
    model = tmp_path / "models" / "lidar_detector"
    model.mkdir(parents=True)
    (model / "model.yaml").write_text("name: first")
    monkeypatch.setenv("SPATIAL_PERCEPTION_MODELS", str(model.parent))

    def made_for(**tracker: object) -> int:
        folder = tmp_path / "kept"
        folder.mkdir(exist_ok=True)
        stages = ("lidar_detector", "object_tracker")
        replayed_drive(bag, folder, topic, {"object_tracker": tracker}, stages, "test")
        return len(made)

    assert [made_for(), made_for()] == [1, 1]
    assert [made_for(max_age_s=2.0), made_for(max_age_s=2.0), made_for()] == [2, 2, 3]
    (model / "model.yaml").write_text("name: second")
    assert [made_for(), made_for()] == [4, 4]
    (tmp_path / "kept" / "a.recipe.json").unlink()
    assert made_for(max_age_s=3.0) == 4


def test_another_split_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "object_tracker", "--dataset", "drives", "--root", str(tmp_path)]
    assert main([*arguments, "--split", "labels"]) == 2
    assert "no split 'labels'; known: all" in capsys.readouterr().err


def test_engines_of_the_command_line_go_before_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "graph.yaml"
    file.write_text(
        "lidar_detector: {ros__parameters: {engine.backend: onnxruntime, engine.threads: 2}}"
    )
    engine = EngineOptions("openvino", "fp32")
    found = drive_parameters(file, engine, ("lidar_detector", "camera_detector"))

    named = {"backend": "openvino", "precision": "fp32"}
    assert nested(found["lidar_detector"]) == {"engine": {"threads": 2, **named}}
    assert nested(found["camera_detector"]) == {"engine": named}
