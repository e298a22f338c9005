"""The real clip: cars that queue keep their identity, a lorry is one, the way up to it is free."""

import itertools
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.bags import BagReader
from spatial_perception.core import OccupancyGrid, Pose, Tracks
from spatial_perception.messages import OCCUPANCY_GRID, TRACK_STATES
from spatial_perception.pipelines.ego_box import EgoBox
from spatial_perception.pipelines.free_space import FreeSpaceConfig, FreeSpaceReader
from spatial_perception.replay.run import Replay
from spatial_perception.runtime.models import model_names
from spatial_perception.stages.registry import build_graph

DATA = Path(
    os.environ.get("SPATIAL_PERCEPTION_DATA", Path(__file__).parents[3] / "shared" / "data")
)
CLIP = DATA / "kitti_raw_clip"
STAGES = (
    "lidar_detector",
    "lidar_segmenter",
    "camera_detector",
    "occupancy_mapper",
    "camera_lidar_fusion",
    "object_tracker",
)
STATES, GRID = "/perception/objects/states", "/perception/occupancy/grid"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLIP.is_dir(), reason=f"needs the bag {CLIP}"),
    pytest.mark.skipif(
        not {"lidar_detector", "lidar_segmenter", "camera_detector"} <= set(model_names()),
        reason="needs the models lidar_detector, lidar_segmenter and camera_detector",
    ),
]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("clip") / "result"
    graph = build_graph({}, STAGES)
    Replay(graph, CLIP, output).run()
    graph.close()
    return output


@pytest.fixture(scope="module")
def tracked(bag: Path) -> list[Tracks]:
    with BagReader(bag) as reader:
        return [TRACK_STATES.decode(message.data) for message in reader.messages({STATES})]


@pytest.fixture(scope="module")
def grids(bag: Path) -> list[OccupancyGrid]:
    with BagReader(bag) as reader:
        return [OCCUPANCY_GRID.decode(message.data) for message in reader.messages({GRID})]


def of_class(tracks: Tracks, name: str) -> Tracks:
    return tracks.selected(tracks.labels == tracks.label_set.index(name))


def cars(tracks: Tracks) -> Tracks:
    return of_class(tracks, "car")


def test_every_scan_has_its_objects_and_no_id_is_there_twice(tracked: list[Tracks]) -> None:
    assert len(tracked) == 20
    for tracks in tracked:
        assert len(set(tracks.ids.tolist())) == len(tracks)


def test_cars_in_the_queue_keep_their_ids(tracked: list[Tracks]) -> None:
    """A car that is published again at the place it had a scan before is under the same id."""
    kept = changed = 0
    for before, after in itertools.pairwise(tracked[2:]):
        first, second = cars(before), cars(after)
        away = np.linalg.norm(first.centers_m[:, None, :2] - second.centers_m[None, :, :2], axis=2)
        for row, column in np.argwhere(away < 1.0):
            same = first.ids[row] == second.ids[column]
            kept, changed = kept + int(same), changed + int(not same)
    assert kept >= 40, "cars queue at the junction"
    assert changed <= 0.05 * kept


def test_some_cars_are_followed_from_beginning_to_end(tracked: list[Tracks]) -> None:
    seen: dict[int, int] = defaultdict(int)
    for tracks in tracked:
        for track_id in cars(tracks).ids.tolist():
            seen[track_id] += 1
    assert sum(count >= 15 for count in seen.values()) >= 2


def test_the_lorry_ahead_on_the_left_is_one_truck(tracked: list[Tracks]) -> None:
    seen: dict[int, int] = defaultdict(int)
    for tracks in tracked:
        trucks = of_class(tracks, "truck")
        x, y = trucks.centers_m[:, 0], trucks.centers_m[:, 1]
        is_ahead_left = (x > 8.0) & (x < 20.0) & (y > 1.5) & (y < 6.0)
        for track_id in trucks.ids[is_ahead_left].tolist():
            seen[track_id] += 1
            others = tracks.centers_m[tracks.ids != track_id, :2]
            place = trucks.centers_m[trucks.ids == track_id, :2]
            assert np.linalg.norm(others - place, axis=1).min() > 2.0, "a second box in the lorry"
    assert len(seen) == 1, f"scans by id: {dict(seen)}"
    assert sum(seen.values()) >= 14


def test_the_way_is_free_up_to_the_car_in_front(
    tracked: list[Tracks], grids: list[OccupancyGrid]
) -> None:
    read = FreeSpaceReader(FreeSpaceConfig(), EgoBox())
    assert len(grids) == 20
    for tracks, grid in zip(tracked[2:], grids[2:], strict=True):
        assert tracks.header.stamp_ns == grid.header.stamp_ns
        found = cars(tracks)
        x, y = found.centers_m[:, 0], found.centers_m[:, 1]
        rears_m = (x - found.sizes_lwh_m[:, 0] / 2)[(x > 0) & (np.abs(y) < 1.1)]
        ahead_m = read(grid, Pose.identity(), "base_link").ahead_m
        assert ahead_m > 5.0
        assert ahead_m == pytest.approx(rears_m.min(), abs=1.5)
