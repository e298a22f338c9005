"""`view` of recordings that are not as the default graph writes them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.cli.view_index import header_frame_id, index_bags
from spatial_perception.cli.view_roles import find_roles
from spatial_perception.core import examples
from spatial_perception.core.header import Header
from spatial_perception.core.labels import LabelSet
from spatial_perception.core.pose import Pose
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.errors import DecodeError
from spatial_perception.messages import DETECTIONS_3D, LABELLED_CLOUD, TRACK_STATES, TRANSFORMS

from .test_view import (
    CAMERA,
    FRAMES,
    Entry,
    frame_count,
    inputs,
    results,
    run_view,
    scenes_of,
    stamped,
    write_bag,
)


def renamed(make: Callable[[int], list[Entry]], **names: str) -> Callable[[int], list[Entry]]:
    """Entries under other topics."""

    def entries(index: int) -> list[Entry]:
        return [(names.get(topic, topic), codec, value) for topic, codec, value in make(index)]

    return entries


def of_lidar(name: str) -> dict[str, str]:
    """Topics as the stages name them with `lidars: [NAME]`."""
    return {
        "/sensing/lidar/points": f"/sensing/lidar/{name}/points",
        "/perception/lidar/detections": f"/perception/lidar/{name}/detections",
        "/perception/lidar/segmentation": f"/perception/lidar/{name}/segmentation",
        "/perception/occupancy/voxels": f"/perception/occupancy/{name}/voxels",
    }


def roles_of(bag: Path) -> dict[str, str]:
    with BagReader(bag) as reader:
        index = index_bags([reader], 0.0, lambda done, total: None)
    return find_roles(index.topics, "front")


def test_results_of_a_lidar_with_a_name_are_found(tmp_path: Path) -> None:
    named = (renamed(make, **of_lidar("top")) for make in (inputs, results))
    roles = roles_of(write_bag(tmp_path / "bag", tuple(named)))
    for role in ("cloud", "objects", "labelled", "voxels"):
        assert "/top/" in roles[role]
    assert roles["grid"] == "/perception/occupancy/grid"
    assert roles["tracks"] == "/perception/objects/states"


def test_of_several_lidars_the_tracked_one_is_shown(tmp_path: Path) -> None:
    def rear(index: int) -> list[Entry]:
        objects = stamped(examples.example_detections3d(), index, "base_link", 40_000_000)
        return [("/perception/lidar/rear/detections", DETECTIONS_3D, objects)]

    bag = write_bag(tmp_path / "bag", (rear, renamed(results, **of_lidar("top"))))
    assert roles_of(bag)["objects"] == "/perception/lidar/top/detections"


def test_the_only_cloud_of_a_lidar_with_a_name_is_found_among_others(tmp_path: Path) -> None:
    def radar(index: int) -> list[Entry]:
        _, codec, value = inputs(index)[0]
        return [("/radar/points", codec, value)]

    bag = write_bag(tmp_path / "bag", (radar, renamed(inputs, **of_lidar("top"))))
    assert roles_of(bag)["cloud"] == "/sensing/lidar/top/points"


@pytest.mark.parametrize("second", ["car2", "truck"])
def test_the_parts_of_two_vehicles_are_not_mixed(tmp_path: Path, second: str) -> None:
    """The topics of a bag come in the order of their first messages, which may alternate."""

    def both(index: int) -> list[Entry]:
        entries: list[Entry] = []
        for place, (topic, codec, value) in enumerate([*inputs(index), *results(index)]):
            pair = [(f"/{name}{topic}", codec, value) for name in ("car1", second)]
            entries += pair if place % 2 else pair[::-1]
        return entries

    topics = roles_of(write_bag(tmp_path / "bag", (both,))).values()
    assert len(topics) == 10
    assert all(topic.startswith("/car1/") for topic in topics)


def test_another_frame_of_the_vehicle_is_taken_from_the_results(tmp_path: Path) -> None:
    """As with `target_frame: ego_vehicle`: no frame of the recording is called base_link."""
    mounts = Transforms(
        tuple(
            StampedTransform(
                Header(0, "ego_vehicle"), child, Pose.from_yaw(0.0, np.array([0.0, 0.0, height]))
            )
            for child, height in (("velodyne", 1.73), ("camera_front_optical_frame", 1.6))
        )
    )

    def driven(index: int) -> list[Entry]:
        moved = StampedTransform(
            Header(examples.STAMP_NS + index * 100_000_000, "odom"),
            "ego_vehicle",
            Pose.from_yaw(0.0, np.array([10.0 * (index + 1), 0.0, 0.0])),
        )
        entries: list[Entry] = [("/tf", TRANSFORMS, Transforms((moved,)))]
        for topic, codec, value in [*inputs(index), *results(index)]:
            if topic.endswith("/grid"):
                value = stamped(value, index, "odom")
            elif topic.endswith(("/states", "/voxels", "/lidar/detections")):
                value = stamped(value, index, "ego_vehicle")
            elif topic.endswith("/lidar/segmentation"):
                cloud = stamped(value.cloud, index, "velodyne")
                value = dataclasses.replace(value, cloud=cloud)
            entries.append((topic, codec, value))
        return entries

    with BagWriter(tmp_path / "bag") as writer:
        data = TRANSFORMS.encode(mounts)
        writer.write("/tf_static", TRANSFORMS.ros_type, examples.STAMP_NS - 1, data)
        for index in range(FRAMES):
            for topic, codec, value in driven(index):
                log_time_ns = examples.STAMP_NS + index * 100_000_000
                writer.write(topic, codec.ros_type, log_time_ns, codec.encode(value))
    scene = scenes_of(tmp_path / "bag")[1]
    for part in (scene.cloud, scene.grid, scene.tracks, scene.voxels):
        assert part is not None
        assert part.header.frame_id == "ego_vehicle"
    assert scene.grid is not None
    there = examples.example_occupancy_grid().origin.translation
    assert scene.grid.origin.translation == pytest.approx(there - [20.0, 0.0, 0.0])
    assert scene.camera_from_base is not None
    assert scene.trails


def test_mountings_are_taken_from_both_bags(tmp_path: Path) -> None:
    """As after `replay --static-transform base_link:velodyne:...` of a bag that lacks this one."""
    lidar = examples.example_transforms().transforms[0]
    camera = StampedTransform(Header(0, "velodyne"), "camera_front_optical_frame", lidar.pose)
    for name, mount, make in (("results", lidar, results), ("raw", camera, inputs)):
        with BagWriter(tmp_path / name) as writer:
            data = TRANSFORMS.encode(Transforms((mount,)))
            writer.write("/tf_static", TRANSFORMS.ros_type, examples.STAMP_NS, data)
            for topic, codec, value in make(0):
                writer.write(topic, codec.ros_type, examples.STAMP_NS, codec.encode(value))
    (scene,) = scenes_of(tmp_path / "results", tmp_path / "raw")
    assert scene.camera_from_base is not None


def test_a_damaged_first_picture_does_not_take_the_place_of_all(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        for index in range(FRAMES):
            for topic, codec, value in inputs(index):
                data = codec.encode(value)
                data = data[:90] if index == 0 and topic == f"{CAMERA}/image" else data
                stamp_ns = examples.STAMP_NS + index * 100_000_000
                writer.write(topic, codec.ros_type, stamp_ns, data)
    assert run_view(tmp_path / "bag", "--output", tmp_path / "view") == 0
    capture = cv2.VideoCapture(str(tmp_path / "view" / "video.mp4"))
    sheets = [capture.read()[1] for _ in range(FRAMES)]
    picture_gray = 90
    shown = [abs(int(np.median(sheet[80:160, 100:400])) - picture_gray) for sheet in sheets]
    assert shown[0] > 20
    assert max(shown[1:]) < 8


def test_a_camera_that_cannot_project_is_said(tmp_path: Path, capsys: Any) -> None:
    def uncalibrated(index: int) -> list[Entry]:
        zero = np.zeros((3, 3))
        return [
            (topic, codec, dataclasses.replace(value, matrix=zero) if "info" in topic else value)
            for topic, codec, value in inputs(index)
        ]

    bag = write_bag(tmp_path / "bag", (uncalibrated, results))
    assert run_view(bag, "--output", tmp_path / "view") == 0
    note = f"{CAMERA}/camera_info: not calibrated (K is zero), so no boxes in space"
    assert note in capsys.readouterr().out


@pytest.mark.parametrize(("width", "said"), [(640, True), (96, False)])
def test_a_calibration_of_other_pictures_is_said(
    tmp_path: Path, capsys: Any, width: int, said: bool
) -> None:
    """As of drivers that shrink the picture and leave camera_info as it was."""

    def calibrated(index: int) -> list[Entry]:
        return [
            (
                topic,
                codec,
                dataclasses.replace(value, width=width, height=width // 2)
                if "info" in topic
                else value,
            )
            for topic, codec, value in inputs(index)
        ]

    bag = write_bag(tmp_path / "bag", (calibrated, results))
    assert run_view(bag, "--output", tmp_path / "view") == 0
    assert ("is for pictures of 640x320, these have 96x48" in capsys.readouterr().out) == said


@pytest.mark.parametrize("part", ["points", "tracks"])
def test_labels_beyond_the_classes_are_said_and_left_out(
    tmp_path: Path, capsys: Any, part: str
) -> None:
    """As results of a network with more classes have them, whose names the clouds do not carry."""

    def others(index: int) -> list[Entry]:
        if part == "tracks":
            tracks = stamped(examples.example_tracks(), index, "base_link")
            tracks = dataclasses.replace(tracks, labels=tracks.labels + 20)
            return [("/perception/objects/states", TRACK_STATES, tracks)]
        labelled = examples.example_labelled_cloud()
        many = LabelSet(tuple(f"class {label}" for label in range(30)))
        cloud = stamped(labelled.cloud, index, "base_link")
        labels = np.full_like(labelled.labels, 20)
        own = dataclasses.replace(labelled, cloud=cloud, labels=labels, label_set=many)
        return [("/perception/lidar/segmentation", LABELLED_CLOUD, own)]

    bag = write_bag(tmp_path / "bag", (inputs, others))
    assert run_view(bag, "--output", tmp_path / "view") == 0
    assert frame_count(tmp_path / "view" / "video.mp4") == FRAMES
    assert "is none of the" in capsys.readouterr().out


def test_a_camera_that_is_not_there_is_refused(tmp_path: Path, capsys: Any) -> None:
    bag = write_bag(tmp_path / "bag", (inputs, results))
    assert run_view(bag, "--output", tmp_path / "view", "--camera", "rear") == 2
    assert "no camera 'rear' in the bag; cameras: front" in capsys.readouterr().err


@pytest.mark.parametrize("stages", [{"a_stage": {"p50_ms": 1.0}}, [1]])
def test_a_summary_of_something_else_is_refused(tmp_path: Path, capsys: Any, stages: Any) -> None:
    bag = write_bag(tmp_path / "bag", (inputs, results))
    (tmp_path / "other.json").write_text(json.dumps({"stages": stages}))
    output = tmp_path / "view"
    assert run_view(bag, "--output", output, "--summary", tmp_path / "other.json") == 2
    assert "no summary of a replay" in capsys.readouterr().err


def test_frames_are_read_in_both_byte_orders() -> None:
    for flag, order in ((1, "little"), (0, "big")):
        head = bytes([0, flag, 0, 0]) + bytes(8)
        length = (5).to_bytes(4, order)  # type: ignore[arg-type]
        assert header_frame_id(head + length + b"odom\0") == "odom"
    with pytest.raises(DecodeError):
        header_frame_id(bytes(14))
