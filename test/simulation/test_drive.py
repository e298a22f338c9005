from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spatial_perception import messages
from spatial_perception.bags.reader import BagReader
from spatial_perception.cli import simulate as cli
from spatial_perception.cli.main import main
from spatial_perception.core.pose import Pose
from spatial_perception.core.transforms import TransformTree
from spatial_perception.errors import ConfigError, DatasetError
from spatial_perception.simulation import drive as drive_module
from spatial_perception.simulation.camera import CameraModel
from spatial_perception.simulation.drive import Drive, DriveConfig, Moment
from spatial_perception.simulation.drive_bag import (
    CAMERA_TOPIC,
    POINTS_TOPIC,
    TRUTH_OBJECTS_TOPIC,
    TRUTH_POINTS_TOPIC,
    TRUTH_STATES_TOPIC,
    simulate_drive,
)
from spatial_perception.simulation.lidar import Scan, scan
from spatial_perception.simulation.surroundings import Surroundings

CONFIG = DriveConfig(
    seconds=0.3,
    seed=5,
    sensor="beam32",
    camera=CameraModel(width=124, height=38, focal_px=72.0, center_x_px=61, center_y_px=17),
)


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    return list(Drive(CONFIG).moments())


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_drive(tmp_path_factory.mktemp("drive") / "bag", config=CONFIG)


def messages_of(path: Path) -> list[tuple[str, int, bytes]]:
    with BagReader(path) as reader:
        return [(m.topic, m.log_time_ns, bytes(m.data)) for m in reader.messages(None)]


def test_odometry_covers_speed_times_time(moments: list[Moment]) -> None:
    drive = Drive(CONFIG)
    way = np.linalg.norm(moments[2].odom_from_base.translation)
    linear, _ = drive.base_velocity(0.1)

    assert way == pytest.approx(drive.street.ego_speed_mps * 0.2, rel=0.02)
    assert linear[0] == pytest.approx(drive.street.ego_speed_mps, rel=0.02)


def test_what_stands_still_stays_in_its_place_in_odom(moments: list[Moment]) -> None:
    first, last = moments[0], moments[2]
    still = np.flatnonzero(np.abs(first.velocities_mps).max(1) == 0)[:20]
    places = [m.odom_from_base.apply(m.boxes[still, :3]) for m in (first, last)]

    assert len(still)
    np.testing.assert_array_equal(first.ids[still], last.ids[still])
    np.testing.assert_allclose(*places, atol=1e-6)


def test_what_moves_goes_where_its_velocity_points(moments: list[Moment]) -> None:
    first, last = moments[0], moments[2]
    _, a, b = np.intersect1d(first.ids, last.ids, return_indices=True)
    moving = np.abs(first.velocities_mps[a]).max(1) > 3
    assert moving.any()
    base = first.odom_from_base.inverse() @ last.odom_from_base
    way = base.apply(last.boxes[b, :3])[moving, :2] - first.boxes[a, :2][moving]

    np.testing.assert_allclose(way, 0.2 * first.velocities_mps[a][moving], atol=0.15)


def test_points_of_an_object_lie_in_its_box(moments: list[Moment]) -> None:
    drive, moment = Drive(CONFIG), moments[1]
    points = drive.rig.base_from_lidar.apply(moment.scan.points)
    inside = 0
    total = 0
    for row, box in zip(moment.ids, moment.boxes, strict=True):
        mine = points[moment.scan.instances == row]
        local = Pose.from_yaw(float(box[6]), box[:3]).inverse().apply(mine.astype(float))
        inside += int((np.abs(local) < box[3:6] / 2 + 0.12).all(1).sum())
        total += len(mine)

    assert total > 200
    assert inside > 0.96 * total


def test_motion_distortion_measures_each_sector_from_where_the_sensor_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[DriveConfig] = []
    monkeypatch.setattr(cli, "simulate_drive", lambda _, config, progress: chosen.append(config))
    for words in ([], ["--motion-distortion"]):
        assert main(["simulate", str(tmp_path / "drive"), "--no-camera", *words]) == 0
    assert [config.motion_distortion for config in chosen] == [False, True]

    ways: list[np.ndarray] = []

    def look(around: Surroundings, poses: Sequence[Pose], *others: Any) -> Scan:
        ways.append(np.array([pose.translation for pose in poses]))
        return scan(around, poses, *others)

    monkeypatch.setattr(drive_module, "scan", look)
    drive = Drive(replace(CONFIG, seconds=0.1, with_camera=False, motion_distortion=True))
    next(drive.moments())
    (way,) = ways
    driven_m = drive.street.ego_speed_mps * drive.lidar.spin_time_s
    steps_m = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps_m, driven_m / len(way), rtol=0.02)
    middle = (drive.world_from_base(0.0) @ drive.rig.base_from_lidar).translation
    np.testing.assert_allclose(way.mean(axis=0), middle, atol=0.01)


def test_a_moment_can_be_measured_from_a_place_of_ones_own(moments: list[Moment]) -> None:
    drive = Drive(replace(CONFIG, with_camera=False))
    aside = drive.world_from_base(0.2) @ Pose.from_yaw(0.3, np.array([-1.0, 0.5, 0.0]))
    recorded, own = moments[2], drive.moment(2, lambda _: aside)

    moved = recorded.odom_from_base.inverse() @ own.odom_from_base
    np.testing.assert_allclose(moved.translation, [-1.0, 0.5, 0.0], atol=1e-9)
    np.testing.assert_array_equal(own.ids, recorded.ids)
    np.testing.assert_allclose(
        own.odom_from_base.apply(own.boxes[:, :3]),
        recorded.odom_from_base.apply(recorded.boxes[:, :3]),
        atol=1e-6,
    )
    hit = np.flatnonzero((own.hits > 30) & (own.boxes[:, 3] > 3))
    assert len(hit)
    points = drive.rig.base_from_lidar.apply(own.scan.points.astype(float))
    for row in hit:
        mine = points[own.scan.instances == own.ids[row]]
        box = Pose.from_yaw(float(own.boxes[row, 6]), own.boxes[row, :3]).inverse()
        assert (np.abs(box.apply(mine)) < own.boxes[row, 3:6] / 2 + 0.2).all(1).mean() > 0.9


def test_who_drives_behind_in_the_lane_can_be_left_out() -> None:
    alone = Drive(replace(CONFIG, with_camera=False), followers=False)
    street = alone.street
    behind = [a for a in street.actors if street.follows(a)]
    assert behind
    for actor in behind:
        assert actor.s_m < 0
        assert actor.speed_mps > 0
        assert abs(actor.d_m - street.ego_d_m) < street.ground.plan.lane_width_m
    others = Drive(replace(CONFIG, with_camera=False)).moving(0.0).boxes
    assert len(others) == len(alone.moving(0.0).boxes) + len(behind)


def test_bag_holds_the_topics_and_stamps_of_a_recorded_drive(bag: Path) -> None:
    with BagReader(bag) as reader:
        counts = {topic: info.count for topic, info in reader.topics.items()}
    for topic in (POINTS_TOPIC, f"{CAMERA_TOPIC}/image/compressed", f"{CAMERA_TOPIC}/camera_info",
                  TRUTH_OBJECTS_TOPIC, TRUTH_POINTS_TOPIC):  # fmt: skip
        assert counts[topic] == 3
    assert counts["/tf_static"] == 1
    assert counts["/tf"] == counts["/odom"] > 10
    times = [t for _, t, _ in messages_of(bag)]
    assert times == sorted(times)

    data = {topic: payload for topic, _, payload in messages_of(bag)}
    cloud = messages.POINT_CLOUD.decode(data[POINTS_TOPIC])
    image = messages.COMPRESSED_IMAGE.decode(data[f"{CAMERA_TOPIC}/image/compressed"])
    assert image.header.stamp_ns - cloud.header.stamp_ns == 3_000_000
    assert cloud.header.frame_id == "velodyne"
    assert image.pixels.shape == (38, 124, 3)


def test_true_states_hold_what_no_ray_touches_too(bag: Path, moments: list[Moment]) -> None:
    data = {topic: payload for topic, _, payload in messages_of(bag)}
    states = messages.TRACK_STATES.decode(data[TRUTH_STATES_TOPIC])
    objects = messages.TRACKS.decode(data[TRUTH_OBJECTS_TOPIC])
    last = moments[-1]
    near = np.hypot(*last.boxes[:, :2].T) < 100.0
    hidden = last.ids[near & (last.hits == 0)]

    assert len(hidden)
    assert set(objects.ids) == set(last.ids[near & (last.hits > 0)])
    assert set(states.ids) == set(objects.ids) | set(hidden)


def test_transforms_lead_from_camera_to_odom(bag: Path) -> None:
    tree = TransformTree()
    stamp = 0
    for topic, _, payload in messages_of(bag):
        if topic in ("/tf", "/tf_static"):
            tree.add(messages.TRANSFORMS.decode(payload), static=topic == "/tf_static")
        if topic == POINTS_TOPIC:
            stamp = messages.POINT_CLOUD.decode(payload).header.stamp_ns
    odom_from_camera = tree.lookup("odom", "camera_front_optical_frame", stamp)

    assert odom_from_camera.rotation[:, 2] @ [1, 0, 0] > 0.9


def test_equal_seeds_give_equal_messages(bag: Path, tmp_path: Path) -> None:
    again = simulate_drive(tmp_path / "again", config=CONFIG)

    assert messages_of(bag) == messages_of(again)


def test_progress_counts_the_frames(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate_drive(
        tmp_path / "bag",
        config=replace(CONFIG, seconds=0.2),
        progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(1, 2), (2, 2)]


def test_existing_bag_is_not_overwritten(bag: Path) -> None:
    with pytest.raises(DatasetError, match="exists"):
        simulate_drive(bag, config=CONFIG)


def test_drive_too_short_for_a_scan_is_refused() -> None:
    with pytest.raises(ConfigError, match="hold no scan"):
        Drive(replace(CONFIG, seconds=0.01))
