from dataclasses import replace

import numpy as np
import pytest

from spatial_perception.core.labels import POINT_LABELS, UNLABELED
from spatial_perception.core.pose import Pose
from spatial_perception.simulation.lidar import LidarConditions, scan
from spatial_perception.simulation.lidar_models import LidarModel
from spatial_perception.simulation.materials import Surface
from spatial_perception.simulation.street import EGO, Snapshot
from spatial_perception.simulation.surroundings import Surroundings

from .scenes import block, plain, surroundings_of

IDEAL = LidarConditions(
    range_noise_m=0.0, drop_share=0.0, gain=1e6, dark_drop=0.0, beam_jitter_deg=0.0
)
SMALL = LidarModel("small", (0.0, -5.0, -10.0, -20.0), 360, 2.0, 120.0)
MOUNT = Pose.from_yaw(0.0, np.array([0.0, 0.0, 2.0]))


def test_rings_on_flat_ground_have_the_radius_of_their_elevation() -> None:
    seen = scan(surroundings_of(plain()), [MOUNT], SMALL, IDEAL, np.random.default_rng(0))
    radius = np.hypot(seen.points[:, 0], seen.points[:, 1])

    for ring, elevation in ((1, 5.0), (2, 10.0), (3, 20.0)):
        mine = seen.ring == ring
        assert mine.sum() == 360
        np.testing.assert_allclose(radius[mine], 2.0 / np.tan(np.radians(elevation)), rtol=1e-4)
    np.testing.assert_allclose(seen.points[:, 2], -2.0, atol=1e-3)
    assert (seen.labels == POINT_LABELS.index("road")).all()


def test_turn_goes_clockwise_from_the_rear_in_one_spin() -> None:
    seen = scan(surroundings_of(plain()), [MOUNT], SMALL, IDEAL, np.random.default_rng(0))
    azimuth = np.arctan2(seen.points[:, 1], seen.points[:, 0])[seen.ring == 3]
    time_s = seen.time_s[seen.ring == 3]

    assert (np.diff(azimuth[np.argsort(time_s)]) < 0).all()
    assert 0 <= time_s.min() < time_s.max() < SMALL.spin_time_s


def test_a_part_of_the_turn_lies_ahead_and_is_swept_from_left_to_right() -> None:
    model = replace(SMALL, field_of_view_deg=90.0)
    seen = scan(surroundings_of(plain()), [MOUNT], model, IDEAL, np.random.default_rng(0))
    mine = seen.ring == 3
    azimuth = np.degrees(np.arctan2(seen.points[mine, 1], seen.points[mine, 0]))

    assert mine.sum() == SMALL.columns
    assert 44 < azimuth.max() <= 45
    assert -45 <= azimuth.min() < -44
    assert (np.diff(azimuth[np.argsort(seen.time_s[mine])]) < 0).all()


def test_walls_hide_what_is_behind_them() -> None:
    around = surroundings_of(plain(), block((6, 0, 2), (0.2, 8, 4)), block((12, 0, 1), (2, 2, 2)))
    seen = scan(around, [MOUNT], SMALL, IDEAL, np.random.default_rng(0))

    assert (seen.instances == 1).any()
    assert not (seen.instances == 2).any()


def test_ego_vehicle_casts_a_shadow_and_is_not_measured() -> None:
    body = block((0, 0, 0.7), (4, 1.8, 1.4))
    ego = Snapshot(body, np.full(12, EGO), np.zeros((0, 7)), np.zeros(0, np.uint8))
    around = surroundings_of(plain()).joined(Surroundings([ego]))
    seen = scan(around, [MOUNT], SMALL, IDEAL, np.random.default_rng(0))

    steep = np.hypot(seen.points[:, 0], seen.points[:, 1])[seen.ring == 3]
    assert 0 < len(steep) < 360
    assert not (seen.instances == EGO).any()


def test_returns_from_the_ego_vehicle_stay_without_a_label_where_wanted() -> None:
    body = block((0, 0, 0.7), (4, 1.8, 1.4))
    ego = Snapshot(body, np.full(12, EGO), np.zeros((0, 7)), np.zeros(0, np.uint8))
    around = surroundings_of(plain()).joined(Surroundings([ego]))
    near = replace(SMALL, min_range_m=0.5)
    counts = []
    for share in (0.0, 0.5, 1.0):
        conditions = replace(IDEAL, ego_share=share)
        seen = scan(around, [MOUNT], near, conditions, np.random.default_rng(0))
        own = seen.points[:, 2] > -1.9
        assert (seen.labels[own] == UNLABELED).all()
        assert not seen.instances[own].any()
        counts.append(int(own.sum()))

    assert counts[0] == 0 < counts[1] < counts[2]


def test_dark_surfaces_return_from_less_far() -> None:
    def far_returns(gray: int) -> int:
        beams = tuple(float(e) for e in np.linspace(-1, -20, 60))
        model = LidarModel("many", beams, 200, 1.8, 120.0)
        around = surroundings_of(plain(90.0, Surface.ASPHALT, gray))
        seen = scan(around, [MOUNT], model, LidarConditions(), np.random.default_rng(0))
        return int((np.linalg.norm(seen.points, axis=1) > 30).sum())

    assert far_returns(10) < 0.5 * far_returns(120)


def test_lost_returns_come_to_the_share_asked_for() -> None:
    conditions = LidarConditions(
        range_noise_m=0.0, drop_share=0.3, gain=1e6, dark_drop=0.0, beam_jitter_deg=0.0
    )
    seen = scan(surroundings_of(plain()), [MOUNT], SMALL, conditions, np.random.default_rng(0))

    assert len(seen.points) == pytest.approx(0.7 * 3 * 360, rel=0.06)


def test_range_noise_has_the_deviation_asked_for() -> None:
    conditions = LidarConditions(
        range_noise_m=0.05, drop_share=0.0, gain=1e6, dark_drop=0.0, beam_jitter_deg=0.0
    )
    seen = scan(surroundings_of(plain()), [MOUNT], SMALL, conditions, np.random.default_rng(0))
    steep = seen.points[seen.ring == 3]

    error = np.linalg.norm(steep, axis=1) - 2.0 / np.sin(np.radians(20.0))
    assert np.std(error) == pytest.approx(0.05, rel=0.15)


def test_moving_sensor_measures_each_point_from_where_it_was() -> None:
    around = surroundings_of(plain(), block((20, 0, 2), (0.2, 60, 4)))
    poses = [Pose.from_yaw(0.0, np.array([x, 0.0, 2.0])) for x in (0.0, 1.0)]
    still = scan(around, poses[:1], SMALL, IDEAL, np.random.default_rng(0))
    moving = scan(around, poses, SMALL, IDEAL, np.random.default_rng(0))

    wall = [s.points[(s.instances == 1) & (s.ring == 0)] for s in (still, moving)]
    np.testing.assert_allclose(wall[0][:, 0], 19.9, atol=1e-3)
    # The first half of the turn passes the left side, the second half the right.
    np.testing.assert_allclose(wall[1][wall[1][:, 1] > 0.5, 0], 19.9, atol=1e-3)
    np.testing.assert_allclose(wall[1][wall[1][:, 1] < -0.5, 0], 18.9, atol=1e-3)
