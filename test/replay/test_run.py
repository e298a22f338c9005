"""The bag host: complete, in order, twice the same, and clear about what it cannot use."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.core import Header, PointCloud, Transforms
from spatial_perception.core.examples import example_transforms
from spatial_perception.errors import ConfigError, DatasetError, EngineError, PerceptionError
from spatial_perception.messages import (
    DIAGNOSTICS,
    LATENCY,
    OCCUPANCY_GRID,
    POINT_CLOUD,
    TRANSFORMS,
)
from spatial_perception.replay.run import Replay, ReplayOptions, ReplaySummary, stop_on_error
from spatial_perception.stages.registry import build_graph
from spatial_perception.stages.static_transforms import parse_static_transforms

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
GRID = "/perception/occupancy/grid"


def cloud_bytes(index: int, frame_id: str = "velodyne") -> bytes:
    rng = np.random.default_rng(index)
    points = rng.uniform([-20, -20, -1.8], [20, 20, 0], (500, 3)).astype(np.float32)
    return POINT_CLOUD.encode(PointCloud(Header(START_NS + index * STEP_NS, frame_id), points))


def write_bag(
    path: Path,
    clouds: list[bytes],
    topic: str = "/sensing/lidar/points",
    transforms: Transforms | None = None,
) -> Path:
    with BagWriter(path) as writer:
        if transforms is not None:
            writer.write("/tf_static", TRANSFORMS.ros_type, START_NS, TRANSFORMS.encode(transforms))
        for index, data in enumerate(clouds):
            writer.write(topic, POINT_CLOUD.ros_type, START_NS + index * STEP_NS, data)
    return path


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    clouds = [cloud_bytes(i) for i in range(15)]
    return write_bag(tmp_path / "drive", clouds, transforms=example_transforms())


def replay(bag: Path, output: Path, **options: object) -> ReplaySummary:
    on_error = None if options.get("skip_errors") else stop_on_error
    graph = build_graph({}, only=("occupancy_mapper",), on_error=on_error)
    return Replay(graph, bag, output, ReplayOptions(**options)).run()  # type: ignore[arg-type]


def messages(path: Path) -> list[tuple[str, int, bytes]]:
    with BagReader(path) as reader:
        return [(m.topic, m.log_time_ns, bytes(m.data)) for m in reader.messages()]


def test_every_cloud_gives_a_grid_with_its_stamp_at_its_log_time(bag: Path, tmp_path: Path) -> None:
    summary = replay(bag, tmp_path / "out")
    grids = [m for m in messages(tmp_path / "out") if m[0] == GRID]
    assert [t for _, t, _ in grids] == [START_NS + i * STEP_NS for i in range(15)]
    first = OCCUPANCY_GRID.decode(grids[0][2])
    assert first.header == Header(START_NS, "base_link")
    assert summary.stages["occupancy_mapper"]["frames"] == 15
    assert summary.stages["occupancy_mapper"]["dropped"] == 0
    assert summary.output_messages[GRID] == 15


def test_twice_the_same_to_the_byte_but_for_times(bag: Path, tmp_path: Path) -> None:
    def stable(path: Path) -> list[tuple[str, int, bytes]]:
        skipped = (LATENCY.ros_type, DIAGNOSTICS.ros_type)
        with BagReader(path) as reader:
            return [
                (m.topic, m.log_time_ns, bytes(m.data))
                for m in reader.messages()
                if m.ros_type not in skipped
            ]

    replay(bag, tmp_path / "a")
    replay(bag, tmp_path / "b")
    assert stable(tmp_path / "a") == stable(tmp_path / "b") != []


def test_input_is_copied_whole_and_in_log_order(bag: Path, tmp_path: Path) -> None:
    replay(bag, tmp_path / "out", include_input=True)
    result = messages(tmp_path / "out")
    copied = [m for m in result if m[0] in ("/tf_static", "/sensing/lidar/points")]
    assert copied == messages(bag)
    times = [t for _, t, _ in result]
    assert times == sorted(times)


def test_results_of_an_earlier_replay_are_replaced(bag: Path, tmp_path: Path) -> None:
    replay(bag, tmp_path / "first", include_input=True)
    read = []
    graph = build_graph({}, only=("occupancy_mapper",), on_error=stop_on_error)
    options = ReplayOptions(include_input=True)
    run = Replay(graph, tmp_path / "first", tmp_path / "second", options)
    run.run(lambda count, total: read.append((count, total)))
    with BagReader(tmp_path / "second") as reader:
        assert reader.topics[GRID].count == 15
        assert reader.topics["/sensing/lidar/points"].count == 15
    count, total = read[-1]
    assert count == total


def test_diagnostics_come_once_a_second_of_log_time(bag: Path, tmp_path: Path) -> None:
    replay(bag, tmp_path / "out")
    reports = [m for m in messages(tmp_path / "out") if m[0] == "/diagnostics"]
    assert [t - START_NS for _, t, _ in reports] == [10 * STEP_NS, 14 * STEP_NS]
    status = DIAGNOSTICS.decode(reports[-1][2]).statuses[0]
    assert (status.name, status.values["frames"]) == ("perception: occupancy_mapper", "15")


def test_another_topic_name_is_found_by_type_or_by_remapping(tmp_path: Path) -> None:
    clouds = [cloud_bytes(0)]
    bag = write_bag(tmp_path / "drive", clouds, "/velodyne_points", example_transforms())
    summary = replay(bag, tmp_path / "by_type")
    assert summary.output_messages[GRID] == 1
    assert "/velodyne_points, the only one that fits" in summary.remarks[0]
    table = {"/sensing/lidar/points": "/velodyne_points", GRID: "/grid"}
    summary = replay(bag, tmp_path / "by_name", remappings=table)
    assert summary.output_messages["/grid"] == 1


def test_an_unknown_remapped_topic_is_named(bag: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no topic '/lidar'.*topics: .*/sensing/lidar/points"):
        replay(bag, tmp_path / "out", remappings={"/sensing/lidar/points": "/lidar"})


def test_a_topic_of_the_wrong_type_is_named(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "drive") as writer:
        data = TRANSFORMS.encode(example_transforms())
        writer.write("/sensing/lidar/points", TRANSFORMS.ros_type, 1, data)
    with pytest.raises(
        ConfigError, match="has type 'tf2_msgs/msg/TFMessage', expected sensor_msgs"
    ):
        replay(tmp_path / "drive", tmp_path / "out")


def test_a_bag_without_sensor_topics_says_what_it_has(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "drive") as writer:
        data = TRANSFORMS.encode(example_transforms())
        writer.write("/tf_static", TRANSFORMS.ros_type, 1, data)
    with pytest.raises(DatasetError, match="no camera or LiDAR topic.*/tf_static"):
        replay(tmp_path / "drive", tmp_path / "out")


def test_a_missing_transform_stops_with_the_frames_named(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "drive", [cloud_bytes(i) for i in range(15)])
    with pytest.raises(PerceptionError, match="occupancy_mapper: .*'velodyne'.*unknown"):
        replay(bag, tmp_path / "out")
    assert messages(tmp_path / "out") == [], "what was written stays readable"
    with pytest.raises(PerceptionError, match="--static-transform PARENT:CHILD:X,Y,Z"):
        replay(bag, tmp_path / "again")


@pytest.mark.parametrize("realtime", [False, True])
def test_a_mounting_may_be_given_and_is_written(tmp_path: Path, realtime: bool) -> None:
    bag = write_bag(tmp_path / "drive", [cloud_bytes(i) for i in range(2)])
    given = parse_static_transforms(["base_link:velodyne:0,0,1.73"])
    summary = replay(bag, tmp_path / "out", static_transforms=given, realtime=realtime)
    assert summary.output_messages[GRID] == 2
    (written,) = [m for m in messages(tmp_path / "out") if m[0] == "/tf_static"]
    assert TRANSFORMS.decode(written[2]).transforms[0].child_frame_id == "velodyne"


def test_a_missing_transform_is_a_counted_drop_when_told_to_go_on(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "drive", [cloud_bytes(i) for i in range(15)])
    summary = replay(bag, tmp_path / "out", skip_errors=True)
    assert summary.stages["occupancy_mapper"]["drops"] == {"transform": 15}
    assert any("'velodyne'" in remark for remark in summary.remarks)


def test_a_transform_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "drive"
    with BagWriter(path) as writer:
        for index in range(3):
            writer.write(
                "/sensing/lidar/points",
                POINT_CLOUD.ros_type,
                START_NS + index * STEP_NS,
                cloud_bytes(index),
            )
        data = TRANSFORMS.encode(example_transforms())
        writer.write("/tf_static", TRANSFORMS.ros_type, START_NS + 3 * STEP_NS, data)
    assert replay(path, tmp_path / "out").output_messages[GRID] == 3


def test_a_broken_message_stops_or_is_counted(tmp_path: Path) -> None:
    clouds = [cloud_bytes(0), cloud_bytes(1)[:60], cloud_bytes(2)]
    bag = write_bag(tmp_path / "drive", clouds, transforms=example_transforms())
    with pytest.raises(PerceptionError, match="/sensing/lidar/points: .*PointCloud2"):
        replay(bag, tmp_path / "stopped")
    assert [m[0] for m in messages(tmp_path / "stopped")].count(GRID) == 1
    summary = replay(bag, tmp_path / "skipped", skip_errors=True)
    assert summary.stages["occupancy_mapper"]["drops"] == {"decode": 1}
    assert summary.output_messages[GRID] == 2


def test_a_bag_that_was_cut_off_is_replayed_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    clouds = []
    for index in range(12):  # noise does not compress: several chunks
        points = rng.uniform(-30, 30, (20_000, 3)).astype(np.float32)
        header = Header(START_NS + index * STEP_NS, "velodyne")
        clouds.append(POINT_CLOUD.encode(PointCloud(header, points)))
    bag = write_bag(tmp_path / "drive", clouds, transforms=example_transforms())
    whole = next(bag.glob("*.mcap")).read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    summary = replay(cut, tmp_path / "out")
    assert 0 < summary.output_messages[GRID] < 12
    assert any("cut off" in remark for remark in summary.remarks)
    cut.write_bytes(whole[:1500])
    with pytest.raises(DatasetError, match="cut.mcap: no "):
        replay(cut, tmp_path / "nothing")


def test_a_missing_model_stops_before_anything_is_written(bag: Path, tmp_path: Path) -> None:
    parameters = {"lidar_detector": {"model": "no_such_model"}}
    graph = build_graph(parameters, only=("lidar_detector",), on_error=stop_on_error)
    with pytest.raises(EngineError, match="no_such_model"):
        Replay(graph, bag, tmp_path / "out").run()
    assert not (tmp_path / "out").exists()


def test_realtime_loses_nothing_when_it_keeps_up(bag: Path, tmp_path: Path) -> None:
    summary = replay(bag, tmp_path / "out", realtime=True)
    stage = summary.stages["occupancy_mapper"]
    drops = stage["drops"]
    assert isinstance(drops, dict)
    assert set(drops) <= {"superseded"}, "a slow machine may skip, and says so"
    assert stage["frames"] == 15 - sum(drops.values())


@pytest.mark.parametrize("is_mounted", [True, False])
def test_realtime_too_stops_at_what_cannot_be_used(tmp_path: Path, is_mounted: bool) -> None:
    clouds = [cloud_bytes(i)[: 40 if is_mounted else None] for i in range(15)]
    given = parse_static_transforms(["base_link:velodyne:0,0,1.73"] * is_mounted)
    bag = write_bag(tmp_path / "drive", clouds)
    with pytest.raises(PerceptionError, match="decode" if is_mounted else "no transform"):
        replay(bag, tmp_path / "out", realtime=True, static_transforms=given)
    reports = [m for m in messages(tmp_path / "out") if m[0] == "/diagnostics"]
    assert not reports, "it did not go on to the end, which is later than a second"


def test_the_output_is_never_overwritten(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match="exists already"):
        replay(bag, tmp_path / "out")


def test_options_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ReplayOptions().realtime = True  # type: ignore[misc]


def test_a_gap_in_log_time_is_bridged_by_one_report(tmp_path: Path) -> None:
    clouds = [cloud_bytes(i) for i in range(3)]
    bag = write_bag(tmp_path / "drive", clouds)
    gap = tmp_path / "gap"
    with BagWriter(gap) as writer, BagReader(bag) as reader:
        data = TRANSFORMS.encode(example_transforms())
        writer.write("/tf_static", TRANSFORMS.ros_type, 0, data)  # years before the clouds
        for message in reader.messages():
            writer.write(message.topic, message.ros_type, message.log_time_ns, message.data)
    replay(gap, tmp_path / "out")
    reports = [m for m in messages(tmp_path / "out") if m[0] == "/diagnostics"]
    assert len(reports) == 2, "one for the gap, one at the end"


def test_what_is_degraded_is_remarked(bag: Path, tmp_path: Path) -> None:
    assert any("occupancy_mapper: " in remark for remark in replay(bag, tmp_path / "out").remarks)
