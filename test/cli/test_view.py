"""`view`: from a bag to video, pictures and report; what is missing is left out and said."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.cli.main import main
from spatial_perception.cli.view_index import header_stamp_ns, index_bags
from spatial_perception.cli.view_plan import plan_frames
from spatial_perception.cli.view_roles import camera_name, find_roles
from spatial_perception.cli.view_scenes import SceneReader
from spatial_perception.cli.view_statistics import stage_rows
from spatial_perception.core import DiagnosticLevel, Diagnostics, DiagnosticStatus, examples
from spatial_perception.core.header import Header
from spatial_perception.core.image import CameraImage, LabelImage
from spatial_perception.core.labels import CAMVID_LABELS
from spatial_perception.core.point_cloud import PointCloud
from spatial_perception.core.transforms import StampedTransform, Transforms
from spatial_perception.messages import (
    CAMERA_INFO,
    DETECTIONS_2D,
    DETECTIONS_3D,
    DIAGNOSTICS,
    IMAGE,
    LABEL_IMAGE,
    LABELLED_CLOUD,
    LATENCY,
    OCCUPANCY_GRID,
    POINT_CLOUD,
    TRACK_STATES,
    TRANSFORMS,
    VOXELS,
    Codec,
)
from spatial_perception.visualization.scene import Scene

FRAMES = 4
PERIOD_NS = 100_000_000
CAMERA_DELAY_NS = 3_000_000
CAMERA = "/sensing/camera/front"
RESULTS = "/perception/camera/front"

Entry = tuple[str, Codec[Any], Any]


def stamped(value: Any, index: int, frame_id: str, delay_ns: int = 0) -> Any:
    header = Header(examples.STAMP_NS + index * PERIOD_NS + delay_ns, frame_id)
    return dataclasses.replace(value, header=header)


def image() -> CameraImage:
    return CameraImage(examples.example_header(), np.full((48, 96, 3), 90, np.uint8))


def inputs(index: int) -> list[Entry]:
    optical = "camera_front_optical_frame"
    return [
        ("/sensing/lidar/points", POINT_CLOUD, stamped(points(), index, "velodyne")),
        (f"{CAMERA}/image", IMAGE, stamped(image(), index, optical, CAMERA_DELAY_NS)),
        (
            f"{CAMERA}/camera_info",
            CAMERA_INFO,
            stamped(examples.example_camera(), index, optical, CAMERA_DELAY_NS),
        ),
    ]


def points() -> Any:
    return examples.example_point_cloud(40)


def results(index: int) -> list[Entry]:
    optical = "camera_front_optical_frame"
    labels = np.full((48, 96), index, np.uint8)
    mask = LabelImage(examples.example_header(), labels, CAMVID_LABELS)
    boxes = examples.example_detections2d()
    labelled = examples.example_labelled_cloud()
    cloud = stamped(labelled.cloud, index, "base_link")
    return [
        (f"{RESULTS}/detections", DETECTIONS_2D, stamped(boxes, index, optical, CAMERA_DELAY_NS)),
        (f"{RESULTS}/segmentation", LABEL_IMAGE, stamped(mask, index, optical, CAMERA_DELAY_NS)),
        (
            "/perception/lidar/detections",
            DETECTIONS_3D,
            stamped(examples.example_detections3d(), index, "base_link"),
        ),
        (
            "/perception/lidar/segmentation",
            LABELLED_CLOUD,
            dataclasses.replace(labelled, cloud=cloud),
        ),
        (
            "/perception/objects/states",
            TRACK_STATES,
            stamped(examples.example_tracks(), index, "base_link"),
        ),
        (
            "/perception/occupancy/grid",
            OCCUPANCY_GRID,
            stamped(examples.example_occupancy_grid(), index, "base_link"),
        ),
        (
            "/perception/occupancy/voxels",
            VOXELS,
            stamped(examples.example_voxel_grid(), index, "base_link"),
        ),
        ("/perception/lidar_detector/latency_ms", LATENCY, examples.example_latency()),
    ]


def transforms() -> Entry:
    rig = examples.example_transforms().transforms[0]
    optical = StampedTransform(rig.header, "camera_front_optical_frame", rig.pose)
    return "/tf_static", TRANSFORMS, Transforms((rig, optical))


def write_bag(path: Path, frames: Iterable[Callable[[int], list[Entry]]]) -> Path:
    with BagWriter(path) as writer:
        topic, codec, value = transforms()
        writer.write(topic, codec.ros_type, examples.STAMP_NS - 1, codec.encode(value))
        for index in range(FRAMES):
            for make in frames:
                for topic, codec, value in make(index):
                    log_time_ns = examples.STAMP_NS + index * PERIOD_NS
                    writer.write(topic, codec.ros_type, log_time_ns, codec.encode(value))
    return path


def run_view(*arguments: object) -> int:
    return main(["view", *map(str, arguments), "--video-codec", "mpeg4"])


def frame_count(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    return count


def scenes_of(*paths: Path, every: int = 1) -> list[Scene]:
    bags = [BagReader(path) for path in paths]
    index = index_bags(bags, 0.0, lambda done, total: None)
    roles = find_roles(index.topics, camera_name(index.topics))
    plans = plan_frames(index.topics, roles, every)
    return list(SceneReader(index, roles, 0.0).scenes(bags, plans))


@pytest.fixture(scope="module")
def full_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bag(tmp_path_factory.mktemp("full") / "bag", (inputs, results))


def test_a_full_bag_gives_video_pictures_and_report(full_bag: Path, tmp_path: Path) -> None:
    assert run_view(full_bag, "--output", tmp_path, "--licence", "CC0") == 0
    assert frame_count(tmp_path / "video.mp4") == FRAMES
    for folder in ("overlay", "bev"):
        names = sorted(path.name for path in (tmp_path / folder).iterdir())
        assert names == [f"{index:06d}.png" for index in range(FRAMES)]
    html = (tmp_path / "report.html").read_text()
    assert "CC0" in html
    assert "lidar_detector" in html
    without_pictures = re.sub(r"data:image/webp;base64,[A-Za-z0-9+/=]+", "", html)
    assert not re.search(r"https?:|url\(", without_pictures)


def test_the_overlay_has_the_size_of_the_picture(full_bag: Path, tmp_path: Path) -> None:
    run_view(full_bag, "--output", tmp_path)
    assert cv2.imread(str(tmp_path / "overlay" / "000000.png")).shape == (48, 96, 3)


def test_every_takes_each_nth_frame(full_bag: Path, tmp_path: Path) -> None:
    assert run_view(full_bag, "--output", tmp_path, "--every", 3) == 0
    assert frame_count(tmp_path / "video.mp4") == 2


def test_each_frame_gets_the_messages_of_its_own_stamp(full_bag: Path) -> None:
    scenes = scenes_of(full_bag)
    assert len(scenes) == FRAMES
    for index, scene in enumerate(scenes):
        assert scene.segmentation is not None
        assert (scene.segmentation.labels == index).all()
        for part in (scene.objects, scene.tracks, scene.grid, scene.voxels, scene.cloud):
            assert part is not None
            assert part.header.stamp_ns == scene.stamp_ns - CAMERA_DELAY_NS


def test_inputs_in_a_second_bag_give_the_same_scenes(full_bag: Path, tmp_path: Path) -> None:
    raw = write_bag(tmp_path / "raw", (inputs,))
    only = write_bag(tmp_path / "results", (results,))
    for one, other in zip(scenes_of(full_bag), scenes_of(only, raw), strict=True):
        for part in dataclasses.fields(Scene):
            assert (getattr(one, part.name) is None) == (getattr(other, part.name) is None)
        assert one.stamp_ns == other.stamp_ns


def test_results_alone_are_shown_from_above(tmp_path: Path, capsys: Any) -> None:
    only = write_bag(tmp_path / "results", (results,))
    assert run_view(only, "--output", tmp_path / "view") == 0
    assert frame_count(tmp_path / "view" / "video.mp4") == FRAMES
    assert not (tmp_path / "view" / "overlay").exists()
    assert "--input BAG" in capsys.readouterr().out


@pytest.mark.parametrize("kept", ["/sensing/lidar/points", f"{CAMERA}/image"])
def test_a_bag_of_a_single_sensor_is_shown(tmp_path: Path, kept: str) -> None:
    bag = write_bag(
        tmp_path / "one", (lambda index: [entry for entry in inputs(index) if entry[0] == kept],)
    )
    assert run_view(bag, "--output", tmp_path / "view") == 0
    assert frame_count(tmp_path / "view" / "video.mp4") == FRAMES


def test_a_cloud_in_the_sensor_frame_is_moved_to_base_link(tmp_path: Path) -> None:
    raw = write_bag(tmp_path / "raw", (inputs,))
    cloud = scenes_of(raw)[0].cloud
    assert isinstance(cloud, PointCloud)
    assert cloud.header.frame_id == "base_link"
    # the first point is at (5, 0, 0); the sensor is turned by 90 degrees, 1.73 m up
    assert cloud.points[0] == pytest.approx([0.0, 5.0, 1.73], abs=1e-5)


def test_inputs_of_other_names_are_found_by_their_stamps(tmp_path: Path) -> None:
    names = {
        f"{CAMERA}/image": "/kitti/left/image_raw",
        f"{CAMERA}/camera_info": "/kitti/left/camera_info",
        "/sensing/lidar/points": "/velodyne_points",
    }

    def renamed(index: int) -> list[Entry]:
        other = stamped(image(), index, "rear", 50_000_000)
        mine = [(names[topic], codec, value) for topic, codec, value in inputs(index)]
        return [("/rear/image_raw", IMAGE, other), *mine]

    bag = write_bag(tmp_path / "bag", (renamed, results))
    with BagReader(bag) as reader:
        index = index_bags([reader], 0.0, lambda done, total: None)
    roles = find_roles(index.topics, "front")
    assert (roles["image"], roles["camera"], roles["cloud"]) == tuple(names.values())


def test_results_under_a_namespace_are_found(tmp_path: Path) -> None:
    def moved(index: int) -> list[Entry]:
        return [(f"/car1{topic}", codec, value) for topic, codec, value in results(index)]

    scene = scenes_of(write_bag(tmp_path / "bag", (inputs, moved)))[0]
    assert scene.tracks is not None
    assert scene.detections is not None


def test_the_summary_of_replay_is_shown(full_bag: Path, tmp_path: Path) -> None:
    stage = {"frames": 77, "dropped": 5, "drops": {"transform": 5}, "p50_ms": 1.0}
    summary = {"stages": {"my_stage": stage}, "frames_per_s": 12.3, "remarks": ["took care"]}
    (tmp_path / "replay.json").write_text(json.dumps(summary))
    run_view(full_bag, "--output", tmp_path / "v", "--summary", tmp_path / "replay.json")
    html = (tmp_path / "v" / "report.html").read_text()
    for expected in ("my_stage", "transform 5", "12.3", "took care"):
        assert expected in html


def test_stages_have_their_own_last_diagnostics_and_the_times_of_their_topics(
    tmp_path: Path,
) -> None:
    """As a bag of ROS nodes has them: each node publishes diagnostics of its own stage alone."""

    def diagnosed(index: int) -> list[Entry]:
        values = {"frames": str(index), "compute_p50_ms": "9.0", "dropped_stale": "2"}
        parts = [
            DiagnosticStatus(f"perception: {stage}", DiagnosticLevel.OK, "", values=values)
            for stage in ("lidar_detector", "camera_detector")
        ]
        camera = DiagnosticStatus("driver", DiagnosticLevel.OK, "", values={"frames": "12.5 fps"})
        header = examples.example_header("")
        return [("/diagnostics", DIAGNOSTICS, Diagnostics(header, (s,))) for s in (*parts, camera)]

    with BagReader(write_bag(tmp_path / "bag", (results, diagnosed))) as bag:
        index = index_bags([bag], 0.0, lambda done, total: None)
    camera, lidar = stage_rows(index, {})
    assert (camera.name, camera.frames, camera.drops) == ("camera_detector", 3, {"stale": 2})
    assert (camera.p50_ms, camera.p99_ms) == (9.0, None)
    assert (lidar.name, lidar.frames) == ("lidar_detector", 3)
    assert lidar.p50_ms == lidar.p99_ms == examples.example_latency().milliseconds


def test_a_damaged_message_is_counted_and_the_rest_shown(tmp_path: Path, capsys: Any) -> None:
    with BagWriter(tmp_path / "bag") as writer:
        for index in range(FRAMES):
            for topic, codec, value in inputs(index):
                data = codec.encode(value)
                data = data[:40] if index == 1 and topic.endswith("points") else data
                stamp_ns = examples.STAMP_NS + index * PERIOD_NS
                writer.write(topic, codec.ros_type, stamp_ns, data)
    assert run_view(tmp_path / "bag", "--output", tmp_path / "view") == 0
    assert frame_count(tmp_path / "view" / "video.mp4") == FRAMES
    assert "/sensing/lidar/points" in capsys.readouterr().out


@pytest.mark.parametrize("make", ["missing", "empty", "garbage", "no_topics"])
def test_a_bad_bag_ends_with_one_line_and_2(tmp_path: Path, capsys: Any, make: str) -> None:
    bag = tmp_path / "bag"
    if make == "empty":
        bag.mkdir()
    elif make == "garbage":
        bag = tmp_path / "bag.mcap"
        bag.write_bytes(b"no bag at all" * 50)
    elif make == "no_topics":
        write_bag(bag, ())
    assert run_view(bag, "--output", tmp_path / "view") == 2
    captured = capsys.readouterr()
    assert len(captured.err.strip().splitlines()) == 1
    assert str(bag) in captured.err


@pytest.mark.parametrize("arguments", [("--every", 0), ("--summary", "/nonexistent.json")])
def test_bad_arguments_end_with_2(
    full_bag: Path, tmp_path: Path, capsys: Any, arguments: tuple[object, ...]
) -> None:
    assert run_view(full_bag, "--output", tmp_path / "view", *arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_made_ends_with_2(full_bag: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run_view(full_bag, "--output", tmp_path / "file" / "view") == 2


def test_stamps_are_read_in_both_byte_orders() -> None:
    little = bytes([0, 1, 0, 0]) + (5).to_bytes(4, "little") + (7).to_bytes(4, "little")
    big = bytes([0, 0, 0, 0]) + (5).to_bytes(4, "big") + (7).to_bytes(4, "big")
    assert header_stamp_ns(little) == header_stamp_ns(big) == 5_000_000_007


def test_the_real_clip_is_shown_whole(tmp_path: Path) -> None:
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    clip = Path(os.environ.get("SPATIAL_PERCEPTION_DATA", beside)) / "kitti_raw_clip"
    if not clip.is_dir():
        pytest.skip("kitti_raw_clip is not there; set SPATIAL_PERCEPTION_DATA to its folder")
    scenes = scenes_of(clip, every=10)
    assert len(scenes) == 2
    for scene in scenes:
        assert scene.image is not None
        assert scene.image.pixels.shape == (375, 1242, 3)
        assert scene.camera_from_base is not None
        assert scene.cloud is not None
        assert abs(scene.cloud.header.stamp_ns - scene.stamp_ns) < 10_000_000
