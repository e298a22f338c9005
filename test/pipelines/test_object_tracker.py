"""The tracker keeps identities, measures velocities and forgets what has gone."""

import dataclasses

import numpy as np
import pytest

from spatial_perception.core import OBJECT_LABELS, LabelSet, Pose, Tracks
from spatial_perception.pipelines.object_tracker import ObjectTracker, ObjectTrackerConfig
from test.pipelines.scenes import Mover, seen

STEP_S = 0.1


def follow(
    movers: list[Mover],
    frames: int = 30,
    noise_m: float = 0.1,
    tracker: ObjectTracker | None = None,
) -> list[Tracks]:
    tracker = tracker or ObjectTracker(ObjectTrackerConfig())
    rng = np.random.default_rng(1)
    return [tracker(seen(movers, STEP_S * k, rng, noise_m)) for k in range(frames)]


def test_a_turning_car_has_its_speed_and_yaw_rate() -> None:
    last = follow([Mover(speed=8.0, yaw_rate=0.3)], 60, noise_m=0.05)[-1]
    assert len(last) == 1
    assert np.hypot(*last.velocities_mps[0]) == pytest.approx(8.0, abs=0.4)
    assert last.yaw_rates_radps[0] == pytest.approx(0.3, abs=0.08)


def test_a_fast_car_is_fast_from_its_first_published_scan_on() -> None:
    shown = follow([Mover(speed=12.0)], 4, noise_m=0.02)
    assert [len(tracks) for tracks in shown] == [0, 1, 1, 1]
    assert shown[1].velocities_mps[0, 0] == pytest.approx(12.0, abs=1.2)


def test_a_walking_person_has_a_velocity_whatever_the_heading_seen() -> None:
    walker = Mover("pedestrian", speed=1.4, yaw=np.pi / 2, seen_yaw=0.0)
    last = follow([walker], 40)[-1]
    assert np.allclose(last.velocities_mps[0], [0.0, 1.4], atol=0.35)


def test_ids_stay_while_cars_pass_each_other() -> None:
    cars = [Mover(x=0, y=0, speed=10), Mover(x=40, y=3.2, yaw=np.pi, speed=10)]
    shown = follow(cars, 40)[3:]
    assert {tuple(tracks.ids.tolist()) for tracks in shown} == {(1, 2)}


def test_a_car_seen_backwards_is_turned_to_where_it_drives() -> None:
    last = follow([Mover(speed=8.0, seen_yaw=np.pi)], 15)[-1]
    assert np.cos(last.yaws_rad[0]) > 0.99
    assert last.velocities_mps[0, 0] == pytest.approx(8.0, abs=0.5)


def test_a_standing_car_takes_the_heading_that_most_detections_have() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    follow([Mover(seen_yaw=np.pi)], 1, tracker=tracker)
    for k in range(1, 20):
        last = tracker(seen([Mover(seen_yaw=np.pi if k % 5 == 0 else 0.0)], STEP_S * k))
    assert np.cos(last.yaws_rad[0]) > 0.99


@pytest.mark.parametrize("field", ["centers_m", "sizes_lwh_m", "yaws_rad", "scores", "labels"])
def test_boxes_that_are_none_are_left_out_and_disturb_no_other(field: str) -> None:
    """As detectors of others give them: no numbers, or no class."""
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(40):
        found = seen([Mover(), Mover(y=5), Mover(y=20)], STEP_S * k)
        values = getattr(found, field).copy()
        values[-1] = 255 if field == "labels" else np.nan
        last = tracker(dataclasses.replace(found, **{field: values}))
        assert k < 1 or last.ids.tolist() == [1, 2]


def test_an_id_does_not_outlive_a_gap_between_scans_that_is_longer_than_a_tracks_life() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig(lifetime_s=1.5))
    follow([Mover()], 20, tracker=tracker)
    within = [tracker(seen([Mover()], 1.9 + 1.4 + STEP_S * k)) for k in range(5)]
    beyond = [tracker(seen([Mover()], 3.7 + 1.6 + STEP_S * k)) for k in range(5)]
    assert [tracks[-1].ids.tolist() for tracks in (within, beyond)] == [[1], [2]]


@pytest.mark.parametrize("lists", [[("bus",), ("bus", "tram")], [("bus", "tram"), ("bus", "car")]])
def test_ids_stay_while_messages_list_other_classes(lists: list[tuple[str, ...]]) -> None:
    """A message of boxes tells the classes of those that it holds, and no more."""
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(20):
        names = lists[k % 2]
        found = seen([Mover(y=9.0 * index) for index in range(len(names))], STEP_S * k)
        labels = np.arange(len(names), dtype=np.int32)
        last = tracker(dataclasses.replace(found, labels=labels, label_set=LabelSet(names)))
    assert last.ids[0] == 1
    assert last.label_set.name(last.labels[0]) == "bus"


def test_names_that_are_no_classes_do_not_end_the_tracking() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(300):
        last = tracker(
            dataclasses.replace(seen([Mover()], STEP_S * k), label_set=LabelSet((f"object {k}",)))
        )
    assert len(last) == 1


def test_a_wrong_class_now_and_then_changes_nothing() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(30):
        last = tracker(seen([Mover("truck" if k % 6 == 5 else "car")], STEP_S * k))
    assert last.labels.tolist() == [OBJECT_LABELS.index("car")]
    assert len(set(last.ids.tolist())) == 1


@pytest.mark.parametrize(("speed_mps", "kind"), [(1.5, "pedestrian"), (5.5, "cyclist")])
def test_who_is_too_fast_for_a_pedestrian_is_a_cyclist(speed_mps: float, kind: str) -> None:
    last = follow([Mover("pedestrian", speed=speed_mps)], 20)[-1]
    assert last.labels.tolist() == [OBJECT_LABELS.index(kind)]


def test_speeds_relative_to_the_vehicle_say_nothing_of_the_class() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(20):
        last = tracker(seen([Mover("pedestrian", speed=5.5)], STEP_S * k), is_fixed=False)
    assert last.labels.tolist() == [OBJECT_LABELS.index("pedestrian")]


def test_one_object_given_under_two_classes_is_one_track() -> None:
    last = follow([Mover("truck", x=20.0), Mover("car", x=21.0)], 10)[-1]
    assert len(last) == 1


def test_a_short_occlusion_keeps_the_id_and_a_long_one_ends_the_track() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig(lifetime_s=1.0))
    car = [Mover(speed=5.0)]
    for k in range(15):
        tracker(seen(car, STEP_S * k))
    for k in range(15, 19):
        tracker(seen([], STEP_S * k))
    for k in range(19, 22):
        found = tracker(seen(car, STEP_S * k))
    assert found.ids.tolist() == [1]
    hidden = [tracker(seen([], STEP_S * k)) for k in range(22, 40)]
    assert len(hidden[-1]) == 0
    assert tracker.count == 0
    for k in range(40, 45):
        found = tracker(seen(car, STEP_S * k))
    assert found.ids.tolist() == [2], "an id is never used again"


def test_tracks_that_are_never_published_take_no_id() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(20):  # something else at another place in every scan
        assert len(tracker(seen([Mover("pedestrian", x=7.0 * k)], STEP_S * k))) == 0
    cars = [Mover(y=20.0), Mover(y=30.0), Mover(y=40.0)]
    shown = [tracker(seen(cars[: k + 1], 2.0 + STEP_S * k)).ids.tolist() for k in range(4)]
    assert shown == [[], [1], [1, 2], [1, 2, 3]]


def test_a_track_keeps_its_id_while_it_is_not_published() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig(publish_s=0.25))
    car, other = Mover(), Mover(y=20.0)
    for k in range(15):
        tracker(seen([car], STEP_S * k))
    alone = [tracker(seen([other], STEP_S * k)).ids.tolist() for k in range(15, 20)]
    assert alone[-1] == [2]
    assert tracker(seen([car, other], STEP_S * 20)).ids.tolist() == [1, 2]


def test_nothing_older_than_its_lifetime_is_published_or_kept() -> None:
    config = ObjectTrackerConfig(lifetime_s=0.5, publish_s=0.3)
    tracker = ObjectTracker(config)
    for k in range(20):
        tracker(seen([Mover()], STEP_S * k, score=0.95))
    counts = [len(tracker(seen([], STEP_S * k))) for k in range(20, 27)]
    assert counts[4:] == [0, 0, 0]
    assert tracker.count == 0


def test_reset_forgets_tracks_but_not_their_ids() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    follow([Mover()], 5, tracker=tracker)
    tracker.reset()
    assert follow([Mover()], 5, tracker=tracker)[-1].ids.tolist() == [2]


def doubtful_score(kind: str, speed_mps: float, is_fixed: bool = True) -> float:
    """Returns the probability of existence of what was twelve times seen with a low score."""
    tracker = ObjectTracker(ObjectTrackerConfig(confirm_probability=0.0))
    for k in range(12):
        scan = seen([Mover(kind, speed=speed_mps)], STEP_S * k, score=0.3)
        last = tracker(scan, is_fixed=is_fixed)
    return float(last.scores[0])


@pytest.mark.parametrize("kind", ["pedestrian", "cyclist"])
def test_what_moves_is_rather_a_person_than_what_stands(kind: str) -> None:
    still, moving = doubtful_score(kind, 0.0), doubtful_score(kind, 1.5)
    assert still < doubtful_score(kind, 1.5, is_fixed=False) < moving


def test_that_a_car_moves_tells_nothing_of_its_existence() -> None:
    assert doubtful_score("car", 0.0) == pytest.approx(doubtful_score("car", 8.0))


def test_a_doubtful_detection_alone_makes_no_object() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    shown = [tracker(seen([Mover(x=8.0 * k)], STEP_S * k, score=0.2)) for k in range(10)]
    assert sum(map(len, shown)) == 0


def test_a_scan_a_second_still_follows_a_slow_car() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    for k in range(8):
        last = tracker(seen([Mover(speed=4.0)], float(k)))
    assert last.ids.tolist() == [1]
    assert last.velocities_mps[0, 0] == pytest.approx(4.0, abs=0.5)


def test_moving_the_frame_keeps_tracks_where_they_are() -> None:
    tracker = ObjectTracker(ObjectTrackerConfig())
    cars = [Mover(speed=5.0), Mover("pedestrian", y=8.0, speed=1.0)]
    for k in range(20):
        tracker(seen(cars, STEP_S * k))
    new_from_old = Pose.from_yaw(0.7, np.array([30.0, -5.0, 0.0]))
    tracker.move(new_from_old)
    moved = seen(cars, 2.0).transformed(new_from_old, "odom")
    last = tracker(moved)
    assert last.ids.tolist() == [1, 2]
    speed = 5.0 * np.array([np.cos(0.7), np.sin(0.7)])
    assert np.allclose(last.velocities_mps[0], speed, atol=0.3)


def test_empty_scenes_are_fine() -> None:
    assert [len(t) for t in follow([], 3)] == [0, 0, 0]


@pytest.mark.parametrize("count", [100, 300])
def test_many_objects_are_all_followed(count: int) -> None:
    side = int(np.ceil(np.sqrt(count)))
    kinds = ("car", "truck", "pedestrian", "cyclist")
    movers = [
        Mover(kinds[i % 4], x=9.0 * (i % side), y=9.0 * (i // side), speed=1.0)
        for i in range(count)
    ]
    tracker = ObjectTracker(ObjectTrackerConfig())
    rng = np.random.default_rng(0)
    for k in range(20):
        last = tracker(seen(movers, STEP_S * k, rng))
    assert len(last) == count
    assert last.ids.max() == count, "no track was lost and born anew"
