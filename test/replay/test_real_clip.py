"""The real clip through detectors, fusion and tracker: cars that queue keep their identity."""

import itertools
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from spatial_perception.bags import BagReader
from spatial_perception.core import Tracks
from spatial_perception.messages import TRACK_STATES
from spatial_perception.replay.run import Replay
from spatial_perception.runtime.models import model_names
from spatial_perception.stages.registry import build_graph

DATA = Path(
    os.environ.get("SPATIAL_PERCEPTION_DATA", Path(__file__).parents[3] / "shared" / "data")
)
CLIP = DATA / "kitti_raw_clip"
STAGES = ("lidar_detector", "camera_detector", "camera_lidar_fusion", "object_tracker")
STATES = "/perception/objects/states"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLIP.is_dir(), reason=f"needs the bag {CLIP}"),
    pytest.mark.skipif(
        not {"lidar_detector", "camera_detector"} <= set(model_names()),
        reason="needs the models lidar_detector and camera_detector",
    ),
]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> list[Tracks]:
    output = tmp_path_factory.mktemp("clip") / "tracked"
    graph = build_graph({}, STAGES)
    Replay(graph, CLIP, output).run()
    graph.close()
    with BagReader(output) as reader:
        return [TRACK_STATES.decode(message.data) for message in reader.messages({STATES})]


def cars(tracks: Tracks) -> Tracks:
    return tracks.selected(tracks.labels == tracks.label_set.index("car"))


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
