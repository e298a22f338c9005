"""play -> live -> record in separate processes: the same bytes as the replay of the bag."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from spatial_perception.bags import BagReader, BagWriter
from spatial_perception.messages import DIAGNOSTICS, LATENCY
from spatial_perception.replay.run import Replay
from spatial_perception.runtime.models import model_names
from spatial_perception.stages.registry import build_graph

from .bags import GRID, POINTS, STATIC, contents, drive
from .network import Command, stop_limit_s

DATA = Path(
    os.environ.get("SPATIAL_PERCEPTION_DATA", Path(__file__).parents[3] / "shared" / "data")
)
CLIP = DATA / "kitti_raw_clip"
UNSTABLE = (LATENCY.ros_type, DIAGNOSTICS.ros_type)


EXCERPT_NS = 850_000_000
LOADED_MACHINE_S = 240.0


def excerpt(bag: Path, output: Path) -> Path:
    """Writes the beginning of a bag: what a whole clip would show, eight frames show too."""
    with BagReader(bag) as reader, BagWriter(output) as writer:
        for topic, info in reader.topics.items():
            writer.declare(topic, info)
        for message in reader.messages():
            if message.log_time_ns <= reader.start_ns + EXCERPT_NS:
                writer.write(message.topic, message.ros_type, message.log_time_ns, message.data)
    return output


def replayed(bag: Path, output: Path, stages: tuple[str, ...]) -> dict[str, list[bytes]]:
    graph = build_graph({}, stages)
    Replay(graph, bag, output).run()
    graph.close()
    with BagReader(output) as reader:
        stable = [t for t, info in reader.topics.items() if info.ros_type not in UNSTABLE]
    return {topic: messages for topic, messages in contents(output).items() if topic in stable}


def run_live(
    command: Callable[..., Command],
    bag: Path,
    output: Path,
    stages: tuple[str, ...],
    played: list[str],
    expected: dict[str, int],
    *options: str,
) -> dict[str, list[bytes]]:
    """Returns what a recorder gets of a live graph that is fed by a player."""
    live = command("live", "--stages", ",".join(stages), "--delivery", "lossless", *options)
    record = command(
        "record", output, "--topics", *expected, "--max-messages", sum(expected.values())
    )
    live.wait_for(f"{len(stages)} of {len(stages)} stages ready")
    for topic in expected:
        record.wait_for(topic)
    play = command(
        "play", bag, "--topics", *played, "--rate", 2, "--wait-for-subscribers",
        "--wait-for-all-acked",
    )  # fmt: skip
    assert play.wait(LOADED_MACHINE_S) == 0, play.output
    assert record.wait(LOADED_MACHINE_S) == 0, record.output
    code, elapsed_s = live.interrupt()
    assert code == 0, live.output
    assert elapsed_s < stop_limit_s()
    return contents(output)


def test_results_of_a_small_drive_equal_the_replay(
    command: Callable[..., Command], tmp_path: Path
) -> None:
    bag, stages = drive(tmp_path / "drive"), ("occupancy_mapper",)
    expected = replayed(bag, tmp_path / "replayed", stages)
    counts = {topic: len(messages) for topic, messages in expected.items()}
    found = run_live(command, bag, tmp_path / "out", stages, [POINTS, STATIC], counts)
    assert counts == {GRID: 15}
    assert found == expected


@pytest.mark.slow
@pytest.mark.skipif(not CLIP.is_dir(), reason=f"needs the bag {CLIP}")
def test_results_of_a_real_drive_equal_the_replay(
    command: Callable[..., Command], tmp_path: Path
) -> None:
    stages = ("lidar_detector", "lidar_segmenter", "camera_detector", "camera_segmenter")
    stages = tuple(stage for stage in stages if stage in model_names()) + ("occupancy_mapper",)
    clip = excerpt(CLIP, tmp_path / "clip")
    expected = replayed(clip, tmp_path / "replayed", stages)
    counts = {topic: len(messages) for topic, messages in expected.items()}
    with BagReader(clip) as reader:
        played = [t for t in reader.topics if t.startswith("/sensing") and "info" not in t]
        played += [t for t in ("/tf", STATIC) if t in reader.topics]
    found = run_live(command, clip, tmp_path / "out", stages, played, counts)
    assert {t: len(m) for t, m in found.items()} == counts
    assert found == expected


def test_another_namespace_and_other_topics_are_joined_by_remapping(
    command: Callable[..., Command], tmp_path: Path
) -> None:
    bag = drive(tmp_path / "drive", 5)
    live = command(
        *("live", "--stages", "occupancy_mapper", "--delivery", "lossless"),
        *("--namespace", "car1", "--remap", f"{POINTS}:=/velodyne"),
    )
    record = command("record", tmp_path / "out", "--all")
    record.wait_for(f"/car1{GRID}")
    live.wait_for("1 of 1 stages ready")
    play = command(
        *("play", bag, "--remap", f"{POINTS}:=/velodyne", "--rate", "3"),
        *("--wait-for-subscribers", "--wait-for-all-acked"),
    )
    assert play.wait() == 0, play.output
    live.wait_for("ready")
    assert live.interrupt()[0] == 0
    code, _ = record.interrupt()
    assert code == 0, record.output
    found = contents(tmp_path / "out")
    assert len(found[f"/car1{GRID}"]) == 5
    assert found["/velodyne"] == contents(bag)[POINTS]
    assert "/car1/perception/occupancy_mapper/latency_ms" in found
    assert DIAGNOSTICS.decode(found["/diagnostics"][-1]).statuses
